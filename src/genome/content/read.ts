/** One file's bytes to all that its content tells: text, what was done to it, kind and language. Pure and synchronous. */
import { classify } from "./classify.ts";
import type { Kind } from "./classify.ts";
import { decodeText } from "./decode.ts";
import type { SkipReason, Transform } from "./decode.ts";
import { readDialogueTable } from "./dialogue-table.ts";
import { isEcosystemFile } from "./ecosystem-files.ts";
import { detectLanguage } from "./languages.ts";
import { readNotebook } from "./notebook.ts";

/** Changes whenever the same blob may get another text, kind, language or flag. */
export const contentVersion = "content@1";

export interface Content {
  readonly text: string;
  /** From blob to text, in order. */
  readonly transforms: readonly Transform[];
  readonly flags: readonly string[];
  readonly kind: Kind;
  /** That of a notebook is its kernel's; null where nothing tells it. */
  readonly language: string | null;
}

export interface ReadContentOptions {
  /** "ecosystem" takes only the extensions of the ecosystem's list (default "any": everything that is text). */
  readonly extensions?: "any" | "ecosystem";
}

interface Conversion {
  readonly text: string;
  readonly transforms: readonly Transform[];
  readonly flags: readonly string[];
  /** Undefined where the file's own stays. */
  readonly language?: string | null;
}

/**
 * Reads one regular file; what is no file (symbolic links, submodules) and what is too large is the caller's to skip.
 * Whether a table or a notebook is converted depends on its name and content alone, not on the kind, so that a copy in
 * a backup has the same text.
 *
 * @param bytes the raw blob, which is not changed
 * @param file the repository's name in the genome, and the path there with parts joined by `/`
 * @returns the content, or why the file is not in the genome
 */
export function readContent(
  bytes: Uint8Array,
  file: { readonly repository: string; readonly path: string },
  options: ReadContentOptions = {},
): Content | SkipReason {
  const { repository, path } = file;
  if (options.extensions === "ecosystem" && !isEcosystemFile(path)) return "extension";
  const decoded = decodeText(bytes);
  if (typeof decoded === "string") return decoded;
  const converted = convert(decoded.text, path);
  const { text } = converted;
  const isDialogue = converted.transforms.includes("dialogue@1");
  const { kind, language, flags } = classify(repository, path, text, bytes.length, { isDialogue });
  return {
    text,
    transforms: [...decoded.transforms, ...converted.transforms],
    flags: [...decoded.flags, ...converted.flags, ...flags],
    kind,
    language: converted.language === undefined ? language : converted.language,
  };
}

/**
 * Reads a file whose bytes are its text already: nothing is decoded, converted or repaired, so that the same bytes can
 * be written again. What a table or a notebook would be converted to tells its kind and its flags all the same.
 *
 * @param bytes UTF-8 without flaws, which is not changed
 */
export function readVerbatim(
  bytes: Uint8Array,
  { repository, path }: { readonly repository: string; readonly path: string },
): Content {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
  const converted = convert(text, path);
  const isDialogue = converted.transforms.includes("dialogue@1");
  const { kind, language, flags } = classify(repository, path, text, bytes.length, { isDialogue });
  const own = [...(text.startsWith("\ufeff") ? ["bom"] : []), ...(text.includes("\r") ? ["carriage-returns"] : [])];
  return {
    text,
    transforms: [],
    flags: [...own, ...converted.flags, ...flags],
    kind,
    // A notebook that is not converted is JSON, whatever its kernel speaks.
    language: converted.language === undefined ? language : "json",
  };
}

function convert(text: string, path: string): Conversion {
  const baseName = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  const language = detectLanguage(baseName, text)?.language;
  if (language === "notebook") {
    const notebook = readNotebook(text);
    if (typeof notebook === "string") return { text, transforms: [], flags: [notebook], language: "json" };
    return { ...notebook, transforms: ["notebook@1"] };
  }
  if (language === "csv" || language === "tsv") {
    const dialogue = readDialogueTable(text, language);
    if (dialogue !== undefined) return { ...dialogue, transforms: ["dialogue@1"] };
  }
  return { text, transforms: [], flags: [] };
}
