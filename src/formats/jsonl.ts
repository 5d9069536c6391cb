/**
 * Documents out of files: each line's `text` of a .jsonl, or a whole text file; either may be gzipped (.gz). UTF-8
 * throughout, read as a stream; a line or text beyond the limit is refused, also one that gzip blows up.
 */

import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { createGunzip } from "node:zlib";
import { UserError } from "../errors.ts";
import { asUserError, atomicStream } from "./files.ts";

/** Longest line of a .jsonl and longest text file, in bytes. */
export const MAX_DOCUMENT_BYTES = 256 << 20;
const WRITE_CHARACTERS = 1 << 20;

export interface ReadDocument {
  /** The file's name, and for .jsonl "#" and the line's number from 1. */
  readonly id: string;
  readonly text: string;
  /** All fields of the line; of a text file none. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Reads the documents of a file in order: .jsonl gives one per line that is not blank, anything else is one text.
 *
 * @param options.split only lines whose `split` is this; refused for text, which has none
 * @throws UserError "not-found", "damaged" (naming the line), "unsupported" (too long), "usage"
 */
export async function* readDocuments(
  path: string,
  options: { readonly split?: string } = {},
): AsyncGenerator<ReadDocument, void, void> {
  const { split } = options;
  const name = basename(path);
  if (/\.jsonl(\.gz)?$/i.test(path)) {
    for await (const { line, value } of readJsonLines(path)) {
      const fields = withText(value, `${path}, line ${line}`);
      if (split === undefined || fields["split"] === split) {
        yield { id: `${name}#${line}`, text: fields["text"] as string, fields };
      }
    }
    return;
  }
  if (split !== undefined) {
    throw new UserError("usage", `${path} is a text, it has no split "${split}"`, { hint: "give a .jsonl file" });
  }
  for await (const bytes of pieces(path, false)) yield { id: name, text: decodeUtf8(bytes, path), fields: {} };
}

/** A value of a file with the line that it starts on, from 1. */
export interface JsonLine {
  readonly line: number;
  readonly value: unknown;
}

/**
 * Reads the values of a .jsonl or .jsonl.gz file in order, whatever they are; blank lines and a byte order mark are
 * passed over.
 *
 * @throws UserError "not-found", "damaged" (naming the line), "unsupported" (a line of more than 256 MiB)
 */
export async function* readJsonLines(path: string): AsyncGenerator<JsonLine, void, void> {
  let line = 0;
  for await (const bytes of pieces(path, true)) {
    line += 1;
    const text = decodeUtf8(bytes, `${path}, line ${line}`).trim();
    if (text !== "") yield { line, value: parseJson(text, `${path}, line ${line}`) };
  }
}

/** UTF-8 as text, a byte order mark included; `where` is named in the UserError "damaged" of anything else. */
export function decodeUtf8(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new UserError("damaged", `${where}: not valid UTF-8`, { hint: "convert it to UTF-8", cause });
  }
}

/** A text of JSON as its value; `where` is named in the UserError "damaged" of anything else. */
export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UserError("damaged", `${where}: not valid JSON`, { hint: "mend or remove it", cause });
  }
}

function withText(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && typeof (value as { text?: unknown }).text === "string") {
    return value as Record<string, unknown>;
  }
  throw new UserError("damaged", `${where}: no "text" that is a string`, {
    hint: 'each line must be an object with "text"',
  });
}

/** The lines of a file without their newline, or the file as one piece. */
async function* pieces(path: string, lines: boolean): AsyncGenerator<Uint8Array, void, void> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  const hold = (part: Uint8Array): void => {
    heldBytes += part.length;
    if (heldBytes > MAX_DOCUMENT_BYTES) {
      throw new UserError(
        "unsupported",
        `${path}: a ${lines ? "line" : "text"} of more than ${MAX_DOCUMENT_BYTES} bytes`,
        {
          hint: "cut it into several documents",
        },
      );
    }
    held.push(part);
  };
  const take = (): Uint8Array => {
    const whole = held.length === 1 ? held[0]! : Buffer.concat(held);
    held = [];
    heldBytes = 0;
    return whole;
  };
  for await (const chunk of readChunks(path)) {
    let from = 0;
    if (lines) {
      for (let to = chunk.indexOf(10); to !== -1; to = chunk.indexOf(10, from)) {
        hold(chunk.subarray(from, to));
        yield take();
        from = to + 1;
      }
    }
    if (from < chunk.length) hold(chunk.subarray(from));
  }
  if (!lines || heldBytes > 0) yield take();
}

/**
 * The bytes of a file as a stream, decompressed where its name ends in .gz.
 *
 * @throws UserError "not-found", "damaged" (not gzip)
 */
export async function* readChunks(path: string): AsyncGenerator<Buffer, void, void> {
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  const gunzip = /\.gz$/i.test(path) ? createGunzip({ chunkSize: 1 << 18 }) : undefined;
  // An error of the file ends the decompression too, where the loop below meets it.
  if (gunzip !== undefined) file.on("error", (error) => gunzip.destroy(error)).pipe(gunzip);
  try {
    for await (const chunk of gunzip ?? file) yield chunk as Buffer;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (!code.startsWith("Z_")) throw asUserError(error, path);
    throw new UserError("damaged", `${path}: not valid gzip: ${(error as Error).message}`, {
      hint: "copy or download the file again",
      cause: error,
    });
  } finally {
    gunzip?.destroy();
    file.destroy();
  }
}

/** Writes one JSON object per line, keys as given; the file appears whole or not at all. */
export async function writeJsonl(path: string, records: Iterable<object> | AsyncIterable<object>): Promise<void> {
  await atomicStream(path, async (handle) => {
    let pending = "";
    for await (const record of records) {
      pending += `${JSON.stringify(record)}\n`;
      if (pending.length < WRITE_CHARACTERS) continue;
      await handle.writeFile(pending);
      pending = "";
    }
    await handle.writeFile(pending);
  });
}
