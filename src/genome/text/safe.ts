/** Reads and writes the safe format of `genome.txt` as streams that hold one file at a time. */
import { isUtf8 } from "node:buffer";
import { UserError } from "../../errors.ts";
import {
  escapeContent,
  escapeName,
  fileEnd,
  fileHeader,
  fileStart,
  repositoryEnd,
  repositoryHeader,
  repositoryStart,
  unescapeContent,
  unescapeName,
} from "../genome-text.ts";
import { ByteWindow } from "./byte-window.ts";
import type { Bytes } from "./byte-window.ts";
import { largestContent, longestName } from "./pieces.ts";
import type { ParsedFile, TextPiece } from "./pieces.ts";

const newline = Buffer.from("\n");
const possibleMarker = Buffer.from("\n<|");
const marker = /^<\|(?:repo|file)_(?:start|end)\|>/;

/**
 * Reads a genome text in the safe format, which has one form only: whatever is read serialises to the identical bytes.
 *
 * @param name how the text is called in messages
 * @throws UserError "damaged" with the line where it departs from the format; "unsupported" where a name or content is
 *   larger than any that this program writes
 */
export async function* readSafeText(chunks: Bytes, name = "the genome text"): AsyncGenerator<TextPiece, void, void> {
  const window = new ByteWindow(chunks);
  try {
    while ((await window.ahead(1)).length > 0) {
      const { line } = window;
      yield { type: "repository", name: await readHeader(window, repositoryStart, name), line };
      while (await window.begins(fileStart)) yield await readFile(window, name);
      if (!(await window.begins(repositoryEnd.slice(0, -1)))) {
        throw departs(name, window.line, `${fileStart} or ${repositoryEnd.trimEnd()}`);
      }
      if (!(await window.begins(repositoryEnd))) throw departs(name, window.line + 1, "an empty line");
      window.skip(repositoryEnd.length);
      yield { type: "repository-end" };
    }
  } finally {
    await window.close();
  }
}

/** Writes pieces in the safe format. */
export async function* writeSafeText(
  pieces: AsyncIterable<TextPiece> | Iterable<TextPiece>,
): AsyncGenerator<Buffer, void, void> {
  for await (const piece of pieces) {
    if (piece.type === "repository") yield Buffer.from(repositoryHeader(piece.name));
    else if (piece.type === "repository-end") yield Buffer.from(repositoryEnd);
    else {
      yield Buffer.from(fileHeader(piece.path));
      yield escaped(piece.content);
      yield Buffer.from(fileEnd);
    }
  }
}

/** A content as it stands in a text of the safe format. */
export function escaped(content: Uint8Array<ArrayBuffer>): Buffer<ArrayBuffer> {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  return bytes.includes("<|") ? Buffer.from(escapeContent(bytes.toString("utf8"))) : bytes;
}

async function readHeader(window: ByteWindow, start: string, name: string): Promise<Uint8Array> {
  const { line } = window;
  if (!(await window.begins(start))) throw departs(name, line, start);
  const end = await window.find(newline, start.length, longestName);
  if (end < 0) throw departs(name, line, `a name of at most ${longestName} bytes and a newline`);
  const written = window.take(end + 1).subarray(start.length, end);
  const text = written.toString("utf8");
  const bytes = unescapeName(text);
  if (!isUtf8(written) || escapeName(bytes) !== text) throw departs(name, line, "a name in escaped form");
  return bytes;
}

async function readFile(window: ByteWindow, name: string): Promise<ParsedFile> {
  const { line } = window;
  const path = await readHeader(window, fileStart, name);
  if (marker.test((await window.ahead(16)).toString("latin1", 0, 16))) {
    throw departs(name, window.line, "the content of a file");
  }
  let end = await window.find(possibleMarker, 0, largestContent);
  while (end >= 0 && !marker.test((await window.ahead(end + 17)).toString("latin1", end + 1, end + 17))) {
    end = await window.find(possibleMarker, end + 1, largestContent);
  }
  const held = await window.ahead(end < 0 ? 0 : end + fileEnd.length);
  if (end < 0 && held.length >= largestContent) {
    throw new UserError("unsupported", `${name} line ${line}: the file has more than ${largestContent} bytes`, {
      hint: "Leave it out of the genome.",
    });
  }
  if (end < 0) throw departs(name, window.lineAfter(held.length), "<|file_end|> before the end");
  if (held.toString("latin1", end, end + fileEnd.length) !== fileEnd) {
    throw departs(name, window.lineAfter(end + 1), "<|file_end|>");
  }
  const written = window.take(end + fileEnd.length).subarray(0, end);
  if (!isUtf8(written)) throw departs(name, line, "a content in UTF-8");
  const content = written.includes("<|") ? Buffer.from(unescapeContent(written.toString("utf8"))) : written;
  return { type: "file", path, content, line };
}

function departs(name: string, line: number, expected: string): UserError {
  return new UserError("damaged", `${name} line ${line}: expected ${expected}`, {
    hint: "It is not, or no longer, a text in the safe format; one that has no escapes is imported with --format ecosystem.",
  });
}
