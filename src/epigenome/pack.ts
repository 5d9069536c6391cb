/** Token ids of documents, packed into training sequences of one length; which sequence comes when is stream.ts. */
import { invariant } from "../errors.ts";
import { bestFit, type Packing } from "../models/best-fit.ts";
import type { Batch } from "../models/batch.ts";

/** Documents as one run of ids: separator, document, separator, document, ..., separator. */
export interface TokenCorpus {
  readonly ids: Int32Array | Uint16Array;
  /** Where the separator before each document stands; one entry more than documents: that of the last separator. */
  readonly offsets: Uint32Array;
  readonly separator: number;
}

/** Sequences of T positions over a corpus. A piece is a stretch of input positions, its targets are the ids one further. */
export interface PackedCorpus {
  readonly corpus: TokenCorpus;
  readonly T: number;
  readonly pieceStarts: Uint32Array;
  readonly pieceLengths: Uint32Array;
  readonly packing: Packing;
  readonly sequences: number;
  /** Predictions that one pass trains: the tokens of every document and its closing separator. */
  readonly tokens: number;
}

/** What reading documents into a corpus needs of a tokenizer. */
export interface CorpusEncoder {
  readonly separator: number;
  readonly vocabularySize: number;
  encodeContent(text: string): number[];
}

/** Collects ids in one growing typed array: two bytes a token where the vocabulary allows it. */
export class CorpusBuilder {
  readonly #separator: number;
  #ids: Int32Array | Uint16Array;
  #length = 1;
  #offsets: number[] = [0];

  constructor(options: { separator: number; vocabularySize: number }) {
    this.#separator = options.separator;
    this.#ids = options.vocabularySize <= 65536 ? new Uint16Array(1 << 16) : new Int32Array(1 << 16);
    this.#ids[0] = options.separator;
  }

  /** Adds a document's ids, without separators; one without ids leaves no trace. */
  add(ids: ArrayLike<number>): void {
    if (ids.length === 0) return;
    const end = this.#length + ids.length + 1;
    if (end > this.#ids.length) {
      const size = Math.max(end, 2 * this.#ids.length);
      const grown = this.#ids instanceof Uint16Array ? new Uint16Array(size) : new Int32Array(size);
      grown.set(this.#ids);
      this.#ids = grown;
    }
    this.#ids.set(ids, this.#length);
    this.#ids[end - 1] = this.#separator;
    this.#offsets.push(end - 1);
    this.#length = end;
  }

  build(): TokenCorpus {
    return {
      ids: this.#ids.slice(0, this.#length),
      offsets: Uint32Array.from(this.#offsets),
      separator: this.#separator,
    };
  }
}

/** Encodes documents one after the other; `onProgress` hears the documents and tokens read so far. */
export async function encodeCorpus(
  documents: AsyncIterable<{ readonly text: string }> | Iterable<{ readonly text: string }>,
  tokenizer: CorpusEncoder,
  options: { onProgress?: (documents: number, tokens: number) => void } = {},
): Promise<TokenCorpus> {
  const builder = new CorpusBuilder(tokenizer);
  let read = 0;
  let tokens = 0;
  for await (const { text } of documents) {
    const ids = tokenizer.encodeContent(text);
    builder.add(ids);
    tokens += ids.length;
    options.onProgress?.(++read, tokens);
  }
  return builder.build();
}

/**
 * Packs a corpus by best fit (arXiv 2404.10830). A document of n tokens is n + 1 predictions: its tokens, the first
 * conditioned on the separator, and the separator that closes it. One with more than T predictions is cut into
 * consecutive pieces of T; positions start at 0 in each piece and attention stays inside it. Every prediction of the
 * corpus is in exactly one piece: nothing is truncated.
 */
export function packCorpus(corpus: TokenCorpus, T: number): PackedCorpus {
  invariant(Number.isInteger(T) && T >= 1, `sequences of ${T} positions`);
  const documents = corpus.offsets.length - 1;
  let count = 0;
  for (let d = 0; d < documents; d++) count += Math.ceil((corpus.offsets[d + 1]! - corpus.offsets[d]!) / T);
  const pieceStarts = new Uint32Array(count);
  const pieceLengths = new Uint32Array(count);
  let piece = 0;
  for (let d = 0; d < documents; d++) {
    const end = corpus.offsets[d + 1]!;
    for (let start = corpus.offsets[d]!; start < end; start += T) {
      pieceStarts[piece] = start;
      pieceLengths[piece++] = Math.min(T, end - start);
    }
  }
  const packing = bestFit(pieceLengths, T);
  return {
    corpus,
    T,
    pieceStarts,
    pieceLengths,
    packing,
    sequences: packing.offsets.length - 1,
    tokens: corpus.ids.length - 1,
  };
}

/** Writes one packed sequence into row `b` of a blank batch of the same T. */
export function fillSequence(batch: Batch, b: number, packed: PackedCorpus, sequence: number): void {
  invariant(batch.T === packed.T && sequence < packed.sequences, `sequence ${sequence} of ${packed.sequences}`);
  const { corpus, packing, pieceStarts, pieceLengths } = packed;
  const first = packing.offsets[sequence]!;
  let at = b * batch.T;
  for (let i = first; i < packing.offsets[sequence + 1]!; i++) {
    const start = pieceStarts[packing.pieces[i]!]!;
    const length = pieceLengths[packing.pieces[i]!]!;
    batch.ids.set(corpus.ids.subarray(start, start + length), at);
    batch.targets.set(corpus.ids.subarray(start + 1, start + length + 1), at);
    batch.weights.fill(1, at, at + length);
    batch.documents.fill(i - first, at, at + length);
    for (let position = 0; position < length; position++) batch.positions[at + position] = position;
    at += length;
  }
}
