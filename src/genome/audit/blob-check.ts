/** Genes against the repositories they came from, where those can be reached: trees, blobs, and the blobs' hashes. */
import { isAbsolute } from "node:path";
import { UserError } from "../../errors.ts";
import type { Gene, LockedRepository } from "../gene.ts";
import type { Git } from "../git.ts";
import { findLocal } from "../local.ts";
import { listTree, openSnapshot, readBlobs } from "../objects.ts";
import { describeDamage } from "./damage.ts";
import { Findings } from "./findings.ts";
import { rawPath, readGenes } from "./genes-file.ts";
import type { Status } from "./status.ts";

export interface BlobCheck {
  readonly repository: string;
  readonly status: Status;
  /** Why it was SKIPPED. */
  readonly message?: string;
  /** Genes whose blob was hashed. */
  readonly checked: number;
  readonly findings: Findings;
}

export interface BlobCheckOptions {
  readonly git: Git;
  /** Where the genome's report says that objects lie, by the repositories' names: hints from a file that may lie. */
  readonly locations: ReadonlyMap<string, string>;
  /** Finds or brings a repository's objects where the hint does not lead to them; null where it cannot. */
  readonly obtain?: ((repository: LockedRepository) => Promise<string | null>) | undefined;
}

const batchGenes = 4096;
/** Nothing of a blob is kept: it is only hashed. */
const keepNothing = { limit: -1 };

/**
 * Checks every gene against its repository: the locked commit has the locked tree, that tree has the gene's blob at
 * the gene's path, and the blob's bytes have its id, its size and its SHA-256. A repository that cannot be reached, or
 * no longer has the commit, is SKIPPED.
 *
 * @throws UserError "interrupted"; "damaged" where genes.jsonl cannot be read
 */
export async function checkBlobs(
  folder: string,
  repositories: readonly LockedRepository[],
  options: BlobCheckOptions,
): Promise<BlobCheck[]> {
  const checks = new Map<string, BlobCheck>();
  let open: OpenRepository | undefined;
  const finish = async (): Promise<void> => {
    if (open === undefined) return;
    await checkBatch(open, options.git);
    checks.set(open.name, asCheck(open));
    open = undefined;
  };
  const byName = new Map(repositories.map((repository) => [repository.name, repository]));
  for await (const gene of readGenes(folder)) {
    const repository = byName.get(gene.repository);
    if (repository === undefined || (checks.has(gene.repository) && open?.name !== gene.repository)) continue;
    if (open?.name !== gene.repository) {
      await finish();
      const opened = await openRepository(repository, options);
      if (typeof opened === "string") {
        const unreached = { status: "SKIPPED", message: opened, checked: 0, findings: new Findings() } as const;
        checks.set(repository.name, { repository: repository.name, ...unreached });
        continue;
      }
      open = opened;
    }
    open.batch.push(gene);
    if (open.batch.length >= batchGenes) await checkBatch(open, options.git);
  }
  await finish();
  return [...checks.values()];
}

interface OpenRepository {
  readonly name: string;
  readonly gitDir: string;
  /** Blob ids by path, its bytes read as Latin-1. */
  readonly tree: ReadonlyMap<string, string>;
  readonly findings: Findings;
  checked: number;
  batch: Gene[];
}

function asCheck({ name, findings, checked }: OpenRepository): BlobCheck {
  return { repository: name, status: findings.count > 0 ? "FAIL" : "PASS", checked, findings };
}

/** A repository ready to be compared, or why it cannot be. */
async function openRepository(
  repository: LockedRepository,
  options: BlobCheckOptions,
): Promise<OpenRepository | string> {
  const { name, commit, tree } = repository;
  if (commit === null) return "it was imported from a text";
  const { git } = options;
  let why = "its objects are not on this machine";
  const places = [
    async () => options.locations.get(name) ?? null,
    async () => (await options.obtain?.(repository)) ?? null,
  ];
  for (const place of places) {
    const path = await place();
    if (path === null) continue;
    try {
      const gitDir = await gitDirAt(path, git);
      const snapshot = await openSnapshot(git, gitDir, commit, path);
      const findings = new Findings();
      if (snapshot.tree !== tree)
        findings.add(`${name}: the tree of commit ${commit} is ${snapshot.tree}, not the locked ${tree}`);
      return { name, gitDir, tree: await treeOf(git, snapshot, name, findings), findings, checked: 0, batch: [] };
    } catch (error) {
      if (!(error instanceof UserError) || error.code === "interrupted") throw error;
      why = error.code === "empty" ? `${path} does not have commit ${commit}` : error.message;
    }
  }
  return why;
}

/** A path on another machine is never followed: on Windows, asking for one sends the user's credentials there. */
async function gitDirAt(path: string, git: Git): Promise<string> {
  if (!isAbsolute(path) || /^[\\/]{2}/.test(path)) {
    throw new UserError("invalid", `${path} is not an absolute path on this machine`);
  }
  return findLocal(path, git);
}

async function treeOf(
  git: Git,
  snapshot: Parameters<typeof listTree>[1],
  name: string,
  findings: Findings,
): Promise<ReadonlyMap<string, string>> {
  try {
    const entries = await listTree(git, snapshot, name);
    return new Map(entries.map(({ latin1Path, id }) => [latin1Path, id]));
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== "damaged") throw error;
    findings.add(error.message);
    return new Map();
  }
}

async function checkBatch(open: OpenRepository, git: Git): Promise<void> {
  const { name, gitDir, tree, findings, batch } = open;
  open.batch = [];
  const ids = batch.map(({ blob }) => blob);
  let next = 0;
  for await (const answer of readBlobs(git, gitDir, ids, keepNothing)) {
    const gene = batch[next++]!;
    open.checked++;
    const what = `${name}: ${gene.path}: blob ${gene.blob}`;
    if (tree.get(Buffer.from(rawPath(gene)).toString("latin1")) !== gene.blob) {
      findings.add(`${what} is not what the commit has there`);
    }
    if ("damage" in answer) {
      findings.add(describeDamage({ repository: name, path: gene.path, blob: gene.blob, damage: answer.damage }));
    } else if (answer.sha256 !== gene.sha256 || answer.bytes !== gene.bytes) {
      findings.add(`${what} has another SHA-256 or size than genes.jsonl says`);
    }
  }
}
