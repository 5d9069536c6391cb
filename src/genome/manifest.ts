/** Opens a finished genome folder: the one door through which later stages see a genome. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";
import { UserError } from "../errors.ts";
import { openForReading, readExactly, readJson, readLimited, sha256OfFile } from "../formats/files.ts";
import { readJsonLines } from "../formats/jsonl.ts";
import { geneSchema, lockSchema, manifestSchema } from "./gene.ts";
import type { Gene, GenomeManifest, LockedRepository } from "./gene.ts";
import { unescapeContent } from "./genome-text.ts";

export { parseDialogue } from "./content/dialogue.ts";
export { kinds } from "./content/classify.ts";
export { duplicateKinds } from "./gene.ts";
export type { Kind } from "./content/classify.ts";
export type { Gene, GenomeManifest, LockedRepository } from "./gene.ts";

/** What a commit changed in a file: a row of history.jsonl as later stages use it. */
const changeSchema = z
  .object({
    repository: z.string(),
    path: z.string(),
    commit: z.string(),
    subject: z.string(),
    hunks: z.array(
      z.object({ old: z.string(), new: z.string(), contextBefore: z.string(), contextAfter: z.string() }).readonly(),
    ),
  })
  .readonly();
export type Change = z.infer<typeof changeSchema>;

/** A genome folder, checked and open. */
export interface Genome {
  readonly dir: string;
  /** SHA-256 of genome.txt. */
  readonly sha256: string;
  readonly manifest: GenomeManifest;
  /** In the order of genome.txt. */
  readonly repositories: readonly LockedRepository[];
  /** In the order of genome.txt. */
  readonly genes: readonly Gene[];
  /**
   * The text of a gene: its content in genome.txt, unescaped, without the newline that the format adds.
   *
   * @throws UserError "damaged" where the content does not hash to what genes.jsonl says
   */
  text(gene: Gene): Promise<string>;
  /**
   * What commits changed in the files, the newest first in each repository.
   *
   * @throws UserError "not-found" where the genome was built without, "damaged" where the file is not the manifest's
   */
  changes(): AsyncGenerator<Change, void, void>;
  close(): Promise<void>;
}

const remedy = { hint: "Build the genome again." };

/**
 * Opens and checks a genome folder. Its lock and genes are hashed at once, genome.txt piece by piece as it is read.
 *
 * @throws UserError "not-found" where there is no finished genome, "damaged" where one does not hold what it should
 */
export async function openGenome(dir: string): Promise<Genome> {
  const manifest = await readManifest(dir);
  const lock = parsed(
    lockSchema,
    JSON.parse(await readChecked(dir, "genome.lock.json", manifest)),
    join(dir, "genome.lock.json"),
  );
  const lines = (await readChecked(dir, "genes.jsonl", manifest)).split("\n");
  lines.pop();
  const genes = lines.map((line, i) =>
    parsed(geneSchema, JSON.parse(line), `${join(dir, "genes.jsonl")} line ${i + 1}`),
  );
  const path = join(dir, "genome.txt");
  const { handle, size } = await openForReading(path);
  if (size !== manifest.genomeBytes) {
    await handle.close();
    throw new UserError("damaged", `${path} has ${size} bytes, its manifest says ${manifest.genomeBytes}`, remedy);
  }
  return {
    dir,
    sha256: manifest.files["genome.txt"],
    manifest,
    repositories: lock.repositories,
    genes,
    async text(gene) {
      const bytes = Buffer.alloc(gene.textBytes);
      await readExactly(handle, bytes, gene.textOffset, path);
      if (sha256(bytes) !== gene.textSha256) {
        throw new UserError("damaged", `${path}: the text of ${gene.repository}/${gene.path} was changed`, remedy);
      }
      return unescapeContent(bytes.toString("utf8"));
    },
    changes: () => readChanges(dir, manifest),
    close: () => handle.close(),
  };
}

async function* readChanges(dir: string, { files }: GenomeManifest): AsyncGenerator<Change, void, void> {
  const path = join(dir, "history.jsonl");
  const expected = files["history.jsonl"];
  if (expected === undefined) {
    throw new UserError("not-found", `the genome in ${dir} holds no changes of its files`, {
      hint: "build it with chrysalis genome build --history",
    });
  }
  if ((await sha256OfFile(path)) !== expected) {
    throw new UserError("damaged", `${path} is not the file that its manifest names`, remedy);
  }
  for await (const { line, value } of readJsonLines(path)) yield parsed(changeSchema, value, `${path} line ${line}`);
}

/**
 * The manifest of a finished genome folder, for those who read its files as streams and check their hashes themselves.
 *
 * @throws UserError "not-found" where there is no finished genome, "damaged" where the manifest is none
 */
export async function readManifest(dir: string): Promise<GenomeManifest> {
  const path = join(dir, "manifest.json");
  try {
    return parsed(manifestSchema, await readJson(path), path);
  } catch (cause) {
    if (!(cause instanceof UserError) || cause.code !== "not-found") throw cause;
    throw new UserError("not-found", `${dir} holds no finished genome (there is no manifest.json)`, {
      ...remedy,
      cause,
    });
  }
}

async function readChecked(
  dir: string,
  name: "genome.lock.json" | "genes.jsonl",
  manifest: GenomeManifest,
): Promise<string> {
  const path = join(dir, name);
  const bytes = await readLimited(path, 1 << 30);
  if (sha256(bytes) !== manifest.files[name]) {
    throw new UserError("damaged", `${path} is not the file that its manifest names`, remedy);
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new UserError("damaged", `${where}: ${issue?.path.join(".") || "it"}: ${issue?.message ?? "invalid"}`, {
    hint: "It may come from another version of this program. Build the genome again.",
    cause: result.error,
  });
}
