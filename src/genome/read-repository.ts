/** One repository's files to readings, in the genome's order: every blob verified, what is no gene counted. */
import type { Acquired } from "./acquire.ts";
import type { DamageRecord } from "./audit/damage.ts";
import { clean, holdsSecret } from "./clean/clean.ts";
import type { SkipReason } from "./content/decode.ts";
import type { FormerGenome } from "./former.ts";
import { genePath } from "./genome-text.ts";
import type { Git } from "./git.ts";
import type { PathHistory } from "./history/path-history.ts";
import { pathHistory } from "./history/path-history.ts";
import { isLicenceCandidate, repositoryLicence } from "./licences/licence.ts";
import { listTree, readBlobs } from "./objects.ts";
import type { TreeEntry } from "./objects.ts";
import { compareLatin1Paths } from "./order.ts";
import type { ReaderPool } from "./reading/pool.ts";
import type { Blob, Reading } from "./reading/reader.ts";
import { add } from "./tally.ts";

export type NamedRepository = Acquired & { readonly name: string };

/** A licence text that is longer says nothing more. */
const licenceBytes = 1 << 20;

export interface ReadOptions {
  readonly git: Git;
  readonly pool: ReaderPool;
  readonly former: FormerGenome | undefined;
  /** Larger blobs are verified but not taken. */
  readonly fileBytes: number;
  /** Once the blobs taken of one repository exceed this, the rest is verified but not taken. */
  readonly repositoryBytes: number;
}

/** A file that became a gene's text. */
export interface ReadFile {
  /** The path as git has it, and in the form of genome.txt. */
  readonly rawPath: Uint8Array;
  readonly path: string;
  readonly blob: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly reading: Extract<Reading, { content: Uint8Array }>;
}

/** What a repository holds, opened: its licence is known before its files are read, its history is being read. */
export interface OpenedRepository {
  readonly licence: string;
  readonly history: Promise<PathHistory>;
  /** Entries of the tree that are blobs, symbolic links among them. */
  readonly blobs: number;
  /** Filled as the files are read. */
  readonly skipped: Partial<Record<SkipReason, number>>;
  readonly damaged: DamageRecord[];
  /** Blobs that were hashed. */
  verified: number;
  files(): AsyncGenerator<ReadFile, void, void>;
}

/**
 * Lists a repository and opens it for reading.
 *
 * @throws UserError "damaged" where a tree is absent or unreadable; damaged blobs are listed in `damaged` instead
 */
export async function openRepository(repository: NamedRepository, options: ReadOptions): Promise<OpenedRepository> {
  const { name, snapshot } = repository;
  const { git } = options;
  const entries = (await listTree(git, snapshot, name)).sort((a, b) => compareLatin1Paths(a.latin1Path, b.latin1Path));
  const blobs = entries.filter(({ type }) => type === "blob");
  options.pool.expect(blobs.length);
  const history = pathHistory(git, snapshot, { name, paths: blobs.map(({ latin1Path }) => latin1Path) });
  history.catch(() => {}); // Whoever awaits it sees the failure.
  const opened: OpenedRepository = {
    licence: await licenceOf(repository, blobs, git),
    history,
    blobs: blobs.length,
    skipped: {},
    damaged: [],
    verified: 0,
    files: () => readFiles(repository, blobs, opened, options),
  };
  for (const { type } of entries) {
    if (type === "commit") skip(opened, "submodule");
    if (type === "unsafe") skip(opened, "unsafe-path");
  }
  return opened;
}

async function licenceOf({ snapshot }: NamedRepository, blobs: readonly TreeEntry[], git: Git): Promise<string> {
  const candidates = blobs.flatMap(({ id, mode, path }) => {
    const name = Buffer.from(path).toString();
    return mode !== "120000" && isLicenceCandidate(name) ? [{ id, path: name }] : [];
  });
  if (candidates.length === 0) return repositoryLicence([]);
  const files: { path: string; text: string }[] = [];
  const ids = candidates.map(({ id }) => id);
  let next = 0;
  for await (const answer of readBlobs(git, snapshot.gitDir, ids, { limit: licenceBytes })) {
    const { path } = candidates[next++]!;
    if ("damage" in answer || answer.content === null) continue;
    files.push({ path, text: Buffer.from(answer.content.buffer, answer.content.byteOffset, answer.bytes).toString() });
  }
  return repositoryLicence(files);
}

interface Pending extends Blob {
  readonly entry: TreeEntry;
  readonly size: number;
  readonly sha256: string;
}

async function* readFiles(
  repository: NamedRepository,
  blobs: readonly TreeEntry[],
  opened: OpenedRepository,
  options: ReadOptions,
): AsyncGenerator<ReadFile, void, void> {
  for await (const { blob, reading } of options.pool.readAll(verified(repository, blobs, opened, options))) {
    if ("skipped" in reading) {
      skip(opened, reading.skipped);
      continue;
    }
    const { entry, path, size, sha256 } = blob;
    yield { rawPath: entry.path, path, blob: entry.id, bytes: size, sha256, reading };
  }
}

/** The blobs that may become genes, each verified; the others are counted. */
async function* verified(
  { name, snapshot }: NamedRepository,
  blobs: readonly TreeEntry[],
  opened: OpenedRepository,
  { git, former, fileBytes, repositoryBytes }: ReadOptions,
): AsyncGenerator<Pending, void, void> {
  let next = 0;
  let taken = 0;
  const ids = blobs.map(({ id }) => id);
  for await (const answer of readBlobs(git, snapshot.gitDir, ids, { limit: fileBytes })) {
    const entry = blobs[next++]!;
    const rawPath = entry.path;
    const path = genePath(rawPath);
    if ("damage" in answer) {
      skip(opened, "damaged");
      opened.damaged.push({ repository: name, path: clean(path).text, blob: entry.id, damage: answer.damage });
      continue;
    }
    opened.verified++;
    const { content, bytes: size, sha256 } = answer;
    const reason = reasonToLeave(entry, path, content, taken + size > repositoryBytes);
    if (reason !== undefined || content === null) {
      skip(opened, reason ?? "too-large");
      continue;
    }
    taken += size;
    const known = await former?.take(name, rawPath, entry.id);
    const shared = { entry, size, sha256, repository: name, path };
    yield known === undefined ? { ...shared, bytes: content } : { ...shared, bytes: known.content, known: known.known };
  }
}

function reasonToLeave(
  entry: TreeEntry,
  path: string,
  content: Uint8Array | null,
  full: boolean,
): SkipReason | undefined {
  if (entry.mode === "120000") return "symlink"; // Verified like all blobs, and never followed.
  if (content === null) return "too-large";
  if (full) return "repository-limit";
  if (holdsSecret(path)) return "secret-in-path";
  return undefined;
}

function skip({ skipped }: OpenedRepository, reason: SkipReason): void {
  add(skipped, reason, 1);
}
