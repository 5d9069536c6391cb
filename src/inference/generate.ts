/**
 * Text generation with a cache of keys and values: one program takes in prompts, one makes a token at a time for as many
 * texts as are made side by side.
 */

import { invariant, UserError } from "../errors.ts";
import { uniform } from "../formats/random.ts";
import type { LoraOptions } from "../models/adapter.ts";
import type { Body } from "../models/body.ts";
import type { ModelConfig } from "../models/config.ts";
import { EMBEDDING, FINAL_NORM, HEAD, layerWeights, weightOf } from "../models/layer-weights.ts";
import { ropeTable } from "../models/rope-table.ts";
import { compileCachedBlock, compileLogits } from "./cached-block.ts";
import type { CachedBlock, LayerCache } from "./cached-block.ts";
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
  /** Ends the text after the token that was made last. */
  readonly isComplete?: (made: readonly number[]) => boolean;
  /** Called with each token as it is made. */
  readonly onToken?: (id: number) => void;
  /** Ends the text early. */
  readonly signal?: AbortSignal;
}

/** A text to be made, side by side with others. */
export interface GenerationRequest extends GenerateOptions {
  /** What it goes on from; not empty. */
  readonly ids: readonly number[];
}

export interface GenerateManyOptions {
  /** Texts made side by side; fewer at a time run no faster. */
  readonly slots: number;
  /** Most positions of any of them, prompt included (default: the model's). Less is faster. */
  readonly positions?: number;
  /** Ids that every request begins with; they are taken in once for all. */
  readonly shared?: readonly number[];
  /** Ends with its reason, thrown. */
  readonly signal?: AbortSignal;
}

/** A text that is made. */
export interface GeneratedText<R> {
  readonly request: R;
  readonly made: readonly number[];
  /** Whether a stop id ended it; else it was cut. */
  readonly isStopped: boolean;
}

/** Owns native sessions: release it. */
export interface Generator {
  /**
   * Goes on from `ids`, which must not be empty. Ends at a stop id, after `maxTokens`, or where the model's positions end.
   * Throws UserError "invalid" for a prompt that the model has no positions for.
   */
  generate(ids: readonly number[], options: GenerateOptions): Promise<number[]>;
  /**
   * Makes many texts, each as `generate` would up to the rounding of sums, and gives each with its request when it is
   * done, in no certain order. A request is taken when there is room for it, and asked for again with every token where
   * there was none; a text is the same whatever is made beside it.
   */
  generateMany<R extends GenerationRequest>(
    requests: Iterable<R>,
    options: GenerateManyOptions,
  ): AsyncGenerator<GeneratedText<R>, void, void>;
  release(): Promise<void>;
}

/** Prompt tokens that go through the model at once. */
const CHUNK = 32;
const SMALLEST_CAPACITY = 64;

const MOST_SLOTS = 32;
/** Bytes that the caches of all texts made side by side may take. */
const CACHE_BYTES = 256 << 20;

/** How many texts of so many positions are best made side by side: more gains little, or takes too much memory. */
export function slotsFor(config: ModelConfig, positions: number): number {
  const bytesOfPosition = 4 * 2 * config.layers * config.keyValueHeads * config.headSize;
  const fitting = Math.floor(CACHE_BYTES / (bytesOfPosition * capacityFor(Math.min(positions, config.maxPositions))));
  return Math.max(1, Math.min(MOST_SLOTS, fitting));
}

/** A power of two or a quarter of its way to the next, so that few programs serve texts of many lengths. */
function capacityFor(positions: number): number {
  let power = SMALLEST_CAPACITY;
  while (2 * power < positions) power *= 2;
  return Math.max(power, Math.ceil((4 * positions) / power) * (power / 4));
}

/** A text under way. */
interface Running<R> {
  readonly request: R;
  readonly made: number[];
  /** Taken in next, at `position`. */
  next: number;
  position: number;
}

/** Compiles nothing until it is used: programs depend on the length of the text, in powers of two, and on the slots. */
export function createGenerator(body: Pick<Body, "config" | "weights">, options: GeneratorOptions = {}): Generator {
  const { config } = body;
  const D = config.hiddenSize;
  const V = config.vocabularySize;
  const width = config.keyValueHeads * config.headSize;
  const threads = options.threads;
  const layers = layerWeights(body, options.adapter?.parameters, options.adapter?.lora);
  const embedding = weightOf(body, EMBEDDING);
  const norm = weightOf(body, FINAL_NORM);
  const head = config.tied ? embedding : weightOf(body, HEAD);
  const blocks = new Map<string, CachedBlock>();
  const heads = new Map<number, Awaited<ReturnType<typeof compileLogits>>>();

  const blockFor = async (B: number, T: number, capacity: number): Promise<CachedBlock> => {
    const key = `${B}:${T}:${capacity}`;
    const block =
      blocks.get(key) ?? (await compileCachedBlock(config, { B, T, capacity, threads, lora: options.adapter?.lora }));
    blocks.set(key, block);
    return block;
  };

  /** The rows [B T, hidden] of the last block for `ids` [B][up to T], each from its start; the caches take them in. */
  const advance = async (
    pieces: readonly { readonly ids: readonly number[]; readonly start: number }[],
    caches: readonly LayerCache[],
    { T, capacity, tables }: { T: number; capacity: number; tables: ReturnType<typeof ropeTable> },
  ): Promise<Float32Array> => {
    const block = await blockFor(pieces.length, T, capacity);
    let rows: Float32Array = new Float32Array(pieces.length * T * D);
    for (const [b, { ids }] of pieces.entries()) {
      for (const [t, id] of ids.entries()) rows.set(embedding.subarray(id * D, id * D + D), (b * T + t) * D);
    }
    const state = block.begin(
      pieces.map(({ ids, start }) => ({ start, count: ids.length })),
      tables,
    );
    for (const [l, weights] of layers.entries()) rows = await block.run(rows, weights, caches[l]!, state);
    return rows;
  };

  async function* generateMany<R extends GenerationRequest>(
    requests: Iterable<R>,
    { slots: B, positions = config.maxPositions, shared = [], signal }: GenerateManyOptions,
  ): AsyncGenerator<GeneratedText<R>, void, void> {
    const limit = Math.min(positions, config.maxPositions);
    const capacity = capacityFor(limit);
    const tables = ropeTable(config, capacity);
    const size = capacity * width;
    const emptyCaches = (texts: number): LayerCache[] =>
      layers.map(() => ({ k: new Float32Array(texts * size), v: new Float32Array(texts * size) }));
    const caches = emptyCaches(B);
    const queue = requests[Symbol.iterator]();
    const slots = Array.from<Running<R> | undefined>({ length: B });

    const takeIn = async (ids: readonly number[], from: number, into: readonly LayerCache[]): Promise<void> => {
      for (let start = from; start < ids.length; start += CHUNK) {
        await advance([{ ids: ids.slice(start, start + CHUNK), start }], into, { T: CHUNK, capacity, tables });
      }
    };
    const prefix = shared.length === 0 ? undefined : emptyCaches(1);
    if (prefix) await takeIn(shared, 0, prefix);

    /** Takes in the prompt of a request but for its last token, which the first pass takes. */
    const begin = async (request: R, slot: number): Promise<Running<R>> => {
      const { ids } = request;
      const isValid = request.maxTokens > 0 && ids.length > shared.length && shared.every((id, i) => id === ids[i]);
      invariant(isValid, "a text has a token, and so has its prompt, behind what all prompts share");
      if (ids.length >= limit) throw tooLong(ids.length, limit);
      const own = caches.map(({ k, v }) => {
        const [from, to] = [slot * size, (slot + 1) * size];
        return { k: k.subarray(from, to), v: v.subarray(from, to) };
      });
      for (const [l, { k, v }] of prefix?.entries() ?? []) {
        own[l]!.k.set(k);
        own[l]!.v.set(v);
      }
      await takeIn(ids.slice(0, -1), shared.length, own);
      return { request, made: [], next: ids.at(-1)!, position: ids.length - 1 };
    };

    for (;;) {
      for (const [slot, running] of slots.entries()) {
        if (running !== undefined) continue;
        const next = queue.next();
        if (next.done === true) break;
        slots[slot] = await begin(next.value, slot);
      }
      if (slots.every((running) => running === undefined)) return;
      signal?.throwIfAborted();
      const pieces = slots.map((running) => ({
        ids: running === undefined ? [] : [running.next],
        start: running?.position ?? 0,
      }));
      const rows = await advance(pieces, caches, { T: 1, capacity, tables });
      const logits = heads.get(B) ?? (await compileLogits(config, B, threads));
      heads.set(B, logits);
      const scores = await logits.run(rows, norm, head);
      for (const [slot, running] of slots.entries()) {
        if (running === undefined) continue;
        const ended = pick(running, scores.subarray(slot * V, (slot + 1) * V), limit);
        if (ended === undefined) continue;
        slots[slot] = undefined;
        yield { request: running.request, made: running.made, isStopped: ended === "stop" };
      }
    }
  }

  const generate = async (ids: readonly number[], settings: GenerateOptions): Promise<number[]> => {
    if (settings.maxTokens < 1) return [];
    const texts = generateMany([{ ids, ...settings }], { slots: 1, positions: ids.length + settings.maxTokens });
    let result: readonly number[] = [];
    for await (const { made } of texts) result = made;
    return [...result];
  };

  return {
    generate,
    generateMany,
    release: async () => {
      for (const compiled of [...blocks.values(), ...heads.values()]) await compiled.release();
      blocks.clear();
      heads.clear();
    },
  };
}

/** Adds a token to a text; says whether a stop id ended it, which is not added, or anything else. */
function pick(
  running: Running<GenerationRequest>,
  scores: Float32Array,
  positions: number,
): "stop" | "cut" | undefined {
  const { request, made } = running;
  const { maxTokens, temperature = 0, topP = 1, seed = 0, stop = [], isComplete, onToken, signal } = request;
  const id = pickToken(scores, { temperature, topP, random: uniform(seed, "sample", 0, made.length) });
  if (stop.includes(id)) return "stop";
  made.push(id);
  onToken?.(id);
  running.next = id;
  running.position++;
  const isFull = made.length >= maxTokens || running.position >= positions;
  return isFull || signal?.aborted === true || isComplete?.(made) === true ? "cut" : undefined;
}

function tooLong(tokens: number, positions: number): UserError {
  return new UserError("invalid", `a prompt of ${tokens} tokens is too long for a model of ${positions} positions`, {
    hint: "shorten the prompt",
  });
}
