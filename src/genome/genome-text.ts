/** The safe format of `genome.txt`: its markers, and the escaping of names and contents. Reading it is in `text/`. */
import { isUtf8 } from "node:buffer";
import { sequenceLength } from "./content/utf8.ts";

export const repositoryStart = "<|repo_start|>";
export const fileStart = "<|file_start|>";

/** What follows a file's content. */
export const fileEnd = "\n<|file_end|>\n";
/** What follows a repository's last file. */
export const repositoryEnd = "<|repo_end|>\n\n";

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

/** The same of text in UTF-8, which is returned itself where nothing is escaped. */
export function unescapeBytes(content: Uint8Array): Uint8Array {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  return bytes.includes("<|") ? Buffer.from(unescapeContent(bytes.toString("utf8"))) : content;
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

/** A path as a gene has it: its text, or the escaped form where its bytes are not UTF-8. */
export function genePath(path: Uint8Array): string {
  return isUtf8(path) ? Buffer.from(path).toString("utf8") : escapeName(path);
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
