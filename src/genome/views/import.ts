/** A genome text made into a genome folder: what the text cannot tell (commits, dates) is null, the rest is found out. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { UserError } from "../../errors.ts";
import { atomicFolder, openForReading, readJson } from "../../formats/files.ts";
import { manifestSchema } from "../gene.ts";
import { createReaderPool } from "../reading/pool.ts";
import { readEcosystemText } from "../text/ecosystem.ts";
import { readSafeText } from "../text/safe.ts";
import { hashed, readFileBytes } from "./genome-pieces.ts";
import type { Watched } from "./genome-pieces.ts";
import { surveyText } from "./import-survey.ts";
import { writeImported } from "./write-imported.ts";
import type { WrittenImport } from "./write-imported.ts";

export type TextFormat = "safe" | "ecosystem";

export type ImportStage = "surveying" | "importing" | "comparing";

export interface ImportOptions extends Omit<Watched, "onProgress"> {
  /** Default: safe for the genome.txt of a genome folder, else ecosystem, which keeps any text's bytes. */
  readonly format?: TextFormat | undefined;
  /** Bytes of the text; of "comparing" the texts that were compared with others. */
  readonly onProgress?: ((stage: ImportStage, done: number, total: number) => void) | undefined;
}

export interface Imported {
  readonly dir: string;
  readonly format: TextFormat;
  readonly repositories: number;
  readonly genes: number;
  /** Of the contents. */
  readonly bytes: number;
  /** SHA-256 of the text that was imported. */
  readonly sha256: string;
  /** Places where the text is not as an export writes it, and which are kept so that it is. */
  readonly edits: number;
  /** Bytes of the text that are in no file for that reason. */
  readonly editBytes: number;
  /** Content lines that look as if the safe format had escaped them, in a text read as the ecosystem's. */
  readonly escapedLines: number;
}

/**
 * Makes a genome folder of a genome text. It is read twice, as a stream: first for what a gene cannot know of itself,
 * its repository's licence. The genes are annotated as those of a build, but no text is changed: nothing is decoded,
 * converted, masked or left out, since the text must come out again with the identical bytes.
 *
 * @throws UserError "invalid" and "damaged" where it is no text of the format, with the line; "exists"; "not-found"
 */
export async function importGenome(file: string, out: string, options: ImportOptions = {}): Promise<Imported> {
  const { handle, size } = await openForReading(file);
  await handle.close();
  const format = options.format ?? (await formatOf(file));
  const read = (stage: "surveying" | "importing", hash: ReturnType<typeof createHash>) => {
    const { signal, onProgress } = options;
    const watched = { signal, onProgress: (done: number, total: number) => onProgress?.(stage, done, total) };
    const chunks = hashed(readFileBytes(file, size, watched), hash);
    return format === "safe" ? readSafeText(chunks, file) : readEcosystemText(chunks, file);
  };
  const surveyHash = createHash("sha256");
  const survey = await surveyText(read("surveying", surveyHash));
  const sha256 = surveyHash.digest("hex");
  if (survey.genes === 0) {
    throw new UserError("empty", `${file} holds no file`, { hint: "Give a genome text with files in it." });
  }
  let written: WrittenImport | undefined;
  const pool = await createReaderPool({ extensions: "any", mask: false, tokenizer: null, verbatim: true });
  try {
    await atomicFolder(out, async (folder) => {
      const again = createHash("sha256");
      written = await writeImported(folder, read("importing", again), {
        pool,
        licences: survey.licences,
        genes: survey.genes,
        edited: format === "safe" ? undefined : { bytes: size, sha256 },
        onComparing: (done, total) => {
          options.signal?.throwIfAborted();
          options.onProgress?.("comparing", done, total);
        },
        signal: options.signal,
      });
      if (again.digest("hex") !== sha256) {
        throw new UserError("damaged", `${file} changed while it was imported`, { hint: "Import it again." });
      }
    });
  } finally {
    await pool.close();
  }
  const { genes, bytes, edits, editBytes } = written!;
  const { escapedLines } = survey;
  const repositories = survey.licences.length;
  return {
    dir: out,
    format,
    repositories,
    genes,
    bytes,
    sha256,
    edits,
    editBytes,
    escapedLines: format === "safe" ? 0 : escapedLines,
  };
}

/** The text of a genome folder of ours is in the format that its manifest names; of any other text none is known. */
async function formatOf(file: string): Promise<TextFormat> {
  const manifest = join(dirname(file), "manifest.json");
  if (basename(file) !== "genome.txt" || !existsSync(manifest)) return "ecosystem";
  const ours = manifestSchema.safeParse(await readJson(manifest).catch(() => undefined)).success;
  return ours ? "safe" : "ecosystem";
}
