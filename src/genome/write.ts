/** Repositories to the genome's text and genes: one pass that appends in order, and one that marks duplicates. */
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { canonicalJson } from "../formats/files.ts";
import { damageError } from "./audit/damage.ts";
import type { BlobsRead } from "./audit/integrity-report.ts";
import type { GenomeEvent } from "./events.ts";
import { FirstPass } from "./first-pass.ts";
import type { FormerGenome } from "./former.ts";
import { schemaName, schemaVersion } from "./gene.ts";
import type { GenomeLock, GenomeManifest } from "./gene.ts";
import type { Git } from "./git.ts";
import { markDuplicates, partialName } from "./mark-duplicates.ts";
import { openRepository } from "./read-repository.ts";
import type { NamedRepository } from "./read-repository.ts";
import type { ReaderPool } from "./reading/pool.ts";
import type { Asked } from "./standing.ts";
import { TextWriter } from "./text-writer.ts";

export interface WriteOptions {
  readonly git: Git;
  /** Closed when everything is read. */
  readonly pool: ReaderPool;
  readonly former: FormerGenome | undefined;
  readonly asked: GenomeManifest["options"];
  /** Whether blobs that cannot be had are left out instead of refused. */
  readonly allowDamaged: boolean;
  readonly onEvent: (event: GenomeEvent) => void;
  readonly signal: AbortSignal | undefined;
}

/** What was written, and what was found while reading. */
export interface WrittenGenome {
  readonly lock: GenomeLock;
  readonly counts: Omit<GenomeManifest["counts"], "history">;
  readonly genomeBytes: number;
  /** SHA-256 by file name. */
  readonly files: GenomeManifest["files"];
  /** In the order of the lock. */
  readonly blobs: readonly BlobsRead[];
}

/**
 * Writes genome.txt, genes.jsonl and genome.lock.json into an empty folder.
 *
 * @throws UserError "damaged" naming repository, path and blob; "empty" where there is no text at all
 */
export async function writeGenome(
  folder: string,
  named: readonly NamedRepository[],
  options: WriteOptions,
): Promise<WrittenGenome> {
  const text = await TextWriter.create(join(folder, "genome.txt"));
  const rows = await TextWriter.create(join(folder, partialName));
  const pass = new FirstPass(text, rows, { ...options, licences: options.asked.licences });
  const licences: string[] = [];
  const blobs: BlobsRead[] = [];
  try {
    for (const [i, repository] of named.entries()) {
      const opened = await openRepository(repository, { ...options, ...options.asked });
      const { name, snapshot } = repository;
      await pass.append({ name, commit: snapshot.commit }, opened, { done: i + 1, total: named.length });
      const { damaged, verified, licence } = opened;
      if (damaged.length > 0 && !options.allowDamaged) throw damageError(damaged, mend(repository));
      licences.push(licence);
      blobs.push({ name, files: opened.blobs, verified, damaged });
    }
  } catch (error) {
    await text.abandon();
    await rows.abandon();
    throw error;
  }
  await options.pool.close(); // Its threads hold memory that the second pass needs.
  const genomeSha256 = await text.end();
  await rows.end();
  if (pass.columns.count === 0) {
    throw new UserError("empty", `there is no text in ${named.map(({ name }) => name).join(", ")}`, {
      hint: "Name repositories that hold text files, or ask for less strict licences.",
    });
  }
  const tell = (done: number, total: number): void => options.onEvent({ type: "comparing", done, total });
  const { sha256: genesSha256, duplicateBytes } = await markDuplicates(folder, pass.columns, tell);
  const lock = lockOf(named, licences);
  const lockText = canonicalJson(lock);
  await writeFile(join(folder, "genome.lock.json"), lockText);
  return {
    lock,
    counts: { ...pass.counts(), repositories: named.length, duplicateBytes },
    genomeBytes: text.bytes,
    files: { "genome.lock.json": hash(lockText), "genes.jsonl": genesSha256, "genome.txt": genomeSha256 },
    blobs,
  };
}

function mend({ url, snapshot }: NamedRepository): string {
  const how =
    url === null
      ? "Check the repository with git fsck and fetch what is missing"
      : `Remove ${snapshot.gitDir}, so that it is cloned again`;
  return `${how}, or accept the gap with --allow-damaged.`;
}

function lockOf(named: readonly NamedRepository[], licences: readonly string[]): GenomeLock {
  const repositories = named.map(({ name, url, ref, snapshot: { commit, tree, shallow } }, i) => ({
    name,
    url,
    ref,
    commit,
    tree,
    shallow,
    licence: licences[i]!,
  }));
  return { schemaVersion, repositories };
}

/** Writes the manifest over what was written; the last of the files that reproduce. */
export async function writeManifest(
  folder: string,
  written: Pick<GenomeManifest, "counts" | "files" | "genomeBytes" | "damaged" | "imported">,
  { tool, rules, options }: Asked,
): Promise<GenomeManifest> {
  const { counts, files, genomeBytes, damaged, imported } = written;
  const manifest: GenomeManifest = {
    schema: schemaName,
    schemaVersion,
    tool,
    format: "safe",
    imported,
    rules: [...rules],
    options,
    files,
    genomeBytes,
    counts,
    damaged,
  };
  await writeFile(join(folder, "manifest.json"), canonicalJson(manifest));
  return manifest;
}

function hash(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}
