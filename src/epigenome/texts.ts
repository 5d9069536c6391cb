/** The general texts of a run: retention, which measures what the parent knew, and replay, which keeps it. */
import { UserError } from "../errors.ts";
import { readDocuments } from "../formats/jsonl.ts";
import { permutation } from "../formats/random.ts";
import type { Document } from "../eval/bits-per-byte.ts";
import type { NamedText } from "./overlap.ts";

/** Retention text up to this size is used whole; of more, this much is sampled. */
export const RETENTION_BYTES = 256 * 1024;
/** About as long as the pieces into which a text without documents is cut before it is sampled. */
const PIECE_BYTES = 8 * 1024;

/**
 * Reads a text (one document) or .jsonl (one per line, in `text`), also gzipped.
 *
 * @param options.split of a .jsonl only the lines whose `split` is this
 * @throws UserError `not-found`, `damaged`, and `empty` where there is no text
 */
export async function readGeneralText(path: string, options: { readonly split?: string } = {}): Promise<NamedText> {
  const documents: Document[] = [];
  for await (const { id, text } of readDocuments(path, options)) if (text !== "") documents.push({ id, text });
  if (documents.length === 0) throw new UserError("empty", `${path} holds no text`, { hint: "give text or JSONL" });
  return { name: path, documents };
}

export interface TextSample {
  readonly documents: readonly Document[];
  /** UTF-8 bytes of the documents. */
  readonly bytes: number;
  /** Whether this is a part of what was given. */
  readonly sampled: boolean;
}

/**
 * What of a text is measured: all of it up to `maxBytes` (default 256 KB) of text, else whole documents, taken in a
 * seeded order while they fit and put in their own order again. Where they fill less than half of it they are cut first,
 * at blank lines or line ends, into pieces.
 */
export function sampleText(
  text: NamedText,
  options: { readonly seed: number; readonly maxBytes?: number },
): TextSample {
  const maxBytes = options.maxBytes ?? RETENTION_BYTES;
  const total = bytesOf(text.documents);
  if (total <= maxBytes) return { documents: text.documents, bytes: total, sampled: false };
  let chosen = chooseWithin(text.documents, maxBytes, options.seed);
  if (bytesOf(chosen) < maxBytes / 2) {
    chosen = chooseWithin(
      text.documents.flatMap((document) => cutText(document)),
      maxBytes,
      options.seed,
    );
  }
  return { documents: chosen, bytes: bytesOf(chosen), sampled: true };
}

function bytesOf(documents: readonly Document[]): number {
  return documents.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
}

function chooseWithin(documents: readonly Document[], maxBytes: number, seed: number): Document[] {
  let room = maxBytes;
  const chosen: number[] = [];
  for (const i of permutation(seed, "sample", 0, documents.length)) {
    const bytes = Buffer.byteLength(documents[i]!.text);
    if (bytes > room) continue;
    room -= bytes;
    chosen.push(i);
  }
  return chosen.sort((a, b) => a - b).map((i) => documents[i]!);
}

/**
 * Consecutive pieces that join to the text: cut after a blank line, else a line, else anywhere but inside a pair.
 *
 * @param length most UTF-16 units of a piece
 */
export function cutText({ id, text }: Document, length = PIECE_BYTES): Document[] {
  const pieces: Document[] = [];
  for (let from = 0; from < text.length;) {
    const to = cutAt(text, from, length);
    pieces.push({ id: `${id}@${from}`, text: text.slice(from, to) });
    from = to;
  }
  return pieces;
}

function cutAt(text: string, from: number, length: number): number {
  const limit = from + length;
  if (limit >= text.length) return text.length;
  for (const mark of ["\n\n", "\n"]) {
    const at = text.lastIndexOf(mark, limit - mark.length);
    if (at > from) return at + mark.length;
  }
  return (text.charCodeAt(limit) & 0xfc00) === 0xdc00 ? limit + 1 : limit;
}
