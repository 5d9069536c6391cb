/** Bits per byte of documents under a model: the one definition that every figure here uses, before and after. */
import { invariant, UserError } from "../errors.ts";
import { type ScoreOptions, type Scorer, scoreSequences, type TokenSequence } from "./score-sequences.ts";

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

/**
 * Total nats / (ln 2 x UTF-8 bytes) of documents. Of each document the ids are the separator and `encodeContent(text)`;
 * the first token is conditioned on the separator, the closing separator is not scored. See `scoreSequences` for how a
 * document longer than T tokens is read.
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
  const sequences = documents.flatMap((document, i) => sequencesOf(document, i, tokenizer));
  return summarise(documents, sequences, await scoreSequences(scorer, sequences, tokenizer.separator, options));
}

/** What is read from a separator on: a document's text, or one of its sequences. */
interface DocumentSequence extends TokenSequence {
  readonly document: number;
}

function sequencesOf({ text, sequences }: Document, document: number, tokenizer: DocumentEncoder): DocumentSequence[] {
  const { separator } = tokenizer;
  if (sequences === undefined) {
    return [{ document, ids: Int32Array.from([separator, ...tokenizer.encodeContent(text)]) }];
  }
  return sequences.map(({ ids, scored }) => {
    invariant(ids.length === scored.length, `${ids.length} ids, and ${scored.length} times whether they are scored`);
    return { document, ids: Int32Array.from([separator, ...ids]), scored };
  });
}

function summarise(
  documents: readonly Document[],
  sequences: readonly DocumentSequence[],
  natsOfSequence: Float64Array,
): CorpusScore {
  const natsOf = new Float64Array(documents.length);
  const tokensOf = new Float64Array(documents.length);
  for (const [i, { document, ids, scored }] of sequences.entries()) {
    natsOf[document]! += natsOfSequence[i]!;
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
