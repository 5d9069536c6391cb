/** Blob bytes to the text of a gene: what counts as text, and the repairs it gets. */
import { decodeCharacters } from "./encoding.ts";
import type { Encoding } from "./encoding.ts";
import { withLineFeeds } from "./scan.ts";

/** Why a file is not in the genome. */
export type SkipReason =
  | "symlink"
  | "submodule"
  /** A path that a hostile tree could use to leave its folder. */
  | "unsafe-path"
  | "too-large"
  | "binary"
  | "not-utf8"
  | "lfs-pointer"
  /** Not on the ecosystem's list of extensions, where that was asked for. */
  | "extension"
  /** The blob is absent, unreadable or not what its id says, which was accepted. */
  | "damaged"
  /** The repository held more before it than was asked for. */
  | "repository-limit"
  /** Under another licence than was asked for, or one that is not known. */
  | "licence"
  | "licence-unknown"
  /** Its path holds a secret, and a path cannot be masked without naming another file. */
  | "secret-in-path";

/** Recorded transforms between a blob and its text; the number is the version of the rule. */
export type Transform =
  | "utf-16@1"
  | "utf-32@1"
  | "windows-1252@1"
  | "drop-invalid-utf8@1"
  | "newlines@1"
  | "notebook@1"
  | "dialogue@1"
  | "escape-markers@1";

export interface Decoded {
  readonly text: string;
  readonly transforms: readonly Transform[];
  /** Among "utf-16", "utf-32", "windows-1252", "invalid-utf8", "bom", "carriage-returns". */
  readonly flags: readonly string[];
}

const transformsOf = {
  "utf-8": [],
  "flawed-utf-8": ["drop-invalid-utf8@1"],
  "utf-16": ["utf-16@1"],
  "utf-32": ["utf-32@1"],
  "windows-1252": ["windows-1252@1"],
} as const satisfies Record<Encoding, readonly Transform[]>;

/**
 * The text of a blob, whatever encoding it is in, with CRLF and CR turned into LF. A BOM of UTF-8 is left as U+FEFF.
 *
 * @returns the text with the transforms it went through, or why it is none
 */
export function decodeText(bytes: Uint8Array): Decoded | SkipReason {
  const characters = decodeCharacters(bytes);
  if (typeof characters === "string") return characters;
  const { encoding } = characters;
  if (isLfsPointer(characters.text)) return "lfs-pointer";
  const text = withLineFeeds(characters.text);
  const transforms: Transform[] = [...transformsOf[encoding]];
  const flags: string[] = [];
  if (encoding !== "utf-8") flags.push(encoding === "flawed-utf-8" ? "invalid-utf8" : encoding);
  if (text.startsWith("\ufeff")) flags.push("bom");
  if (characters.text.includes("\r")) {
    transforms.push("newlines@1");
    flags.push("carriage-returns");
  }
  return { text, transforms, flags };
}

function isLfsPointer(text: string): boolean {
  return (
    text.length < 1024 &&
    /^version https:\/\/git-lfs\.github\.com\/spec\/v\d+\r?\n(?:[^\n]*\n)*?oid \w+:[0-9a-f]+\r?\n/.test(text)
  );
}
