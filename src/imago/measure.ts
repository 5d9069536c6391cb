/** What is measured of a model, the same before and after: bits per byte of held-out and general text, and a sample. */

import { bitsPerByteMacro, scoreByGroup } from "../eval/macro.ts";
import type { GroupScore } from "../eval/macro.ts";
import { scoreDocuments } from "../eval/bits-per-byte.ts";
import type { CorpusScore, Document, DocumentScore } from "../eval/bits-per-byte.ts";
import { heldOutDocuments } from "../epigenome/heldout-records.ts";
import type { HeldOutRecord } from "../epigenome/heldout-records.ts";
import type { Body } from "../models/body.ts";
import { compileStep } from "../models/step.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { continueText } from "./sample.ts";
import type { TextContinuation } from "./sample.ts";

export interface Figures {
  /** Held-out: total nats / (ln 2 x total bytes). */
  readonly bitsPerByte: number;
  /** Averaged over repositories: see `bitsPerByteMacro`. */
  readonly bitsPerByteMacro: number;
  readonly retentionBitsPerByte: number;
}

export interface Measures extends Figures {
  readonly perRepository: readonly GroupScore[];
  readonly perKind: readonly GroupScore[];
  /** In the order of the held-out files. */
  readonly heldOut: readonly DocumentScore[];
  /** In the order of the retention text. */
  readonly retention: readonly DocumentScore[];
  readonly sample: TextContinuation;
}

export interface MeasureOptions {
  readonly heldOut: readonly HeldOutRecord[];
  readonly retention: readonly Document[];
  /** Positions of a scoring window, and windows of a batch. */
  readonly window: number;
  readonly batch: number;
  readonly threads: number;
  readonly seed: number;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Scores held-out and retention text and lets the model go on with a piece of the held-out text. */
export async function measure(
  body: Pick<Body, "config" | "weights">,
  tokenizer: Tokenizer,
  options: MeasureOptions,
): Promise<Measures> {
  const documents = heldOutDocuments(options.heldOut, tokenizer);
  const { heldOut, retention } = await scoreTexts(body, tokenizer, options);
  return {
    bitsPerByte: total(heldOut),
    bitsPerByteMacro: bitsPerByteMacro(heldOut),
    retentionBitsPerByte: total(retention),
    perRepository: scoreByGroup(heldOut, ({ group }) => group ?? ""),
    perKind: scoreByGroup(heldOut, (_, i) => options.heldOut[i]!.kind),
    heldOut,
    retention,
    sample: await continueText(body, tokenizer, { ...options, documents }),
  };
}

/** Scores of the held-out files and of the retention text, in their order. */
export async function scoreTexts(
  body: Pick<Body, "config" | "weights">,
  tokenizer: Tokenizer,
  options: MeasureOptions,
): Promise<Pick<Measures, "heldOut" | "retention">> {
  const documents = heldOutDocuments(options.heldOut, tokenizer);
  const { perDocument } = await score(body, tokenizer, [...documents, ...options.retention], options);
  return { heldOut: perDocument.slice(0, documents.length), retention: perDocument.slice(documents.length) };
}

/** Bits per byte of the held-out text alone. */
export async function measureHeldOut(
  body: Pick<Body, "config" | "weights">,
  tokenizer: Tokenizer,
  options: Omit<MeasureOptions, "retention">,
): Promise<number> {
  return (await score(body, tokenizer, heldOutDocuments(options.heldOut, tokenizer), options)).bitsPerByte;
}

async function score(
  body: Pick<Body, "config" | "weights">,
  tokenizer: Tokenizer,
  documents: readonly Document[],
  { window, batch, threads, onProgress, signal }: Omit<MeasureOptions, "retention" | "heldOut">,
): Promise<CorpusScore> {
  const step = await compileStep(body, { B: batch, T: window, train: "none", threads });
  try {
    return await scoreDocuments(step, tokenizer, documents, {
      ...(onProgress ? { onProgress } : {}),
      ...(signal ? { signal } : {}),
    });
  } finally {
    await step.release();
  }
}

/** Total nats over total bytes. */
export function total(scores: readonly DocumentScore[]): number {
  return scoreByGroup(scores, () => "")[0]?.bitsPerByte ?? 0;
}

/** The change of a figure, with the standard error of its paired difference over documents. */
export interface Change {
  /** after / before - 1. */
  readonly relative: number;
  /** after - before, in bits per byte. */
  readonly difference: number;
  /** Of `difference`; null for fewer than two documents. */
  readonly standardError: number | null;
}

/**
 * Compares two scorings of the same documents. The difference is a ratio of sums (bits over bytes), its standard error
 * the linearised one over documents (Cochran, Sampling Techniques, 1977, section 6.3).
 */
export function compare(before: readonly DocumentScore[], after: readonly DocumentScore[]): Change {
  const bytes = before.reduce((sum, { bytes }) => sum + bytes, 0);
  const bits = before.map((document, i) => (after[i]!.nats - document.nats) / Math.LN2);
  const difference = bits.reduce((sum, value) => sum + value, 0) / bytes;
  const n = before.length;
  const squares = before.reduce((sum, document, i) => sum + (bits[i]! - difference * document.bytes) ** 2, 0);
  return {
    relative: total(after) / total(before) - 1,
    difference,
    standardError: n < 2 ? null : Math.sqrt((n / (n - 1)) * squares) / bytes,
  };
}
