/** Bits per byte of documents under a model: the one definition that every figure here uses, before and after. */
import { UserError, invariant } from "../errors.ts";
import { type Batch, blankBatch } from "../models/batch.ts";
import { bestFit } from "../models/best-fit.ts";

/** A text to be measured. */
export interface Document {
  /** What names it in a report: a path, or file and line. */
  readonly id: string;
  readonly text: string;
  /** What it is averaged with: its repository. */
  readonly group?: string;
}

/** What scores a batch: a compiled step is one. Resolves to the nll in nats of each position, [B * T], 0 where weight is 0. */
export interface Scorer {
  readonly B: number;
  readonly T: number;
  evaluate(batch: Batch): Promise<Float32Array>;
}

/** What scoring needs of a tokenizer. */
export interface DocumentEncoder {
  readonly separator: number;
  encodeContent(text: string): number[];
}

export interface DocumentScore {
  readonly id: string;
  readonly group?: string;
  readonly nats: number;
  /** UTF-8 bytes of the text. */
  readonly bytes: number;
  /** 0 for an empty document. */
  readonly bitsPerByte: number;
  readonly tokens: number;
}

export interface CorpusScore {
  readonly nats: number;
  readonly bytes: number;
  readonly bitsPerByte: number;
  readonly tokens: number;
  /** In the order of the documents given. */
  readonly perDocument: readonly DocumentScore[];
}

export interface ScoreOptions {
  /** Called after each batch with the scored tokens so far and in all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops between two batches. */
  readonly signal?: AbortSignal;
}

/** Part of a document that is scored in one go. */
interface Window {
  readonly document: number;
  /** First input position, counted from the separator. */
  readonly start: number;
  readonly length: number;
  /** Leading positions that are context only, scored by an earlier window. */
  readonly context: number;
}

/**
 * Total nats / (ln 2 x UTF-8 bytes) of documents. Of each document the ids are the separator and `encodeContent(text)`;
 * the first token is conditioned on the separator, the closing separator is not scored. A document longer than T tokens is
 * read in windows of T positions with stride T/2, each starting at position 0; the first scores all of its tokens, a
 * later one those that no earlier one has scored. Short windows share sequences, kept apart by `documents`.
 *
 * @throws UserError `empty` when the documents hold no byte.
 */
export async function scoreDocuments(
  scorer: Scorer,
  tokenizer: DocumentEncoder,
  documents: readonly Document[],
  options: ScoreOptions = {},
): Promise<CorpusScore> {
  const { B, T } = scorer;
  const ids = documents.map((document) =>
    Int32Array.from([tokenizer.separator, ...tokenizer.encodeContent(document.text)]),
  );
  const windows = ids.flatMap((of, document) => windowsOf(document, of.length - 1, T));
  const packing = bestFit(
    windows.map((window) => window.length),
    T,
  );
  const sequences = packing.offsets.length - 1;
  const total = ids.reduce((sum, of) => sum + of.length - 1, 0);
  const natsOfWindow = new Float64Array(windows.length);
  let done = 0;
  for (let first = 0; first < sequences; first += B) {
    options.signal?.throwIfAborted();
    const batch = blankBatch(B, T, tokenizer.separator);
    const placed: { window: number; at: number }[] = [];
    for (let b = 0; b < B && first + b < sequences; b++) {
      let at = b * T;
      for (let i = packing.offsets[first + b]!; i < packing.offsets[first + b + 1]!; i++) {
        const window = packing.pieces[i]!;
        placed.push({ window, at });
        fill(batch, at, windows[window]!, ids[windows[window]!.document]!, i - packing.offsets[first + b]!);
        at += windows[window]!.length;
      }
    }
    const nll = await scorer.evaluate(batch);
    invariant(nll.length === B * T, `a scorer of ${B} x ${T} gave ${nll.length} values`);
    for (const { window, at } of placed) {
      const { length, context } = windows[window]!;
      for (let i = context; i < length; i++) natsOfWindow[window]! += nll[at + i]!;
      done += length - context;
    }
    options.onProgress?.(done, total);
  }
  return summarise(documents, ids, windows, natsOfWindow);
}

function windowsOf(document: number, tokens: number, T: number): Window[] {
  const windows: Window[] = [];
  const stride = Math.max(1, Math.floor(T / 2));
  for (let start = 0, scored = 0; scored < tokens; start += stride) {
    const length = Math.min(T, tokens - start);
    windows.push({ document, start, length, context: scored - start });
    scored = start + length;
  }
  return windows;
}

function fill(batch: Batch, at: number, window: Window, ids: Int32Array, document: number): void {
  for (let i = 0; i < window.length; i++) {
    batch.ids[at + i] = ids[window.start + i]!;
    batch.targets[at + i] = ids[window.start + i + 1]!;
    batch.weights[at + i] = i < window.context ? 0 : 1;
    batch.positions[at + i] = i;
    batch.documents[at + i] = document;
  }
}

function summarise(
  documents: readonly Document[],
  ids: readonly Int32Array[],
  windows: readonly Window[],
  natsOfWindow: Float64Array,
): CorpusScore {
  const natsOf = new Float64Array(documents.length);
  windows.forEach((window, i) => (natsOf[window.document]! += natsOfWindow[i]!));
  const perDocument = documents.map(({ id, text, group }, i): DocumentScore => {
    const nats = natsOf[i]!;
    const bytes = Buffer.byteLength(text);
    return {
      id,
      ...(group === undefined ? {} : { group }),
      nats,
      bytes,
      bitsPerByte: bitsPerByte(nats, bytes),
      tokens: ids[i]!.length - 1,
    };
  });
  const nats = perDocument.reduce((sum, document) => sum + document.nats, 0);
  const bytes = perDocument.reduce((sum, document) => sum + document.bytes, 0);
  if (bytes === 0) {
    throw new UserError("empty", `the ${documents.length} documents to be measured hold no text`, {
      hint: "give files with text in them",
    });
  }
  const tokens = perDocument.reduce((sum, document) => sum + document.tokens, 0);
  return { nats, bytes, bitsPerByte: bitsPerByte(nats, bytes), tokens, perDocument };
}

/** Nats over (ln 2 x bytes); 0 for no bytes. */
export function bitsPerByte(nats: number, bytes: number): number {
  return bytes === 0 ? 0 : nats / (Math.LN2 * bytes);
}
