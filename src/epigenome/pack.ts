/** Token ids of documents, packed into training sequences of one length; which sequence comes when is stream.ts. */
import { invariant, UserError } from "../errors.ts";
import { bestFit, type Packing } from "../models/best-fit.ts";
import type { Batch } from "../models/batch.ts";
import { emphasises, emphasisOfIds } from "./token-classes.ts";
import type { Emphasis } from "./token-classes.ts";

/** Documents as one run of ids: separator, document, separator, document, ..., separator. */
export interface TokenCorpus {
  readonly ids: Int32Array | Uint16Array;
  /** Weight in the loss of each id as a target; undefined where all have 1. */
  readonly weights?: Float32Array | undefined;
  /** 1 for each document that is read after the one before it, in one piece with it where both fit; undefined: none is. */
  readonly joined?: Uint8Array | undefined;
  /** The parent's loss of each id as a target, in nats; undefined where nothing asks for it. */
  readonly reference?: Float32Array | undefined;
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
  /** The group of each sequence; undefined where no groups were asked for. */
  readonly groups?: Uint32Array | undefined;
  /** Predictions of one pass: the tokens of every document and its closing separator, those without weight included. */
  readonly tokens: number;
}

/** What reading documents into a corpus needs of a tokenizer. */
export interface CorpusEncoder {
  readonly separator: number;
  readonly vocabularySize: number;
  encodeContent(text: string): number[];
  /** As of `Tokenizer`; without it no emphasis is possible. */
  bytesOf?(id: number): Uint8Array | undefined;
}

/**
 * A stretch of text, or of ids that are decided already, with the weight of its tokens in the loss, and factors of that by
 * class of token.
 */
export type Stretch = ({ readonly text: string } | { readonly ids: readonly number[] }) & {
  readonly loss: number;
  readonly emphasis?: Emphasis | undefined;
};

/** A document as its stretches, in order. */
export interface FramedDocument {
  readonly stretches: readonly Stretch[];
}

/** Collects ids in one growing typed array: two bytes a token where the vocabulary allows it. */
export class CorpusBuilder {
  readonly #separator: number;
  #ids: Int32Array | Uint16Array;
  #length = 1;
  #offsets: number[] = [0];
  /** Made when the first weight other than 1 comes. */
  #weights: Float32Array | undefined;

  constructor(options: { separator: number; vocabularySize: number }) {
    this.#separator = options.separator;
    this.#ids = options.vocabularySize <= 65536 ? new Uint16Array(1 << 16) : new Int32Array(1 << 16);
    this.#ids[0] = options.separator;
  }

  /** Adds a document's ids, without separators; one without ids leaves no trace. */
  add(ids: ArrayLike<number>): void {
    this.addStretches([{ ids, loss: 1 }]);
  }

  /**
   * The same of a document in stretches; `factors` of the loss of each id are there where they are not all 1. The separator
   * that closes it has the loss of the last stretch.
   */
  addStretches(
    stretches: readonly {
      readonly ids: ArrayLike<number>;
      readonly loss: number;
      readonly factors?: Float32Array | undefined;
    }[],
  ): void {
    const count = stretches.reduce((sum, { ids }) => sum + ids.length, 0);
    if (count === 0) return;
    const end = this.#length + count + 1;
    if (end > this.#ids.length) this.#grow(end);
    for (const { ids, loss, factors } of stretches) {
      if (loss !== 1 || factors !== undefined) this.#weights ??= new Float32Array(this.#ids.length).fill(1);
      this.#ids.set(ids, this.#length);
      this.#weights?.fill(loss, this.#length, this.#length + ids.length);
      factors?.forEach((factor, i) => (this.#weights![this.#length + i]! *= factor));
      this.#length += ids.length;
    }
    this.#ids[this.#length] = this.#separator;
    this.#weights?.fill(stretches.at(-1)!.loss, this.#length, this.#length + 1);
    this.#offsets.push(this.#length++);
  }

  #grow(end: number): void {
    const size = Math.max(end, 2 * this.#ids.length);
    const grown = this.#ids instanceof Uint16Array ? new Uint16Array(size) : new Int32Array(size);
    grown.set(this.#ids);
    this.#ids = grown;
    if (this.#weights === undefined) return;
    const weights = new Float32Array(size).fill(1);
    weights.set(this.#weights);
    this.#weights = weights;
  }

  build(): TokenCorpus {
    return {
      ids: this.#ids.slice(0, this.#length),
      weights: this.#weights?.slice(0, this.#length),
      offsets: Uint32Array.from(this.#offsets),
      separator: this.#separator,
    };
  }
}

/**
 * Encodes documents one after the other; `onDocument` hears each that has tokens.
 *
 * @throws UserError "unsupported" where token classes have weights and the tokenizer does not say what its tokens stand for
 */
export async function encodeCorpus<D extends { readonly text: string } | FramedDocument>(
  documents: AsyncIterable<D> | Iterable<D>,
  tokenizer: CorpusEncoder,
  options: {
    readonly onProgress?: (documents: number, tokens: number) => void;
    readonly onDocument?: (document: D) => void;
  } = {},
): Promise<TokenCorpus> {
  const builder = new CorpusBuilder(tokenizer);
  let read = 0;
  let tokens = 0;
  for await (const document of documents) {
    const stretches: readonly Stretch[] =
      "stretches" in document ? document.stretches : [{ text: document.text, loss: 1 }];
    const encoded = stretches.map((stretch) => {
      const ids = "ids" in stretch ? stretch.ids : tokenizer.encodeContent(stretch.text);
      return { ids, loss: stretch.loss, factors: factorsOf(stretch, ids, tokenizer) };
    });
    builder.addStretches(encoded);
    const count = encoded.reduce((sum, { ids }) => sum + ids.length, 0);
    // A document without tokens leaves no trace in the corpus.
    if (count > 0) options.onDocument?.(document);
    tokens += count;
    options.onProgress?.(++read, tokens);
  }
  return builder.build();
}

/** Undefined where every factor is 1: weights that change nothing leave no trace. */
function factorsOf(
  { loss, emphasis }: Stretch,
  ids: readonly number[],
  tokenizer: CorpusEncoder,
): Float32Array | undefined {
  if (loss === 0 || emphasis === undefined || !emphasises(emphasis)) return undefined;
  const bytesOf = (id: number): Uint8Array | undefined => tokenizer.bytesOf?.(id);
  if (tokenizer.encodeContent("a").every((id) => bytesOf(id) === undefined)) {
    throw new UserError(
      "unsupported",
      "emphasis: the tokenizer does not tell what text each of its tokens stands for",
      {
        hint: "it is there for byte-level tokenizers, as of Llama 3, Qwen or SmolLM; leave emphasis out of the rules",
      },
    );
  }
  const factors = emphasisOfIds(ids, emphasis, bytesOf);
  return factors.some((factor) => factor !== 1) ? factors : undefined;
}

export interface PackOptions {
  /** Documents of different groups share no sequence, and sequences stand in the order of their groups. */
  readonly groupOf?: ((document: number) => number) | undefined;
}

/**
 * Packs a corpus by best fit (arXiv 2404.10830). A document of n tokens is n + 1 predictions: its tokens, the first
 * conditioned on the separator, and the separator that closes it. One with more than T predictions is cut into
 * consecutive pieces of T; positions start at 0 in each piece and attention stays inside it. Every prediction of the
 * corpus is in exactly one piece, but for pieces in which nothing has weight: these are left out. A joined document goes on in the
 * piece of the one before it where it fits as a whole, and what stands there before it is in its sight.
 */
export function packCorpus(corpus: TokenCorpus, T: number, { groupOf }: PackOptions = {}): PackedCorpus {
  invariant(Number.isInteger(T) && T >= 1, `sequences of ${T} positions`);
  const pieces = cutPieces(corpus, T).filter(({ start, length }) => hasWeight(corpus, start + 1, start + length + 1));
  const pieceStarts = Uint32Array.from(pieces, ({ start }) => start);
  const pieceLengths = Uint32Array.from(pieces, ({ length }) => length);
  const { packing, groups } =
    groupOf === undefined
      ? { packing: bestFit(pieceLengths, T), groups: undefined }
      : packGroups(
          pieceLengths,
          pieces.map(({ document }) => groupOf(document)),
          T,
        );
  return {
    corpus,
    T,
    pieceStarts,
    pieceLengths,
    packing,
    sequences: packing.offsets.length - 1,
    groups,
    tokens: pieceLengths.reduce((sum, length) => sum + length, 0),
  };
}

/** Stretches of at most T predictions, each with the document that it begins in. */
function cutPieces({ offsets, joined }: TokenCorpus, T: number): { document: number; start: number; length: number }[] {
  const pieces: { document: number; start: number; length: number }[] = [];
  for (let document = 0; document < offsets.length - 1; document++) {
    const end = offsets[document + 1]!;
    const last = pieces.at(-1);
    if (joined?.[document] === 1 && last !== undefined && end - last.start <= T) {
      last.length = end - last.start;
      continue;
    }
    for (let start = offsets[document]!; start < end; start += T) {
      pieces.push({ document, start, length: Math.min(T, end - start) });
    }
  }
  return pieces;
}

/** Best fit in each group of pieces, one group after the other. */
function packGroups(
  lengths: Uint32Array,
  groupOf: readonly number[],
  T: number,
): { packing: Packing; groups: Uint32Array } {
  const byGroup = Map.groupBy(lengths.keys(), (piece) => groupOf[piece]!);
  const pieces: number[] = [];
  const offsets = [0];
  const groups: number[] = [];
  for (const [group, own] of [...byGroup].sort(([a], [b]) => a - b)) {
    const packing = bestFit(
      own.map((piece) => lengths[piece]!),
      T,
    );
    const before = pieces.length;
    for (const piece of packing.pieces) pieces.push(own[piece]!);
    for (const end of packing.offsets.subarray(1)) {
      offsets.push(before + end);
      groups.push(group);
    }
  }
  return {
    packing: { pieces: Uint32Array.from(pieces), offsets: Uint32Array.from(offsets) },
    groups: Uint32Array.from(groups),
  };
}

function hasWeight({ weights }: TokenCorpus, from: number, to: number): boolean {
  return weights === undefined || weights.subarray(from, to).some((weight) => weight !== 0);
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
    if (corpus.weights === undefined) batch.weights.fill(1, at, at + length);
    else batch.weights.set(corpus.weights.subarray(start + 1, start + length + 1), at);
    if (corpus.reference !== undefined) {
      batch.reference?.set(corpus.reference.subarray(start + 1, start + length + 1), at);
    }
    batch.documents.fill(i - first, at, at + length);
    for (let position = 0; position < length; position++) batch.positions[at + position] = position;
    at += length;
  }
}
