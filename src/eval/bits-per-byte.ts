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
  /** How it is read where that is not as its text: one after the other, each from a separator on. */
  readonly sequences?: readonly EncodedSequence[];
}

/** Ids of which a part is scored: prompts that are read, and answers that are measured. */
export interface EncodedSequence {
  readonly ids: readonly number[];
  /** Of each id, whether predicting it is scored. */
  readonly scored: readonly boolean[];
  /** UTF-8 bytes of the text that is scored. */
  readonly bytes: number;
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
  /** UTF-8 bytes of the text that is scored. */
  readonly bytes: number;
  /** 0 for an empty document. */
  readonly bitsPerByte: number;
  /** Scored. */
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

/** What is read from a separator on: a document's text, or one of its sequences. */
interface Sequence {
  readonly document: number;
  /** The separator first. */
  readonly ids: Int32Array;
  /** Of each id but the separator; undefined where all are scored. */
  readonly scored: readonly boolean[] | undefined;
}

/** Part of a sequence that is scored in one go. */
interface Window {
  readonly of: Sequence;
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
 * A document given as sequences of ids is the sum of them: each is read so, from a separator of its own, and counts the
 * nats of its scored ids and the bytes that these stand for.
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
  const sequences = documents.flatMap((document, i) => sequencesOf(document, i, tokenizer));
  const windows = sequences.flatMap((of) => windowsOf(of, T));
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
    const batch = blankBatch(B, T, tokenizer.separator);
    const placed: { window: number; at: number }[] = [];
    for (let b = 0; b < B && first + b < rows; b++) {
      let at = b * T;
      for (let i = packing.offsets[first + b]!; i < packing.offsets[first + b + 1]!; i++) {
        const window = packing.pieces[i]!;
        placed.push({ window, at });
        fill(batch, at, windows[window]!, i - packing.offsets[first + b]!);
        at += windows[window]!.length;
      }
    }
    const nll = await scorer.evaluate(batch);
    invariant(nll.length === B * T, `a scorer of ${B} x ${T} gave ${nll.length} values`);
    for (const { window, at } of placed) {
      const { length, context } = windows[window]!;
      for (let i = context; i < length; i++) {
        if (isScored(windows[window]!, i)) natsOfWindow[window]! += nll[at + i]!;
      }
      done += length - context;
    }
    options.onProgress?.(done, total);
  }
  return summarise(documents, sequences, windows, natsOfWindow);
}

function sequencesOf({ text, sequences }: Document, document: number, tokenizer: DocumentEncoder): Sequence[] {
  const { separator } = tokenizer;
  if (sequences === undefined) {
    return [{ document, ids: Int32Array.from([separator, ...tokenizer.encodeContent(text)]), scored: undefined }];
  }
  return sequences.map(({ ids, scored }) => {
    invariant(ids.length === scored.length, `${ids.length} ids, and ${scored.length} times whether they are scored`);
    return { document, ids: Int32Array.from([separator, ...ids]), scored };
  });
}

/** The windows in which something is scored. */
function windowsOf(of: Sequence, T: number): Window[] {
  const tokens = of.ids.length - 1;
  const windows: Window[] = [];
  const stride = Math.max(1, Math.floor(T / 2));
  for (let start = 0, scored = 0; scored < tokens; start += stride) {
    const length = Math.min(T, tokens - start);
    const window = { of, start, length, context: scored - start };
    if (of.scored === undefined || of.scored.slice(scored, start + length).includes(true)) windows.push(window);
    scored = start + length;
  }
  return windows;
}

/** Whether the prediction at a window's position counts. */
function isScored({ of, start, context }: Window, position: number): boolean {
  return position >= context && (of.scored === undefined || of.scored[start + position]!);
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

function summarise(
  documents: readonly Document[],
  sequences: readonly Sequence[],
  windows: readonly Window[],
  natsOfWindow: Float64Array,
): CorpusScore {
  const natsOf = new Float64Array(documents.length);
  windows.forEach(({ of }, i) => (natsOf[of.document]! += natsOfWindow[i]!));
  const tokensOf = new Float64Array(documents.length);
  for (const { document, ids, scored } of sequences) {
    tokensOf[document]! += scored === undefined ? ids.length - 1 : scored.filter(Boolean).length;
  }
  const perDocument = documents.map((document, i): DocumentScore => {
    const { id, group } = document;
    const nats = natsOf[i]!;
    const bytes = scoredBytes(document);
    return {
      id,
      ...(group === undefined ? {} : { group }),
      nats,
      bytes,
      bitsPerByte: bitsPerByte(nats, bytes),
      tokens: tokensOf[i]!,
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

/** UTF-8 bytes of what is scored of a document. */
function scoredBytes({ text, sequences }: Document): number {
  return sequences === undefined ? Buffer.byteLength(text) : sequences.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Nats over (ln 2 x bytes); 0 for no bytes. */
export function bitsPerByte(nats: number, bytes: number): number {
  return bytes === 0 ? 0 : nats / (Math.LN2 * bytes);
}
