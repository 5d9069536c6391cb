/** Parts that several architectures share. */

import { add, mul, silu } from "../tensor/elementwise.ts";
import type { Value } from "../tensor/graph.ts";
import type { BlockContext } from "./architecture.ts";

/** Gated feed-forward layer (SwiGLU, arXiv 2002.05202) with its residual. */
export function swiglu(x: Value, context: BlockContext): Value {
  const h = context.rmsNorm(x, "post_attention_layernorm");
  const gate = silu(context.linear(h, "mlp.gate_proj"));
  return add(x, context.linear(mul(gate, context.linear(h, "mlp.up_proj")), "mlp.down_proj"));
}
