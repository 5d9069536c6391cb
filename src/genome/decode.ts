/** Blob bytes to the text of a gene: what counts as text, and the two repairs it gets. */
import { isUtf8 } from "node:buffer";

/** Why a file is not in the genome. */
export type SkipReason =
  | "symlink"
  | "submodule"
  /** A path that a hostile tree could use to leave its folder. */
  | "unsafe-path"
  | "too-large"
  | "binary"
  | "not-utf8"
  | "lfs-pointer";

/** Recorded transforms between a blob and its text; the number is the version of the rule. */
export type Transform = "drop-invalid-utf8@1" | "newlines@1" | "escape-markers@1";

export interface Decoded {
  readonly text: string;
  readonly transforms: readonly Transform[];
  readonly flags: readonly string[];
}

/** More than this share of invalid bytes is another encoding, not UTF-8 with a flaw. */
const repairable = 0.1;

/**
 * The text of a blob: UTF-8 with invalid bytes dropped, CRLF and CR turned into LF, a BOM left as U+FEFF.
 *
 * @returns the text with the transforms it went through, or why it is none
 */
export function decodeText(bytes: Uint8Array): Decoded | SkipReason {
  if (bytes.includes(0)) return "binary";
  const transforms: Transform[] = [];
  const flags: string[] = [];
  let valid = bytes;
  if (!isUtf8(bytes)) {
    valid = dropInvalid(bytes);
    if (bytes.length - valid.length > repairable * bytes.length) return "not-utf8";
    transforms.push("drop-invalid-utf8@1");
    flags.push("invalid-utf8");
  }
  let text = Buffer.from(valid.buffer, valid.byteOffset, valid.byteLength).toString("utf8");
  if (isLfsPointer(text)) return "lfs-pointer";
  if (text.startsWith("\ufeff")) flags.push("bom");
  if (text.includes("\r")) {
    text = text.replace(/\r\n?/g, "\n");
    transforms.push("newlines@1");
    flags.push("carriage-returns");
  }
  return { text, transforms, flags };
}

function isLfsPointer(text: string): boolean {
  return (
    text.length < 1024 && /^version https:\/\/git-lfs\.github\.com\/spec\/v\d+\n(?:.*\n)*oid \w+:[0-9a-f]+\n/.test(text)
  );
}

/** Keeps the well-formed sequences (Unicode 15, table 3-7) and drops every other byte, as Python's "ignore" does. */
export function dropInvalid(bytes: Uint8Array): Uint8Array {
  const kept = new Uint8Array(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length;) {
    const size = sequenceLength(bytes, i);
    for (let j = 0; j < size; j++) kept[length++] = bytes[i + j]!;
    i += size || 1;
  }
  return kept.subarray(0, length);
}

/** The length of the well-formed UTF-8 sequence at `at`, or 0. */
export function sequenceLength(bytes: Uint8Array, at: number): 0 | 1 | 2 | 3 | 4 {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  const second = bytes[at + 1] ?? 0;
  if (lead >= 0xc2 && lead <= 0xdf) return isContinuation(second) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const low = lead === 0xe0 ? 0xa0 : 0x80;
    const high = lead === 0xed ? 0x9f : 0xbf;
    return second >= low && second <= high && isContinuation(bytes[at + 2] ?? 0) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const low = lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xf4 ? 0x8f : 0xbf;
    const inRange = second >= low && second <= high;
    return inRange && isContinuation(bytes[at + 2] ?? 0) && isContinuation(bytes[at + 3] ?? 0) ? 4 : 0;
  }
  return 0;
}

function isContinuation(byte: number): boolean {
  return byte >= 0x80 && byte <= 0xbf;
}
