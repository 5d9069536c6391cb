/** The history.jsonl of a genome: which files' changes it holds, read and masked as the genome's own texts are. */
import { join } from "node:path";
import { readGenes } from "./audit/genes-file.ts";
import { clean } from "./clean/clean.ts";
import { readContent } from "./content/read.ts";
import type { GenomeEvent } from "./events.ts";
import type { Gene, GenomeManifest } from "./gene.ts";
import type { Git } from "./git.ts";
import { writeHistory } from "./history/write-history.ts";
import type { NamedRepository } from "./read-repository.ts";

const fileName = "history.jsonl";

/** Nobody wrote these by hand, or they are kept copies; how they changed teaches nothing. */
const unwanted: ReadonlySet<Gene["kind"]> = new Set([
  "lock",
  "generated",
  "vendored",
  "minified",
  "backup",
  "log",
  "data",
]);

export interface ChangesOptions {
  readonly git: Git;
  readonly extensions: "any" | "ecosystem";
  readonly mask: boolean;
  readonly onEvent: (event: GenomeEvent) => void;
}

/**
 * Writes history.jsonl beside the genes of a folder.
 *
 * @returns what the manifest says of it, and its SHA-256 by name
 */
export async function writeChanges(
  folder: string,
  named: readonly NamedRepository[],
  { git, extensions, mask, onEvent }: ChangesOptions,
): Promise<{ history: GenomeManifest["counts"]["history"]; files: Readonly<Record<string, string>> }> {
  const wanted = new Set<string>();
  for await (const { repository, path, kind } of readGenes(folder)) {
    if (!unwanted.has(kind)) wanted.add(keyOf(repository, path));
  }
  const { sha256, ...history } = await writeHistory(join(folder, fileName), named, {
    git,
    wanted: (path, repository) => wanted.has(keyOf(repository, path)),
    read: (bytes, file) => readContent(bytes, file, { extensions }),
    clean: mask ? clean : (text) => ({ text, masked: {} }),
    onProgress: (progress) => onEvent({ type: "history", ...progress }),
  });
  return { history, files: { [fileName]: sha256 } };
}

function keyOf(repository: string, path: string): string {
  return `${repository}\0${path}`;
}
