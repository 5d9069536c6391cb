/** Builds a genome folder from sources: brings their repositories here, names and orders them, publishes what is written. */
import { resolve } from "node:path";
import { UserError } from "../errors.ts";
import { acquire, nothingHad } from "./acquire.ts";
import type { Missing } from "./acquire.ts";
import type { GenomeEvent } from "./events.ts";
import type { GenomeManifest, LockedRepository } from "./gene.ts";
import { createGit } from "./git.ts";
import { compareRepositories } from "./order.ts";
import { checkPlace, publishFolder } from "./publish.ts";
import { assignNames } from "./source.ts";
import { lockOf, writeGenome } from "./write.ts";
import type { NamedRepository } from "./write.ts";

export type { Missing } from "./acquire.ts";
export type { GenomeEvent } from "./events.ts";

export interface BuildGenomeOptions {
  /** Local repositories and git URLs; each of them must be had. */
  readonly sources: readonly string[];
  /** A repository or README file (path or URL) whose links name more repositories; those that cannot be had are skipped. */
  readonly hub?: string | undefined;
  /** Folder that becomes the genome: absent, empty, or an earlier genome, which is replaced. */
  readonly out: string;
  /** Folder of the bare clones, kept for the next build (default: `out` with `.clones` appended). */
  readonly cache?: string | undefined;
  /** Larger files are verified but not taken (default 4 MiB). */
  readonly fileBytes?: number | undefined;
  readonly onEvent?: ((event: GenomeEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Environment git starts from (default: this process's own). */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Milliseconds that a remote may take to answer (default 30,000). */
  readonly probeMs?: number | undefined;
}

export interface GenomeSummary {
  readonly dir: string;
  /** SHA-256 of genome.txt. */
  readonly sha256: string;
  readonly repositories: readonly LockedRepository[];
  /** Links of the hub that could not be had. */
  readonly missing: readonly Missing[];
  readonly genes: number;
  /** Bytes of the raw blobs that became genes. */
  readonly bytes: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly skipped: Readonly<Record<string, number>>;
  readonly duplicateBytes: { readonly exact: number };
}

/**
 * Builds a genome. The same commits give the same bytes, wherever and whenever it runs.
 *
 * @throws UserError "usage", "exists", "not-found", "not-a-repository", "unreachable", "empty", "damaged", "no-git",
 * "interrupted"
 */
export async function buildGenome(options: BuildGenomeOptions): Promise<GenomeSummary> {
  const out = resolve(options.out);
  if (options.sources.length === 0 && options.hub === undefined) {
    throw new UserError("usage", "no source was given", { hint: "Name a repository (path or URL), or a hub." });
  }
  await checkPlace(out);
  const onEvent = options.onEvent ?? (() => {});
  const { env, signal } = options;
  const git = createGit({ ...(env === undefined ? {} : { env }), ...(signal === undefined ? {} : { signal }) });
  const { repositories, missing } = await acquire(options.sources, options.hub, {
    git,
    onEvent,
    cache: resolve(options.cache ?? `${out}.clones`),
    ...(options.probeMs === undefined ? {} : { probeMs: options.probeMs }),
  });
  if (repositories.length === 0) throw nothingHad(missing);
  const names = assignNames(repositories.map(({ parts }) => parts));
  const named = repositories
    .map((repository, i): NamedRepository => ({ ...repository, name: names[i]! }))
    .sort((a, b) => compareRepositories(a.name, b.name));
  let manifest: GenomeManifest | undefined;
  await publishFolder(out, async (folder) => {
    manifest = await writeGenome(folder, named, { git, onEvent, fileBytes: options.fileBytes ?? 4 << 20 });
  });
  const { counts, files } = manifest!;
  const sha256 = files["genome.txt"];
  onEvent({ type: "genome-done", dir: out, genes: counts.genes, bytes: counts.bytes, sha256 });
  const { genes, bytes, kinds, skipped, duplicateBytes } = counts;
  return {
    dir: out,
    sha256,
    repositories: lockOf(named).repositories,
    missing,
    genes,
    bytes,
    kinds,
    skipped,
    duplicateBytes,
  };
}
