/** An architecture's block as a graph, for training and scoring: whole sequences, attention inside documents only. */

import { add, mul } from "../tensor/elementwise.ts";
import type { Shape, Value } from "../tensor/graph.ts";
import { Graph } from "../tensor/graph.ts";
import { reshape } from "../tensor/layout.ts";
import { linear, loraLinear } from "../tensor/matmul.ts";
import { attention, rmsNorm, rope } from "../tensor/neural.ts";
import type { LoraOptions } from "./adapter.ts";
import { isTarget, loraScale, scaleName } from "./adapter.ts";
import type { BlockContext } from "./architecture.ts";
import type { ModelConfig } from "./config.ts";
import { architectures } from "./registry.ts";

/** A block's graph: its inputs by name, and its result. Weights are inputs, so that one graph serves all layers. */
export interface BlockGraph {
  readonly graph: Graph;
  readonly x: Value;
  readonly y: Value;
  /** Weights and adapters, named as in the checkpoint without the layer's prefix. */
  readonly weights: ReadonlyMap<string, Value>;
}

/** What a block asks of its surroundings: how rows attend to each other, and how many positions the tables hold. */
export interface Surroundings {
  readonly B: number;
  readonly T: number;
  /** Positions of the rotary tables. */
  readonly positions: number;
  /** q [B, T, H D], k and v [B, T, G D], already rotated -> [B, T, H D]. */
  readonly attend: (graph: Graph, q: Value, k: Value, v: Value) => Value;
}

/** Factor of attention scores. */
export const attentionScale = (config: ModelConfig): number => 1 / Math.sqrt(config.headSize);

/**
 * Builds a block.
 *
 * @param weightShapes shapes of the block's weights by name, without the layer's prefix
 */
export function buildBlock(
  config: ModelConfig,
  weightShapes: ReadonlyMap<string, Shape>,
  surroundings: Surroundings,
  lora?: LoraOptions,
): BlockGraph {
  const { B, T } = surroundings;
  const N = B * T;
  const graph = new Graph();
  const weights = new Map<string, Value>();
  const weight = (name: string, shape = weightShapes.get(name)!): Value => {
    const value = weights.get(name) ?? graph.input(name, shape);
    weights.set(name, value);
    return value;
  };
  // A factor of the scale differs from layer to layer, as weights do: it is an input, folded into A.
  const down = (module: string, inputs: number, { rank, scales }: LoraOptions): Value => {
    const a = weight(`${module}.lora_A.weight`, [rank, inputs]);
    return scales === undefined ? a : mul(a, weight(scaleName(module), [1]));
  };
  const up = (module: string, outputs: number, { rank }: LoraOptions): Value =>
    weight(`${module}.lora_B.weight`, [outputs, rank]);
  const x = graph.input("x", [N, config.hiddenSize]);
  const positions = graph.input("positions", [B, T], "i64");
  const cosine = graph.input("cosine", [surroundings.positions, config.headSize / 2]);
  const sine = graph.input("sine", [surroundings.positions, config.headSize / 2]);
  const context: BlockContext = {
    config,
    linear: (input, module, options) => {
      const w = weight(`${module}.weight`);
      const [outputs, inputs] = w.shape as [number, number];
      const product =
        lora && isTarget(module, lora)
          ? loraLinear(input, w, down(module, inputs, lora), up(module, outputs, lora), loraScale(lora))
          : linear(input, w);
      return options?.bias ? add(product, weight(`${module}.bias`)) : product;
    },
    rmsNorm: (input, module, width) => {
      const w = weight(`${module}.weight`);
      if (width === undefined) return rmsNorm(input, w, config.normEpsilon);
      const rows = reshape(input, [(N * input.shape[1]!) / width, width]);
      return reshape(rmsNorm(rows, w, config.normEpsilon), input.shape);
    },
    rope: (input, heads) => {
      const rotated = rope(reshape(input, [B, T, input.shape[1]!]), positions, cosine, sine, { heads });
      return reshape(rotated, input.shape);
    },
    attend: (q, k, v) => {
      const [queries, keys, values] = [q, k, v].map((value) => reshape(value, [B, T, value.shape[1]!]));
      return reshape(surroundings.attend(graph, queries!, keys!, values!), q.shape);
    },
  };
  const y = architectures[config.modelType].block(x, context);
  return { graph, x, y, weights };
}

/** Attention among the positions of each sequence, with the additive mask `bias` [B, 1, T, T]. */
export function selfAttention(config: ModelConfig, B: number, T: number): Surroundings["attend"] {
  return (graph, q, k, v) => {
    const bias = graph.input("bias", [B, 1, T, T]);
    const { heads, keyValueHeads } = config;
    const chunk = T > CHUNK ? { chunk: CHUNK } : {};
    return attention(q, k, v, bias, { heads, keyValueHeads, scale: attentionScale(config), ...chunk });
  };
}

/** Rows that attention takes at once: what lies above the diagonal of blocks of this size is never computed. */
const CHUNK = 128;

/** What a masked score gets: far below any score, yet finite, so that a row of only masked scores stays a number. */
export const masked = -1e9;
