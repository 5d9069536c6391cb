/** The elements of a JSON array one by one, each with its line: memory for one element, whatever the file's size. */

import { UserError } from "../errors.ts";
import { MAX_DOCUMENT_BYTES, decodeUtf8, parseJson, readChunks } from "./jsonl.ts";
import type { JsonLine } from "./jsonl.ts";

const [quote, backslash, comma, newline] = [0x22, 0x5c, 0x2c, 0x0a];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];
const byteOrderMark = [0xef, 0xbb, 0xbf];

/**
 * Reads the elements of a .json file (or .json.gz) that holds one array.
 *
 * @throws UserError "not-found"; "invalid" where the file holds no array; "damaged" (naming the line) where it is not JSON;
 *   "unsupported" for an element of more than 256 MiB
 */
export async function* readJsonArray(path: string): AsyncGenerator<JsonLine, void, void> {
  const splitter = createSplitter(path);
  for await (const chunk of readChunks(path)) yield* splitter.push(chunk);
  splitter.end();
}

/** The same of a text in memory; `where` is named in errors. */
export function* jsonArrayElements(text: string, where: string): Generator<JsonLine, void, void> {
  const splitter = createSplitter(where);
  yield* splitter.push(Buffer.from(text));
  splitter.end();
}

interface Splitter {
  push(chunk: Uint8Array): Generator<JsonLine, void, void>;
  /** @throws UserError "damaged" where the array is not closed */
  end(): void;
}

/** Finds where elements end by brackets and strings alone; `JSON.parse` then judges what lies between. */
function createSplitter(where: string): Splitter {
  let line = 1;
  let position = 0;
  /** Open brackets; 1 is between the elements of the array, 0 before and after it. */
  let depth = 0;
  let closed = false;
  let inString = false;
  let escaped = false;
  let elements = 0;
  /** The element under way: its bytes from earlier chunks, and its first line once it has a byte that is not blank. */
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let startLine: number | undefined;

  const damaged = (what: string): UserError =>
    new UserError("damaged", `${where}, line ${line}: ${what}`, { hint: "copy or download the file again" });
  const hold = (bytes: Uint8Array): void => {
    heldBytes += bytes.length;
    if (heldBytes > MAX_DOCUMENT_BYTES) {
      throw new UserError(
        "unsupported",
        `${where}, line ${startLine ?? line}: a record of more than ${MAX_DOCUMENT_BYTES} bytes`,
        { hint: "cut it into several records" },
      );
    }
    if (bytes.length > 0) held.push(bytes);
  };
  const take = (isLast: boolean): JsonLine | undefined => {
    const [bytes, first] = [Buffer.concat(held), startLine];
    held = [];
    heldBytes = 0;
    startLine = undefined;
    if (first === undefined) {
      if (isLast && elements === 0) return undefined;
      throw damaged("a comma without a record");
    }
    elements += 1;
    const place = `${where}, line ${first}`;
    return { line: first, value: parseJson(decodeUtf8(bytes, place), place) };
  };
  /** A byte outside the array: what opens it, or white space. */
  const outside = (byte: number): void => {
    if (isBlank(byte) || (position < 3 && byte === byteOrderMark[position])) return;
    if (closed) throw damaged("something follows the array");
    if (byte !== openBracket) {
      throw new UserError("invalid", `${where} holds no JSON array`, {
        hint: "a .json file must be one array of records; one record per line is a .jsonl file",
      });
    }
    depth = 1;
  };

  return {
    *push(chunk) {
      let from = 0;
      for (let i = 0; i < chunk.length; i++, position++) {
        const byte = chunk[i]!;
        if (byte === newline) line += 1;
        if (inString) {
          if (escaped) escaped = false;
          else if (byte === backslash) escaped = true;
          else if (byte === quote) inString = false;
          continue;
        }
        if (depth === 0) {
          outside(byte);
          from = i + 1;
          continue;
        }
        if (depth === 1 && (byte === comma || byte === closeBracket)) {
          hold(chunk.subarray(from, i));
          const element = take(byte === closeBracket);
          if (element !== undefined) yield element;
          from = i + 1;
          if (byte === closeBracket) [depth, closed] = [0, true];
          continue;
        }
        if (startLine === undefined && !isBlank(byte)) startLine = line;
        if (byte === quote) inString = true;
        else if (byte === openBrace || byte === openBracket) depth += 1;
        else if (byte === closeBrace || byte === closeBracket) depth -= 1;
        // "}" where "]" belongs is left to JSON.parse, but must not end the array unseen.
        if (depth === 0) throw damaged("a bracket that closes nothing");
      }
      if (depth > 0) hold(chunk.subarray(from));
    },
    end() {
      if (depth > 0) throw damaged("the file ends within its array");
      if (!closed) {
        throw new UserError("empty", `${where} is empty`, { hint: "a .json file must be one array of records" });
      }
    },
  };
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === newline || byte === 0x0d || byte === 0x09;
}
