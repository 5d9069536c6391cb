/** Programs of generation: a block that attends to a cache of keys and values, and the logits of given rows. */

import { allocate, createSession } from "../onnx/session.ts";
import { Graph } from "../tensor/graph.ts";
import { linear } from "../tensor/matmul.ts";
import { rmsNorm } from "../tensor/neural.ts";
import type { Value } from "../tensor/graph.ts";
import { extract } from "../tensor/program.ts";
import type { LoraOptions } from "../models/adapter.ts";
import { attentionScale, buildBlock, masked } from "../models/block.ts";
import type { ModelConfig } from "../models/config.ts";
import type { LayerWeights } from "../models/layer-weights.ts";
import { layerShapes } from "../models/layer-weights.ts";
import { cachedAttention } from "./cached-attention.ts";

export interface CachedBlockOptions {
  /** Sequences side by side. */
  readonly B: number;
  /** Positions of each that are taken in at once. */
  readonly T: number;
  /** Positions of each that the cache holds. */
  readonly capacity: number;
  readonly threads?: number | undefined;
  readonly lora?: LoraOptions | undefined;
}

/** Keys and values of one layer, [B, key-value heads, capacity, head size] each. */
export interface LayerCache {
  readonly k: Float32Array;
  readonly v: Float32Array;
}

/** What one sequence of a pass takes in. */
export interface Taken {
  /** Position of the first; all before it are in the cache. */
  readonly start: number;
  /** How many; the remaining rows of the program are idle. */
  readonly count: number;
}

/** What the layers of one pass share. */
export interface PassState {
  readonly taken: readonly Taken[];
  readonly positions: BigInt64Array;
  readonly bias: Float32Array;
  readonly cosine: Float32Array;
  readonly sine: Float32Array;
}

export interface CachedBlock {
  /** Prepares a pass, with one entry for each of the B sequences. */
  begin(taken: readonly Taken[], tables: { cosine: Float32Array; sine: Float32Array }): PassState;
  /** Runs a layer and adds what was taken in to its cache. The result [B T, hidden] is reused by the next call but one. */
  run(x: Float32Array, weights: LayerWeights, cache: LayerCache, state: PassState): Promise<Float32Array>;
  release(): Promise<void>;
}

/** Compiles the block for sequences of one capacity. */
export async function compileCachedBlock(config: ModelConfig, options: CachedBlockOptions): Promise<CachedBlock> {
  const { B, T, capacity, threads, lora } = options;
  const { heads, keyValueHeads: G, headSize: D } = config;
  const fresh: { k?: Value; v?: Value } = {};
  const attend = (graph: Graph, q: Value, k: Value, v: Value): Value => {
    fresh.k = k;
    fresh.v = v;
    const cachedKeys = graph.input("cache.k", [B, G, capacity, D]);
    const cachedValues = graph.input("cache.v", [B, G, capacity, D]);
    const bias = graph.input("bias", [B, 1, T, capacity + T]);
    const scale = attentionScale(config);
    return cachedAttention({ q, k, v, cachedKeys, cachedValues, bias, heads, keyValueHeads: G, scale });
  };
  const { y } = buildBlock(config, layerShapes(config), { B, T, positions: capacity, attend }, lora);
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
  const bias = new Float32Array(B * T * (capacity + T));
  let turn = 0;
  return {
    begin: (taken, tables) => {
      bias.fill(masked);
      const positions = new BigInt64Array(B * T);
      for (const [b, { start, count }] of taken.entries()) {
        for (let t = 0; t < T; t++) {
          const row = (b * T + t) * (capacity + T);
          bias.fill(0, row, row + start);
          bias.fill(0, row + capacity, row + capacity + t + 1);
          if (t < count) positions[b * T + t] = BigInt(start + t);
        }
      }
      return { taken, positions, bias, ...tables };
    },
    run: async (x, weights, cache, { taken, positions, bias: mask, cosine, sine }) => {
      turn = 1 - turn;
      const given = { x, "cache.k": cache.k, "cache.v": cache.v, positions, bias: mask, cosine, sine };
      const available: Readonly<Record<string, Float32Array | BigInt64Array>> = { ...weights, ...given };
      const feeds = Object.fromEntries(names.map((name) => [name, available[name]!]));
      await session.run(feeds, { y: rows[turn]!, k, v });
      for (const [b, { start, count }] of taken.entries()) {
        for (let t = 0; t < count; t++) {
          for (let g = 0; g < G; g++) {
            const from = ((b * T + t) * G + g) * D;
            const to = ((b * G + g) * capacity + start + t) * D;
            cache.k.set(k.subarray(from, from + D), to);
            cache.v.set(v.subarray(from, from + D), to);
          }
        }
      }
      return rows[turn]!;
    },
    release: () => session.release(),
  };
}

/** Compiles the final norm and the head for `rows` rows. */
export async function compileLogits(config: ModelConfig, rows: number, threads: number | undefined) {
  const graph = new Graph();
  const x = graph.input("x", [rows, config.hiddenSize]);
  const norm = graph.input("norm", [config.hiddenSize]);
  const head = graph.input("head", [config.vocabularySize, config.hiddenSize]);
  const logits = linear(rmsNorm(x, norm, config.normEpsilon), head);
  const session = await createSession(extract(new Map([["logits", logits]])), {
    ...(threads === undefined ? {} : { threads }),
    name: "logits",
  });
  const result = new Float32Array(rows * config.vocabularySize);
  return {
    /** Logits [rows, V] of `x` [rows, hidden]; reused by the next call. */
    run: async (x: Float32Array, normWeight: Float32Array, headWeight: Float32Array): Promise<Float32Array> => {
      await session.run({ x, norm: normWeight, head: headWeight }, { logits: result });
      return result;
    },
    release: () => session.release(),
  };
}
