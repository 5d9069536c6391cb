/** Bits per byte of documents under a model: the one definition that every figure here uses, before and after. */
import { UserError } from "../errors.ts";
import { type ScoreOptions, type Scorer, scoreSequences } from "./score-sequences.ts";

/** A text to be measured. */
export interface Document {
  /** What names it in a report: a path, or file and line. */
  readonly id: string;
  readonly text: string;
  /** What it is averaged with: its repository. */
  readonly group?: string;
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

/**
 * Total nats / (ln 2 x UTF-8 bytes) of documents. Of each document the ids are the separator and `encodeContent(text)`;
 * the first token is conditioned on the separator, the closing separator is not scored. See `scoreSequences` for how a
 * document longer than T tokens is read.
 *
 * @throws UserError `empty` when the documents hold no byte.
 */
export async function scoreDocuments(
  scorer: Scorer,
  tokenizer: DocumentEncoder,
  documents: readonly Document[],
  options: ScoreOptions = {},
): Promise<CorpusScore> {
  const ids = documents.map((document) =>
    Int32Array.from([tokenizer.separator, ...tokenizer.encodeContent(document.text)]),
  );
  return summarise(documents, ids, await scoreSequences(scorer, ids, tokenizer.separator, options));
}

function summarise(documents: readonly Document[], ids: readonly Int32Array[], natsOf: Float64Array): CorpusScore {
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
