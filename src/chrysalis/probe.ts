/** A trial of seconds before a plan is made: how the parent reads a sample, and how fast and whether it learns. Nothing is kept. */

import { scoreDocuments, type Document, type DocumentEncoder } from "../eval/bits-per-byte.ts";
import { scoreByGroup, type GroupScore } from "../eval/macro.ts";
import type { Batch } from "../models/batch.ts";
import type { Step } from "../models/step.ts";
import { accumulateStep, gradientNorm } from "./gradients.ts";
import type { Optimiser } from "./optimisers/optimiser.ts";

export interface ProbeOptions {
  /** Compiled for training; what it trains is changed. */
  readonly step: Step;
  readonly optimiser: Optimiser;
  /** One micro-batch is one optimiser step here. */
  readonly stream: { batch(step: number, micro: number): Batch };
  readonly tokenizer: DocumentEncoder;
  /** What is scored, by group. */
  readonly documents: readonly Document[];
  /** Optimiser steps; the first one, which warms up, is not timed where there are more. */
  readonly steps: number;
  /** From so many bits per byte on it is looked at whether training helps, in so many steps. */
  readonly doubt: { readonly from: number; readonly steps: number };
  readonly learningRate: number;
  readonly clip: number;
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
  /** Monotonic time in seconds; for tests. */
  readonly clock?: () => number;
}

export interface ProbeResult {
  /** Of the untouched parent, in windows as long as the step's sequences. */
  readonly bitsPerByte: number;
  readonly perGroup: readonly GroupScore[];
  /** The same after the steps; null where there was no doubt. */
  readonly bitsPerByteAfter: number | null;
  readonly steps: number;
  readonly tokensPerSecond: number;
}

/** Scores, trains some steps, and scores again where the first score raises doubt. */
export async function probe(options: ProbeOptions): Promise<ProbeResult> {
  const { step, optimiser, stream, tokenizer, documents, doubt, signal, onProgress } = options;
  const clock = options.clock ?? (() => performance.now() / 1000);
  const before = await scoreDocuments(step, tokenizer, documents, { signal });
  const doubtful = before.bitsPerByte >= doubt.from;
  const steps = doubtful ? Math.max(options.steps, doubt.steps) : options.steps;
  let tokens = 0;
  let seconds = 0;
  for (let k = 0; k < steps; k++) {
    signal.throwIfAborted();
    onProgress(k, steps);
    const began = clock();
    const sums = await accumulateStep(step, [stream.batch(k, 0)], () => false);
    if (sums !== undefined && sums.weight > 0) {
      const norm = gradientNorm(step.parameters) / sums.weight;
      await optimiser.step(options.learningRate, (norm > options.clip ? options.clip / norm : 1) / sums.weight);
    }
    if (k === 0 && steps > 1) continue;
    tokens += sums?.tokens ?? 0;
    seconds += clock() - began;
  }
  const after = doubtful ? await scoreDocuments(step, tokenizer, documents, { signal }) : undefined;
  return {
    bitsPerByte: before.bitsPerByte,
    perGroup: scoreByGroup(before.perDocument, ({ group }) => group ?? ""),
    bitsPerByteAfter: after?.bitsPerByte ?? null,
    steps,
    tokensPerSecond: tokens / Math.max(seconds, 1e-9),
  };
}
