/** One blob to one reading: all that a gene needs to know of its content. Pure; it runs on any thread. */
import { createHash } from "node:crypto";
import { clean, cleanVersion } from "../clean/clean.ts";
import { readContent, contentVersion, readVerbatim } from "../content/read.ts";
import type { SkipReason } from "../content/decode.ts";
import { quality } from "../content/quality.ts";
import { createSketcher, duplicateRule, sketchLimit } from "../duplicates/sketch.ts";
import type { Sketch } from "../duplicates/sketch.ts";
import type { Gene } from "../gene.ts";
import { escapeContent, unescapeBytes } from "../genome-text.ts";
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

/** Texts with all that the loops over every byte tell apart. */
const samples: readonly (readonly [path: string, text: string])[] = [
  [
    "a.log",
    `[12:01:07] 0x1f node_7 \u0001\u001b[1m at\u00a0(3, 4)\u2003e9 caf\u00e9 \u6f22\u5b57 \u{13080} ${"deadbeef is 12 of x\n".repeat(300)}`,
  ],
  ["a.csv", 'question,answer\nWhy?,"So ""it"" is, now"\n"Odd" one?,So be it\r\n\nHow?,"Thus it was."\n'],
];

/**
 * Makes the function that reads blobs. It reads samples first: a compiler that has seen all branches of a loop need not
 * throw away its code for each of them, which in the first second takes longer than the reading.
 */
export async function createReader(options: ReaderOptions): Promise<(blob: Blob) => Reading> {
  // Loaded only where it is wanted: it brings most of the other rooms along, into every thread.
  const { tokenizerOf } = options.tokenizer === null ? {} : await import("../../models/tokenizer-of.ts");
  const tokenizer = await tokenizerOf?.(options.tokenizer!);
  const sketch = createSketcher();
  const sketched = (text: Uint8Array, kind: Gene["kind"]): Sketch => sketch(text, { template: kind === "log" });

  const readBlob = ({ bytes, repository, path, known }: Blob): Reading => {
    if (known !== undefined) {
      return { content: bytes, known, sketch: sketched(unescapeBytes(bytes), known.kind) };
    }
    const file = { repository, path };
    const read = options.verbatim === true ? readVerbatim(bytes, file) : readContent(bytes, file, options);
    if (typeof read === "string") return { skipped: read };
    const { kind, language } = read;
    const cleaned = options.mask ? clean(read.text) : { text: read.text, masked: {} };
    const escaped = escapeContent(cleaned.text);
    const content = encoder.encode(escaped);
    const text = escaped === cleaned.text ? content : encoder.encode(cleaned.text);
    const transforms: string[] = [...read.transforms];
    if (Object.keys(cleaned.masked).length > 0) transforms.push(cleanVersion);
    if (escaped !== cleaned.text) transforms.push("escape-markers@1");
    const flags = [...read.flags];
    if (text.length > sketchLimit) flags.push("too-long-to-compare");
    return {
      content,
      known: {
        textSha256: createHash("sha256").update(content).digest("hex"),
        transforms,
        kind,
        language,
        licence: fileLicence(path, cleaned.text),
        tokens: tokenizer?.encodeContent(cleaned.text).length ?? null,
        quality: quality(text),
        masked: cleaned.masked,
        flags,
      },
      sketch: sketched(text, kind),
    };
  };
  for (const [path, text] of samples) readBlob({ bytes: encoder.encode(text), repository: "", path });
  return readBlob;
}
