/** What a file named after an architecture provides: its transformer block, written in the words of its checkpoint. */

import type { Value } from "../tensor/graph.ts";
import type { ModelConfig } from "./config.ts";

/**
 * What a block is built with. Rows are positions: N = B T. Modules are named as in the checkpoint, without the layer's
 * prefix. Adapters, caches and masks are the context's business: no architecture knows of them.
 */
export interface BlockContext {
  readonly config: ModelConfig;
  /** x [N, in] times the module's weight [out, in], plus its bias where `bias`. */
  linear(x: Value, module: string, options?: { readonly bias?: boolean }): Value;
  /** RMS norm over the last `width` columns of x [N, k width] (default: all columns), with the module's weight [width]. */
  rmsNorm(x: Value, module: string, width?: number): Value;
  /** Rotary positions on x [N, heads D]. */
  rope(x: Value, heads: number): Value;
  /** Causal attention inside documents: q [N, H D], k and v [N, G D] -> [N, H D]. */
  attend(q: Value, k: Value, v: Value): Value;
}

export interface Architecture {
  /** One transformer block: x [N, hidden] -> [N, hidden]. */
  readonly block: (x: Value, context: BlockContext) => Value;
}
