/** Token sequences that a parent samples itself, on which a child's divergence from it is measured. They are ids, not text. */

import { scoreSequences } from "../eval/score-sequences.ts";
import type { Scorer } from "../eval/score-sequences.ts";
import { hash32 } from "../formats/random.ts";
import { createGenerator, slotsFor } from "../inference/generate.ts";
import type { Body } from "../models/body.ts";

/** Most tokens to sample: the standard error of a divergence of 0.05 nats is then about 0.005. */
export const PARENT_TOKENS = 4096;
/** Most tokens of one sequence. */
const LONGEST = 256;

export interface ParentTextOptions {
  /** Predictions in all, at most `PARENT_TOKENS`. */
  readonly tokens: number;
  /** Positions that will be read at once. */
  readonly window: number;
  readonly seed: number;
  readonly threads: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Sequences that begin with the separator and go on as the parent samples: temperature 1, nothing truncated, from a seed
 * that nothing else uses. A sequence ends with a separator that was sampled, which belongs to it, or when it is as long
 * as may be; the last one when there are `tokens` predictions in all. That number is fixed beforehand, not a result of
 * sampling: so the mean of log p - log q over the predictions has the mean of the divergences as its expectation.
 */
export async function sampleParentText(
  body: Pick<Body, "config" | "weights">,
  separator: number,
  options: ParentTextOptions,
): Promise<Int32Array[]> {
  const { seed, threads, onProgress, signal } = options;
  const wanted = Math.max(1, Math.min(options.tokens, PARENT_TOKENS));
  const maxTokens = Math.min(LONGEST, options.window, body.config.maxPositions - 1);
  function* requests() {
    const common = { ids: [separator], maxTokens, temperature: 1, stop: [separator] };
    for (let i = 0; i < wanted; i++) yield { ...common, i, seed: hash32(seed, "parent-text", 0, i) };
  }
  const positions = maxTokens + 1;
  const generator = createGenerator(body, { threads });
  // More side by side than are needed in full would be made for nothing.
  const slots = Math.min(slotsFor(body.config, positions), Math.ceil(wanted / maxTokens));
  const side = { slots, positions, ...(signal ? { signal } : {}) };
  // Short sequences are done first: only those that no unfinished one stands before count, or they would be too many.
  const done = new Map<number, readonly number[]>();
  const sequences: Int32Array[] = [];
  let left = wanted;
  try {
    for await (const { request, made } of generator.generateMany(requests(), side)) {
      done.set(request.i, made.length < maxTokens ? [...made, separator] : made);
      for (let next = done.get(sequences.length); next && left > 0; next = done.get(sequences.length)) {
        sequences.push(Int32Array.from([separator, ...next.slice(0, left)]));
        left -= Math.min(left, next.length);
      }
      onProgress?.(wanted - left, wanted);
      if (left === 0) break;
    }
  } finally {
    await generator.release();
  }
  return sequences;
}

/** Mean nats per predicted token; KL(parent || child) is the difference of two of these on the parent's text. */
export async function natsPerToken(
  scorer: Scorer,
  sequences: readonly Int32Array[],
  separator: number,
): Promise<number> {
  const nats = await scoreSequences(
    scorer,
    sequences.map((ids) => ({ ids })),
    separator,
  );
  const tokens = sequences.reduce((sum, { length }) => sum + length - 1, 0);
  return nats.reduce((sum, value) => sum + value, 0) / tokens;
}
