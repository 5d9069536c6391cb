/** One blob to one reading: all that a gene needs to know of its content. Pure; it runs on any thread. */
import { createHash } from "node:crypto";
import { clean, cleanVersion } from "../clean/clean.ts";
import { readContent, contentVersion, readVerbatim } from "../content/read.ts";
import type { SkipReason } from "../content/decode.ts";
import { quality } from "../content/quality.ts";
import { createSketcher, duplicateRule, sketchLimit } from "../duplicates/sketch.ts";
import type { Sketch } from "../duplicates/sketch.ts";
import type { Gene } from "../gene.ts";
import { escapeContent, unescapeContent } from "../genome-text.ts";
import { fileLicence, licencesVersion } from "../licences/licence.ts";

/** The versions of the rules that decide a reading; a gene read by others is read again. */
export const readingRules = [contentVersion, cleanVersion, licencesVersion, duplicateRule, "escape-markers@1"] as const;

export interface Blob {
  /** The raw blob; where `known` is given, the gene's text as it stands in a genome.txt. */
  readonly bytes: Uint8Array;
  readonly repository: string;
  /** In the form of genome.txt. */
  readonly path: string;
  /** What an earlier build by the same rules found; only the sketch is made. */
  readonly known?: Known;
}

/** The part of a gene that its blob and its path decide. */
export type Known = Pick<
  Gene,
  "textSha256" | "transforms" | "kind" | "language" | "licence" | "tokens" | "quality" | "masked" | "flags"
>;

export type Reading =
  | { readonly skipped: SkipReason }
  | { readonly content: Uint8Array; readonly known: Known; readonly sketch: Sketch };

export interface ReaderOptions {
  readonly extensions: "any" | "ecosystem";
  /** Whether every blob is UTF-8 that is taken as it stands, as an imported text is (default: it is decoded and converted). */
  readonly verbatim?: boolean;
  /** Whether secrets and personal data are masked. */
  readonly mask: boolean;
  /** A model's folder or GGUF file whose tokenizer counts tokens. */
  readonly tokenizer: string | null;
}

/** Gives each text memory of its own: what goes to another thread is copied with all the memory it lies in. */
const encoder = new TextEncoder();

/** Makes the function that reads blobs. */
export async function createReader(options: ReaderOptions): Promise<(blob: Blob) => Reading> {
  // Loaded only where it is wanted: it brings most of the other rooms along, into every thread.
  const { tokenizerOf } = options.tokenizer === null ? {} : await import("../../models/tokenizer-of.ts");
  const tokenizer = await tokenizerOf?.(options.tokenizer!);
  const sketch = createSketcher();
  const sketched = (text: string, kind: Gene["kind"]): Sketch => sketch(text, { template: kind === "log" });

  return ({ bytes, repository, path, known }) => {
    if (known !== undefined) {
      const text = unescapeContent(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"));
      return { content: bytes, known, sketch: sketched(text, known.kind) };
    }
    const file = { repository, path };
    const read = options.verbatim === true ? readVerbatim(bytes, file) : readContent(bytes, file, options);
    if (typeof read === "string") return { skipped: read };
    const { kind, language } = read;
    const cleaned = options.mask ? clean(read.text) : { text: read.text, masked: {} };
    const escaped = escapeContent(cleaned.text);
    const content = encoder.encode(escaped);
    const transforms: string[] = [...read.transforms];
    if (Object.keys(cleaned.masked).length > 0) transforms.push(cleanVersion);
    if (escaped !== cleaned.text) transforms.push("escape-markers@1");
    const flags = [...read.flags];
    if (cleaned.text.length > sketchLimit) flags.push("too-long-to-compare");
    return {
      content,
      known: {
        textSha256: createHash("sha256").update(content).digest("hex"),
        transforms,
        kind,
        language,
        licence: fileLicence(path, cleaned.text),
        tokens: tokenizer?.encodeContent(cleaned.text).length ?? null,
        quality: quality(cleaned.text),
        masked: cleaned.masked,
        flags,
      },
      sketch: sketched(cleaned.text, kind),
    };
  };
}
