/** Repositories to the files of a genome, in one pass: every blob verified, decoded, classified and appended in order. */
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { canonicalJson } from "../formats/files.ts";
import type { Acquired } from "./acquire.ts";
import type { SkipReason } from "./content/decode.ts";
import { readContent } from "./content/read.ts";
import type { GenomeEvent } from "./events.ts";
import { schemaName, schemaVersion } from "./gene.ts";
import type { Gene, GenomeLock, GenomeManifest } from "./gene.ts";
import { escapeContent, escapeName, fileEnd, fileHeader, repositoryEnd, repositoryHeader } from "./genome-text.ts";
import type { Git } from "./git.ts";
import { listTree, readBlobs } from "./objects.ts";
import type { TreeEntry } from "./objects.ts";
import { comparePaths } from "./order.ts";
import { TextWriter } from "./text-writer.ts";

export type NamedRepository = Acquired & { readonly name: string };

export interface WriteOptions {
  readonly git: Git;
  readonly onEvent: (event: GenomeEvent) => void;
  readonly fileBytes: number;
}

/**
 * Writes the four files of a genome into an empty folder, the manifest last.
 *
 * @throws UserError "damaged" naming repository, path and blob; "empty" where there is no text at all
 */
export async function writeGenome(
  folder: string,
  named: readonly NamedRepository[],
  options: WriteOptions,
): Promise<GenomeManifest> {
  const writer = await TextWriter.create(join(folder, "genome.txt"));
  const genes: Gene[] = [];
  const skipped: Record<string, number> = {};
  try {
    for (const [i, repository] of named.entries()) {
      const before = genes.length;
      await writer.write(repositoryHeader(Buffer.from(repository.name)));
      await writeRepository(repository, writer, genes, skipped, options);
      await writer.write(repositoryEnd);
      const added = genes.slice(before);
      options.onEvent({
        type: "repository-read",
        name: repository.name,
        genes: added.length,
        bytes: sum(added, (gene) => gene.bytes),
        done: i + 1,
        total: named.length,
      });
    }
  } catch (error) {
    await writer.abandon();
    throw error;
  }
  const genomeSha256 = await writer.end();
  if (genes.length === 0) {
    throw new UserError("empty", `there is no text in ${named.map(({ name }) => name).join(", ")}`, {
      hint: "Name repositories that hold text files.",
    });
  }
  const marked = markExactDuplicates(genes);
  const rows = marked.map((gene) => `${JSON.stringify(gene)}\n`).join("");
  const lock = canonicalJson(lockOf(named));
  const manifest: GenomeManifest = {
    schema: schemaName,
    schemaVersion,
    tool: await readTool(),
    format: "safe",
    files: { "genome.lock.json": hash(lock), "genes.jsonl": hash(rows), "genome.txt": genomeSha256 },
    genomeBytes: writer.bytes,
    limits: { fileBytes: options.fileBytes },
    counts: {
      repositories: named.length,
      genes: marked.length,
      bytes: sum(marked, (gene) => gene.bytes),
      kinds: tally(marked.map((gene) => gene.kind)),
      skipped,
      duplicateBytes: { exact: sum(marked, (gene) => (gene.representative ? 0 : gene.bytes)) },
    },
  };
  await writeFile(join(folder, "genes.jsonl"), rows);
  await writeFile(join(folder, "genome.lock.json"), lock);
  await writeFile(join(folder, "manifest.json"), canonicalJson(manifest));
  return manifest;
}

/** Appends one repository's files to the text and their genes to the list, in order. */
async function writeRepository(
  repository: NamedRepository,
  writer: TextWriter,
  genes: Gene[],
  skipped: Record<string, number>,
  { git, fileBytes }: WriteOptions,
): Promise<void> {
  const { name, snapshot } = repository;
  const skip = (reason: SkipReason): void => void (skipped[reason] = (skipped[reason] ?? 0) + 1);
  const entries = (await listTree(git, snapshot, name)).sort((a, b) => comparePaths(a.path, b.path));
  const blobs = entries.filter(({ type }) => type === "blob");
  for (const { type } of entries) {
    if (type === "commit") skip("submodule");
    if (type === "unsafe") skip("unsafe-path");
  }
  let next = 0;
  for await (const answer of readBlobs(
    git,
    snapshot.gitDir,
    blobs.map(({ id }) => id),
    { limit: fileBytes },
  )) {
    const entry = blobs[next++]!;
    if ("damage" in answer) throw damaged(repository, entry, answer.damage);
    // Links are verified like all blobs, and never followed.
    if (entry.mode === "120000") {
      skip("symlink");
      continue;
    }
    const isNamed = isUtf8(entry.path);
    const path = isNamed ? Buffer.from(entry.path).toString() : escapeName(entry.path);
    const read = answer.content === null ? "too-large" : readContent(answer.content, { repository: name, path });
    if (typeof read === "string") {
      skip(read);
      continue;
    }
    const { text, transforms, kind, language, flags } = read;
    const escaped = escapeContent(text);
    const content = Buffer.from(escaped);
    await writer.write(fileHeader(entry.path));
    const textOffset = writer.bytes;
    await writer.write(content);
    await writer.write(fileEnd);
    genes.push({
      repository: name,
      commit: snapshot.commit,
      path,
      blob: entry.id,
      sha256: answer.sha256,
      bytes: answer.bytes,
      textSha256: hash(content),
      textOffset,
      textBytes: content.length,
      transforms: escaped === text ? [...transforms] : [...transforms, "escape-markers@1"],
      kind,
      language,
      duplicateClass: null,
      duplicateKind: null,
      representative: true,
      flags: [...flags, ...(isNamed ? [] : ["path-escaped"])],
    });
  }
}

function damaged({ name, url, snapshot }: NamedRepository, entry: TreeEntry, damage: string): UserError {
  const what = damage === "different content" ? "does not hold the content of its id" : `is ${damage}`;
  const where =
    url === null
      ? "Check the repository with git fsck and fetch what is missing."
      : `Remove ${snapshot.gitDir}, so that it is cloned again.`;
  return new UserError("damaged", `${name}: ${escapeName(entry.path)}: blob ${entry.id} ${what}`, { hint: where });
}

/** Gives genes of equal text one class, named by that text, with the first as its representative. */
function markExactDuplicates(genes: readonly Gene[]): Gene[] {
  const classes = Map.groupBy(genes, (gene) => gene.textSha256);
  return genes.map((gene) => {
    const members = classes.get(gene.textSha256)!;
    if (members.length === 1) return gene;
    const duplicateClass = `exact:${gene.textSha256.slice(0, 16)}`;
    return { ...gene, duplicateClass, duplicateKind: "exact" as const, representative: members[0] === gene };
  });
}

export function lockOf(named: readonly NamedRepository[]): GenomeLock {
  const repositories = named.map(({ name, url, snapshot: { commit, tree } }) => ({ name, url, commit, tree }));
  return { schemaVersion, repositories };
}

async function readTool(): Promise<GenomeManifest["tool"]> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  const { name, version } = JSON.parse(text) as { name: string; version: string };
  return { name, version };
}

function hash(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function tally(items: readonly string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(items, (item) => item)].map(([key, group]) => [key, group.length]));
}
