/** Programs of generation: a block that attends to a cache of keys and values, and the logits of one position. */

import { allocate, createSession } from "../onnx/session.ts";
import { Graph } from "../tensor/graph.ts";
import { concat } from "../tensor/layout.ts";
import { linear } from "../tensor/matmul.ts";
import { attention, rmsNorm } from "../tensor/neural.ts";
import type { Value } from "../tensor/graph.ts";
import { extract } from "../tensor/program.ts";
import type { LoraOptions } from "../models/adapter.ts";
import { attentionScale, buildBlock, masked } from "../models/block.ts";
import type { ModelConfig } from "../models/config.ts";
import type { LayerWeights } from "../models/layer-weights.ts";
import { layerShapes } from "../models/layer-weights.ts";

export interface CachedBlockOptions {
  /** Positions taken in at once. */
  readonly T: number;
  /** Positions that the cache holds. */
  readonly capacity: number;
  readonly threads?: number | undefined;
  readonly lora?: LoraOptions | undefined;
}

/** Keys and values of one layer, [capacity, key-value heads x head size] each. */
export interface LayerCache {
  readonly k: Float32Array;
  readonly v: Float32Array;
}

/** What the layers of one pass share. */
export interface PassState {
  readonly positions: BigInt64Array;
  readonly bias: Float32Array;
  readonly cosine: Float32Array;
  readonly sine: Float32Array;
}

export interface CachedBlock {
  /** Prepares a pass over `count` positions from `start`; the remaining rows of the program are idle. */
  begin(start: number, count: number, tables: { cosine: Float32Array; sine: Float32Array }): PassState;
  /** The results are reused by the next call but one. */
  run(
    x: Float32Array,
    weights: LayerWeights,
    cache: LayerCache,
    state: PassState,
  ): Promise<{ y: Float32Array; k: Float32Array; v: Float32Array }>;
  release(): Promise<void>;
}

/** Compiles the block for one sequence. */
export async function compileCachedBlock(config: ModelConfig, options: CachedBlockOptions): Promise<CachedBlock> {
  const { T, capacity, threads, lora } = options;
  const width = config.keyValueHeads * config.headSize;
  const fresh: { k?: Value; v?: Value } = {};
  const attend = (graph: Graph, q: Value, k: Value, v: Value): Value => {
    fresh.k = k;
    fresh.v = v;
    const keys = concat(graph.input("cache.k", [1, capacity, width]), k, 1);
    const values = concat(graph.input("cache.v", [1, capacity, width]), v, 1);
    const bias = graph.input("bias", [1, 1, T, capacity + T]);
    const { heads, keyValueHeads } = config;
    return attention(q, keys, values, bias, { heads, keyValueHeads, scale: attentionScale(config) });
  };
  const { y } = buildBlock(config, layerShapes(config), { B: 1, T, positions: capacity, attend }, lora);
  const program = extract(
    new Map([
      ["y", y],
      ["k", fresh.k!],
      ["v", fresh.v!],
    ]),
  );
  const session = await createSession(program, { ...(threads === undefined ? {} : { threads }), name: "cached-block" });
  const names = program.inputs.map((input) => input.name!);
  const rows = [0, 1].map(() => allocate(y) as Float32Array);
  const k = allocate(fresh.k!) as Float32Array;
  const v = allocate(fresh.v!) as Float32Array;
  let turn = 0;
  return {
    begin: (start, count, tables) => {
      const bias = new Float32Array(T * (capacity + T)).fill(masked);
      for (let t = 0; t < T; t++) {
        const row = t * (capacity + T);
        bias.fill(0, row, row + start);
        bias.fill(0, row + capacity, row + capacity + t + 1);
      }
      const positions = BigInt64Array.from({ length: T }, (_, t) => BigInt(t < count ? start + t : 0));
      return { positions, bias, ...tables };
    },
    run: async (x, weights, cache, state) => {
      turn = 1 - turn;
      const available: Readonly<Record<string, Float32Array | BigInt64Array>> = {
        ...weights,
        x,
        "cache.k": cache.k,
        "cache.v": cache.v,
        positions: state.positions,
        bias: state.bias,
        cosine: state.cosine,
        sine: state.sine,
      };
      const feeds = Object.fromEntries(names.map((name) => [name, available[name]!]));
      await session.run(feeds, { y: rows[turn]!, k, v });
      return { y: rows[turn]!, k, v };
    },
    release: () => session.release(),
  };
}

/** Compiles the final norm and the head for one row. */
export async function compileLogits(config: ModelConfig, threads: number | undefined) {
  const graph = new Graph();
  const x = graph.input("x", [1, config.hiddenSize]);
  const norm = graph.input("norm", [config.hiddenSize]);
  const head = graph.input("head", [config.vocabularySize, config.hiddenSize]);
  const logits = linear(rmsNorm(x, norm, config.normEpsilon), head);
  const session = await createSession(extract(new Map([["logits", logits]])), {
    ...(threads === undefined ? {} : { threads }),
    name: "logits",
  });
  const result = new Float32Array(config.vocabularySize);
  return {
    /** Logits [V] of one row; reused by the next call. */
    run: async (row: Float32Array, normWeight: Float32Array, headWeight: Float32Array): Promise<Float32Array> => {
      await session.run({ x: row, norm: normWeight, head: headWeight }, { logits: result });
      return result;
    },
    release: () => session.release(),
  };
}
