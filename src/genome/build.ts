/** Builds a genome folder from sources: brings their repositories here, names and orders them, publishes what is written. */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { UserError } from "../errors.ts";
import { packageVersion } from "../formats/package-root.ts";
import { acquire, acquireLocked, nothingHad } from "./acquire.ts";
import type { Acquisition, AcquireOptions, Missing } from "./acquire.ts";
import { auditGenome, recordedAudit, repositoryAudits } from "./audit-build.ts";
import { writeSums } from "./audit/sums.ts";
import type { StatusCounts } from "./audit/status.ts";
import { createEventLog } from "./event-log.ts";
import type { GenomeEvent } from "./events.ts";
import { FormerGenome } from "./former.ts";
import type { GenomeManifest, LockedRepository } from "./gene.ts";
import { createGit } from "./git.ts";
import { licenceGate } from "./licences/gate.ts";
import { readLock } from "./lock.ts";
import { compareRepositories } from "./order.ts";
import { checkPlace, publishFolder } from "./publish.ts";
import type { NamedRepository } from "./read-repository.ts";
import { createReaderPool } from "./reading/pool.ts";
import { readingRules } from "./reading/reader.ts";
import { assignNames } from "./source.ts";
import { earlierGenome, sameReading, stands } from "./standing.ts";
import type { Asked } from "./standing.ts";
import { writeGenome, writeManifest } from "./write.ts";

export type { Missing } from "./acquire.ts";
export type { GenomeEvent } from "./events.ts";

export interface BuildGenomeOptions {
  /**
   * Local repositories, git URLs and `owner/name`, each with an optional `@` and a branch, tag or commit. With `locked`:
   * the folders of the lock's local repositories.
   */
  readonly sources: readonly string[];
  /** A repository, README or list (path or URL) that names more repositories. */
  readonly hub?: string | undefined;
  /** A genome's lock, or its folder: exactly its commits are built, under its names. */
  readonly locked?: string | undefined;
  /** Folder that becomes the genome: absent, empty, or an earlier genome, which is brought up to date. */
  readonly out: string;
  /** Folder of the bare clones, kept for the next build (default: `out` with `.clones` appended). */
  readonly cache?: string | undefined;
  /** Larger files are verified but not taken (default 4 MiB). */
  readonly fileBytes?: number | undefined;
  /** Once the files taken of one repository exceed this, the rest is verified but not taken (default 16 GiB). */
  readonly repositoryBytes?: number | undefined;
  /** "any" (default): all that is text; "ecosystem": only the extensions that the ecosystem's merging step takes. */
  readonly extensions?: "any" | "ecosystem" | undefined;
  /** "any" (default), "permissive", or SPDX ids between commas; files under other licences are left out. */
  readonly licences?: string | undefined;
  /** Whether secrets and personal data are masked (default true). */
  readonly mask?: boolean | undefined;
  /** Whether history.jsonl is written (default false). */
  readonly history?: boolean | undefined;
  /** A model's folder or GGUF file whose tokenizer counts tokens. */
  readonly tokenizer?: string | undefined;
  /** Whether a source that cannot be had ends the build; a lock always wants all. */
  readonly requireAll?: boolean | undefined;
  /** Whether blobs that are absent, unreadable or wrong are left out, and the gap recorded. */
  readonly allowDamaged?: boolean | undefined;
  /** Whether everything is read again, whatever an earlier genome in `out` knows. */
  readonly fresh?: boolean | undefined;
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
  /** Sources that could not be had. */
  readonly missing: readonly Missing[];
  readonly genes: number;
  /** Bytes of the raw blobs that became genes. */
  readonly bytes: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly skipped: Readonly<Record<string, number>>;
  /** Bytes of the texts that repeat another one, by kind of class. */
  readonly duplicates: GenomeManifest["counts"]["duplicateBytes"];
  /** Pieces masked, by kind. */
  readonly masked: Readonly<Record<string, number>>;
  readonly history: GenomeManifest["counts"]["history"];
  /** How many checks of the integrity report ended in each status. */
  readonly audit: StatusCounts;
  readonly damaged: GenomeManifest["damaged"];
  /** Whether the genome stood there already, whole and of the same commits. */
  readonly unchanged: boolean;
}

/**
 * Builds a genome. The same commits give the same bytes, wherever and whenever it runs.
 *
 * @throws UserError "usage", "exists", "not-found", "not-a-repository", "unreachable", "unsupported", "empty", "damaged",
 * "mismatch", "no-git", "gate" (a source cannot be had and all are required), "interrupted"
 */
export async function buildGenome(options: BuildGenomeOptions): Promise<GenomeSummary> {
  const began = performance.now();
  const out = resolve(options.out);
  checkRequest(options);
  const asked = await askedFor(options);
  await checkPlace(out);
  const log = createEventLog(options.onEvent ?? (() => {}), () => new Date());
  const { env, signal, probeMs } = options;
  const git = createGit({ ...(env === undefined ? {} : { env }), ...(signal === undefined ? {} : { signal }) });
  const network: AcquireOptions = {
    git,
    onEvent: log.onEvent,
    cache: resolve(options.cache ?? `${out}.clones`),
    ...(probeMs === undefined ? {} : { probeMs }),
  };
  const { named, missing, lockedTrees } = await nameAll(options, network);

  const earlier = options.fresh === true ? undefined : await earlierGenome(out);
  if (earlier !== undefined && stands(earlier, named, asked)) {
    const audit = await recordedAudit(out);
    if (audit !== undefined) return done(earlier.manifest, earlier.repositories, audit, true);
  }

  const former = earlier !== undefined && sameReading(earlier, asked) ? await FormerGenome.open(out) : undefined;
  const reading = { ...asked.options, tokenizer: options.tokenizer ?? null };
  const pool = await createReaderPool(reading);
  let summary: GenomeSummary | undefined;
  try {
    await publishFolder(out, async (folder) => {
      const auditing = repositoryAudits(named, lockedTrees, network);
      const allowDamaged = options.allowDamaged === true;
      const write = { git, pool, former, asked: asked.options, allowDamaged, onEvent: log.onEvent, signal };
      const genome = await writeGenome(folder, named, write);
      const changes = asked.options.history
        ? await (
            await import("./write-changes.ts")
          ).writeChanges(folder, named, { git, ...reading, onEvent: log.onEvent })
        : { history: null, files: {} };
      const files = { ...genome.files, ...changes.files };
      const counts = { ...genome.counts, history: changes.history };
      const damaged = genome.blobs.flatMap((blobs) => blobs.damaged);
      const { genomeBytes } = genome;
      const manifest = await writeManifest(folder, { counts, files, genomeBytes, damaged, imported: false }, asked);
      await writeSums(folder, files);
      const audits = await auditing;
      const audit = await auditGenome(folder, { named, audits, blobs: genome.blobs, began });
      log.onEvent({ type: "audited", counts: audit });
      summary = done(manifest, genome.lock.repositories, audit, false);
      await log.write(folder);
    });
  } finally {
    await former?.close();
    await pool.close();
  }
  return summary!;

  function done(
    manifest: GenomeManifest,
    repositories: readonly LockedRepository[],
    audit: StatusCounts,
    unchanged: boolean,
  ): GenomeSummary {
    const { genes, bytes, kinds, skipped, masked, duplicateBytes, history } = manifest.counts;
    const sha256 = manifest.files["genome.txt"];
    log.onEvent({ type: "genome-done", dir: out, genes, bytes, sha256 });
    return {
      dir: out,
      sha256,
      repositories,
      missing,
      genes,
      bytes,
      kinds,
      skipped,
      duplicates: duplicateBytes,
      masked,
      history,
      audit,
      damaged: manifest.damaged,
      unchanged,
    };
  }
}

function checkRequest({ sources, hub, locked, licences }: BuildGenomeOptions): void {
  if (sources.length === 0 && hub === undefined && locked === undefined) {
    throw new UserError("usage", "no source was given", { hint: "Name a repository (path or URL), or a hub." });
  }
  if (hub !== undefined && locked !== undefined) {
    throw new UserError("usage", "a hub was given beside a lock, which names all repositories itself", {
      hint: "Give one of the two.",
    });
  }
  licenceGate(licences ?? "any");
}

async function askedFor(options: BuildGenomeOptions): Promise<Asked> {
  return {
    tool: { name: "symbiotic-chrysalis", version: packageVersion() },
    rules: readingRules,
    options: {
      fileBytes: options.fileBytes ?? 4 << 20,
      repositoryBytes: options.repositoryBytes ?? 2 ** 34,
      extensions: options.extensions ?? "any",
      licences: options.licences ?? "any",
      mask: options.mask ?? true,
      history: options.history ?? false,
      tokenizer: options.tokenizer === undefined ? null : await tokenizerHash(options.tokenizer),
    },
  };
}

async function tokenizerHash(path: string): Promise<string> {
  const { tokenizerOf } = await import("../models/tokenizer-of.ts"); // Few builds want it and what it brings along.
  const { files } = await tokenizerOf(path);
  return createHash("sha256").update(files.get("tokenizer.json")!).digest("hex");
}

interface Named {
  readonly named: readonly NamedRepository[];
  readonly missing: readonly Missing[];
  /** By name; empty where no lock is followed. */
  readonly lockedTrees: ReadonlyMap<string, string>;
}

/** Brings the repositories here, and gives them their names and their order. */
async function nameAll(options: BuildGenomeOptions, network: AcquireOptions): Promise<Named> {
  const { sources, hub, locked } = options;
  if (locked !== undefined) {
    const rows = await readLock(locked);
    const acquired = await acquireLocked(rows, sources, network);
    refuseGaps(acquired, true);
    const lockedTrees = new Map(rows.map(({ name, tree }) => [name, tree]));
    return { named: inOrder(acquired.repositories), missing: [], lockedTrees };
  }
  const acquired = await acquire(sources, hub, network);
  refuseGaps(acquired, options.requireAll === true);
  const names = assignNames(acquired.repositories.map(({ parts }) => parts));
  const named = acquired.repositories.map((repository, i) => ({ ...repository, name: names[i]! }));
  return { named: inOrder(named), missing: acquired.missing, lockedTrees: new Map() };
}

function inOrder(repositories: readonly NamedRepository[]): NamedRepository[] {
  return repositories.toSorted((a, b) => compareRepositories(a.name, b.name));
}

function refuseGaps({ repositories, missing }: Acquisition, requireAll: boolean): void {
  const [first] = missing;
  if (first !== undefined && requireAll) {
    const others = missing.length === 1 ? "" : `, and ${missing.length - 1} more cannot be had`;
    throw new UserError("gate", `${first.url}: ${first.reason}${others}`, {
      hint: "All repositories are required here; see git ls-remote for what each of them answers.",
    });
  }
  if (repositories.length === 0) throw nothingHad(missing);
}
