/** Negative log-likelihoods of token sequences under a model, in windows that share batches. It knows no text. */
import { invariant } from "../errors.ts";
import { type Batch, blankBatch } from "../models/batch.ts";
import { bestFit } from "../models/best-fit.ts";

/** What scores a batch: a compiled step is one. Resolves to the nll in nats of each position, [B * T], 0 where weight is 0. */
export interface Scorer {
  readonly B: number;
  readonly T: number;
  evaluate(batch: Batch): Promise<Float32Array>;
}

export interface ScoreOptions {
  /** Called after each batch with the scored tokens so far and in all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops between two batches. */
  readonly signal?: AbortSignal;
}

/** Tokens that are read one after the other. */
export interface TokenSequence {
  /** The first is what the second is conditioned on; it is not scored. */
  readonly ids: Int32Array;
  /** Of each id but the first, whether predicting it counts; undefined where all do. */
  readonly scored?: readonly boolean[];
}

/** Part of a sequence that is scored in one go. */
interface Window {
  readonly of: TokenSequence;
  readonly sequence: number;
  /** First input position, counted from the sequence's first. */
  readonly start: number;
  readonly length: number;
  /** Leading positions that are context only, scored by an earlier window. */
  readonly context: number;
}

/**
 * The nats of each sequence: of all its tokens but the first, or of those that count. A sequence of more
 * than T predictions is read in windows of T positions with stride T/2, each starting at position 0; the first scores all of
 * its tokens, a later one those that no earlier one has scored. Short windows share rows of a batch, kept apart by
 * `documents`.
 *
 * @param padding the id that fills what is left of a row
 */
export async function scoreSequences(
  scorer: Scorer,
  sequences: readonly TokenSequence[],
  padding: number,
  options: ScoreOptions = {},
): Promise<Float64Array> {
  const { B, T } = scorer;
  const windows = sequences.flatMap((of, sequence) => windowsOf(of, sequence, T));
  const packing = bestFit(
    windows.map((window) => window.length),
    T,
  );
  const rows = packing.offsets.length - 1;
  const total = windows.reduce((sum, { length, context }) => sum + length - context, 0);
  const natsOfWindow = new Float64Array(windows.length);
  let done = 0;
  for (let first = 0; first < rows; first += B) {
    options.signal?.throwIfAborted();
    const batch = blankBatch(B, T, padding);
    const placed: { index: number; at: number }[] = [];
    for (let b = 0; b < B && first + b < rows; b++) {
      let at = b * T;
      for (let i = packing.offsets[first + b]!; i < packing.offsets[first + b + 1]!; i++) {
        const index = packing.pieces[i]!;
        const window = windows[index]!;
        placed.push({ index, at });
        fill(batch, at, window, i - packing.offsets[first + b]!);
        at += window.length;
      }
    }
    const nll = await scorer.evaluate(batch);
    invariant(nll.length === B * T, `a scorer of ${B} x ${T} gave ${nll.length} values`);
    for (const { index, at } of placed) {
      const { length, context } = windows[index]!;
      for (let i = context; i < length; i++) {
        if (isScored(windows[index]!, i)) natsOfWindow[index]! += nll[at + i]!;
      }
      done += length - context;
    }
    options.onProgress?.(done, total);
  }
  const nats = new Float64Array(sequences.length);
  windows.forEach(({ sequence }, i) => (nats[sequence]! += natsOfWindow[i]!));
  return nats;
}

/** The windows in which something is scored. */
function windowsOf(of: TokenSequence, sequence: number, T: number): Window[] {
  const tokens = of.ids.length - 1;
  const windows: Window[] = [];
  const stride = Math.max(1, Math.floor(T / 2));
  for (let start = 0, scored = 0; scored < tokens; start += stride) {
    const length = Math.min(T, tokens - start);
    const counts = of.scored?.slice(scored, start + length).includes(true) ?? true;
    if (counts) windows.push({ of, sequence, start, length, context: scored - start });
    scored = start + length;
  }
  return windows;
}

/** Whether the prediction at a window's position counts. */
function isScored({ of, start, context }: Window, position: number): boolean {
  return position >= context && (of.scored?.[start + position] ?? true);
}

function fill(batch: Batch, at: number, window: Window, document: number): void {
  const { ids } = window.of;
  for (let i = 0; i < window.length; i++) {
    batch.ids[at + i] = ids[window.start + i]!;
    batch.targets[at + i] = ids[window.start + i + 1]!;
    batch.weights[at + i] = isScored(window, i) ? 1 : 0;
    batch.positions[at + i] = i;
    batch.documents[at + i] = document;
  }
}
