/** The safe format of `genome.txt`: escaping, writing and parsing. It knows nothing of git or of genes. */
import { isUtf8 } from "node:buffer";
import { UserError } from "../errors.ts";
import { sequenceLength } from "./content/utf8.ts";

const repositoryStart = "<|repo_start|>";
const fileStart = "<|file_start|>";

/** What follows a file's content. */
export const fileEnd = "\n<|file_end|>\n";
/** What follows a repository's last file. */
export const repositoryEnd = "<|repo_end|>\n\n";

export interface ParsedFile {
  /** The raw bytes of the path. */
  readonly path: Uint8Array;
  readonly text: string;
}

export interface ParsedRepository {
  readonly name: Uint8Array;
  readonly files: readonly ParsedFile[];
}

export function repositoryHeader(name: Uint8Array): string {
  return `${repositoryStart}${escapeName(name)}\n`;
}

export function fileHeader(path: Uint8Array): string {
  return `${fileStart}${escapeName(path)}\n`;
}

/** Gives a content line that begins with a marker, escaped or not, one more leading backslash. */
export function escapeContent(text: string): string {
  return text.includes("<|") ? text.replace(/^(?=\\*<\|(?:repo|file)_(?:start|end)\|>)/gm, anchored("\\")) : text;
}

/** Takes one leading backslash off every content line that begins with an escaped marker. */
export function unescapeContent(text: string): string {
  return text.includes("<|") ? text.replace(/^\\(?=\\*<\|(?:repo|file)_(?:start|end)\|>)/gm, anchored("")) : text;
}

/** JavaScript's `^` also matches after CR, U+2028 and U+2029; lines here end in LF only. */
function anchored(replacement: string): (match: string, offset: number, whole: string) => string {
  return (match, offset, whole) => (offset === 0 || whole[offset - 1] === "\n" ? replacement : match);
}

/** A name on one line: `\`, LF and CR as `\\`, `\n`, `\r`, bytes that are not UTF-8 as `\xHH`. */
export function escapeName(name: Uint8Array): string {
  const escape = (text: string): string =>
    text.replace(/[\\\n\r]/g, (character) => (character === "\\" ? "\\\\" : character === "\n" ? "\\n" : "\\r"));
  if (isUtf8(name)) return escape(Buffer.from(name).toString("utf8"));
  let escaped = "";
  for (let i = 0; i < name.length;) {
    const size = sequenceLength(name, i);
    if (size > 0) escaped += escape(Buffer.from(name.subarray(i, i + size)).toString("utf8"));
    else escaped += `\\x${name[i]!.toString(16).toUpperCase().padStart(2, "0")}`;
    i += size || 1;
  }
  return escaped;
}

/** The bytes of an escaped name. */
export function unescapeName(escaped: string): Uint8Array {
  const pieces: Buffer[] = [];
  for (const [piece] of escaped.matchAll(/\\x[0-9A-F]{2}|\\[\\nr]|[^\\]+|\\/g)) {
    if (piece.startsWith("\\x")) pieces.push(Buffer.from(piece.slice(2), "hex"));
    else if (piece === "\\\\") pieces.push(Buffer.from("\\"));
    else if (piece === "\\n") pieces.push(Buffer.from("\n"));
    else if (piece === "\\r") pieces.push(Buffer.from("\r"));
    else pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces);
}

/** Writes a whole genome text; the inverse of `parseGenomeText`. */
export function serialiseGenomeText(repositories: readonly ParsedRepository[]): string {
  const pieces: string[] = [];
  for (const { name, files } of repositories) {
    pieces.push(repositoryHeader(name));
    for (const { path, text } of files) pieces.push(fileHeader(path), escapeContent(text), fileEnd);
    pieces.push(repositoryEnd);
  }
  return pieces.join("");
}

/**
 * Reads a whole genome text in the safe format. Only markers at the start of a line count.
 *
 * @throws UserError "damaged" with the line where it departs from the format
 */
export function parseGenomeText(text: string): ParsedRepository[] {
  const repositories: ParsedRepository[] = [];
  const lines = text.split("\n");
  let at = 0;
  const fail = (expected: string): never => {
    throw new UserError("damaged", `line ${at + 1} of the genome text: expected ${expected}`, {
      hint: "Build the genome again.",
    });
  };
  const header = (marker: string): Uint8Array => {
    const escaped = lines[at]!.slice(marker.length);
    const name = unescapeName(escaped);
    if (escapeName(name) !== escaped) fail("a name in escaped form");
    at++;
    return name;
  };
  const file = (): ParsedFile => {
    const path = header(fileStart);
    const from = at;
    while (lines[at] !== "<|file_end|>") {
      if (at >= lines.length || /^<\|(?:repo|file)_(?:start|end)\|>/.test(lines[at]!)) fail("<|file_end|>");
      at++;
    }
    if (at === from) fail("the content of a file");
    return { path, text: unescapeContent(lines.slice(from, at++).join("\n")) };
  };
  while (at < lines.length - 1) {
    if (!lines[at]!.startsWith(repositoryStart)) fail(repositoryStart);
    const name = header(repositoryStart);
    const files: ParsedFile[] = [];
    while (lines[at]?.startsWith(fileStart)) files.push(file());
    if (lines[at] !== "<|repo_end|>") fail(`${fileStart} or <|repo_end|>`);
    at++;
    if (lines[at] !== "" || at + 1 >= lines.length) fail("an empty line");
    at++;
    repositories.push({ name, files });
  }
  if (lines[at] !== "") fail("the end");
  return repositories;
}
