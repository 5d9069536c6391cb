/** Text generation with a cache of keys and values: one program takes in the prompt, one makes a token at a time. */

import { invariant, UserError } from "../errors.ts";
import { uniform } from "../formats/random.ts";
import type { LoraOptions } from "../models/adapter.ts";
import type { Body } from "../models/body.ts";
import { EMBEDDING, FINAL_NORM, HEAD, layerWeights, weightOf } from "../models/layer-weights.ts";
import { ropeTable } from "../models/rope-table.ts";
import { compileCachedBlock, compileLogits } from "./cached-block.ts";
import type { CachedBlock } from "./cached-block.ts";
import { pickToken } from "./sampling.ts";

export interface GeneratorOptions {
  /** An adapter under training, with the parameters of its step. */
  readonly adapter?: {
    readonly lora: LoraOptions;
    readonly parameters: readonly { name: string; data: Float32Array }[];
  };
  /** Default: all the machine has. */
  readonly threads?: number;
}

export interface GenerateOptions {
  /** Most tokens to make. */
  readonly maxTokens: number;
  /** 0: always the likeliest token. 1: as the model says. Default 0. */
  readonly temperature?: number;
  /** Samples from the likeliest tokens that together have this probability. Default 1. */
  readonly topP?: number;
  /** Default 0. */
  readonly seed?: number;
  /** Ids that end the text; they are not part of the result. */
  readonly stop?: readonly number[];
  /** Called with each token as it is made. */
  readonly onToken?: (id: number) => void;
  readonly signal?: AbortSignal;
}

/** Owns native sessions: release it. */
export interface Generator {
  /**
   * Goes on from `ids`, which must not be empty. Ends at a stop id, after `maxTokens`, or where the model's positions end.
   * Throws UserError "invalid" for a prompt that the model has no positions for.
   */
  generate(ids: readonly number[], options: GenerateOptions): Promise<number[]>;
  release(): Promise<void>;
}

/** Prompt tokens that go through the model at once. */
const CHUNK = 32;
const SMALLEST_CAPACITY = 256;

/** Compiles nothing until it is used: programs depend on the length of the text, in powers of two. */
export function createGenerator(body: Pick<Body, "config" | "weights">, options: GeneratorOptions = {}): Generator {
  const { config } = body;
  const D = config.hiddenSize;
  const width = config.keyValueHeads * config.headSize;
  const threads = options.threads;
  const layers = layerWeights(body, options.adapter?.parameters, options.adapter?.lora);
  const embedding = weightOf(body, EMBEDDING);
  const norm = weightOf(body, FINAL_NORM);
  const head = config.tied ? embedding : weightOf(body, HEAD);
  const blocks = new Map<string, CachedBlock>();
  let logits: Awaited<ReturnType<typeof compileLogits>> | undefined;

  const blockFor = async (T: number, capacity: number): Promise<CachedBlock> => {
    const key = `${T}:${capacity}`;
    const block =
      blocks.get(key) ?? (await compileCachedBlock(config, { T, capacity, threads, lora: options.adapter?.lora }));
    blocks.set(key, block);
    return block;
  };

  const generate = async (prompt: readonly number[], settings: GenerateOptions): Promise<number[]> => {
    const { maxTokens, temperature = 0, topP = 1, seed = 0, stop = [], onToken, signal } = settings;
    invariant(prompt.length > 0, "a prompt has at least one token");
    if (prompt.length >= config.maxPositions) {
      throw new UserError(
        "invalid",
        `a prompt of ${prompt.length} tokens is too long for a model of ${config.maxPositions} positions`,
        {
          hint: "shorten the prompt",
        },
      );
    }
    logits ??= await compileLogits(config, threads);
    const longest = Math.min(config.maxPositions, prompt.length + maxTokens);
    let capacity = SMALLEST_CAPACITY;
    while (capacity < longest) capacity *= 2;
    const tables = ropeTable(config, capacity);
    const caches = layers.map(() => ({ k: new Float32Array(capacity * width), v: new Float32Array(capacity * width) }));

    /** Takes in `ids` at positions from `start`; gives the last row of the last block. */
    const advance = async (ids: readonly number[], T: number, start: number): Promise<Float32Array> => {
      const block = await blockFor(T, capacity);
      const x = new Float32Array(T * D);
      for (const [i, id] of ids.entries()) x.set(embedding.subarray(id * D, id * D + D), i * D);
      const state = block.begin(start, ids.length, tables);
      let rows: Float32Array = x;
      for (const [l, weights] of layers.entries()) {
        const { y, k, v } = await block.run(rows, weights, caches[l]!, state);
        caches[l]!.k.set(k.subarray(0, ids.length * width), start * width);
        caches[l]!.v.set(v.subarray(0, ids.length * width), start * width);
        rows = y;
      }
      return rows.subarray((ids.length - 1) * D, ids.length * D);
    };

    let last: Float32Array | undefined;
    for (let start = 0; start < prompt.length; start += CHUNK) {
      const ids = prompt.slice(start, start + CHUNK);
      last = await advance(ids, CHUNK, start);
    }
    const made: number[] = [];
    for (let position = prompt.length; made.length < maxTokens; position++) {
      const scores = await logits.run(last!, norm, head);
      const id = pickToken(scores, { temperature, topP, random: uniform(seed, "sample", 0, made.length) });
      if (stop.includes(id)) break;
      made.push(id);
      onToken?.(id);
      if (signal?.aborted === true || position >= config.maxPositions || made.length >= maxTokens) break;
      last = await advance([id], 1, position);
    }
    return made;
  };

  return {
    generate,
    release: async () => {
      for (const block of blocks.values()) await block.release();
      blocks.clear();
      await logits?.release();
      logits = undefined;
    },
  };
}
