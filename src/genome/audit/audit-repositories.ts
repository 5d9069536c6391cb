/** Levels 1, 2 and 4 of the audit: what needs the repositories and their remotes, but not the genome. */
import type { Git } from "../git.ts";
import type { GitReason } from "../git-reason.ts";
import { openSnapshot } from "../objects.ts";
import type { Snapshot } from "../objects.ts";
import { isCommitId } from "../pins.ts";
import { UserError } from "../../errors.ts";
import { fsck } from "./fsck.ts";
import type { FsckResult } from "./fsck.ts";
import type { Status } from "./status.ts";

export interface AuditedRepository {
  readonly name: string;
  /** Null for a repository that was given as a local path. */
  readonly url: string | null;
  /** The branch, tag or commit that was asked for; null for the remote's HEAD. */
  readonly ref: string | null;
  /** What the genome is built from. */
  readonly snapshot: Pick<Snapshot, "gitDir" | "commit" | "tree">;
  /** The tree that a lock file names which this build follows; null in a build that writes its own lock. */
  readonly lockedTree: string | null;
  /** Whether objects came from the remote in this build. */
  readonly fetched: boolean;
}

export interface AuditOptions {
  readonly git: Git;
  /** Whether remotes are left alone. */
  readonly offline: boolean;
  /** Asks a remote for the commit that it serves now; not called offline, for local repositories and commit pins. */
  readonly served: (repository: AuditedRepository) => Promise<{ head: string } | { reason: GitReason }>;
  readonly clock: () => Date;
  /** Milliseconds that `git fsck` may take in one repository (default 600,000). */
  readonly fsckMs?: number;
}

/** The remote's commit against the local one. */
export interface Level1 {
  readonly status: Status;
  readonly message?: string;
  readonly local_commit: string;
  readonly remote_commit: string | null;
  readonly local_tree: string;
  readonly commit_match: boolean | null;
}

/** The locked tree against the tree of the commit that the remote serves now. */
export interface Level4 {
  readonly status: Status;
  readonly message?: string;
  readonly local_tree: string;
  readonly remote_tree: string | null;
  readonly tree_match: boolean | null;
}

export interface RepositoryAudit {
  readonly name: string;
  /** ISO 8601, when its checks ended. */
  readonly timestamp: string;
  readonly level1: Level1;
  readonly level2: FsckResult;
  readonly level4: Level4;
}

/** As many as keep a processor or two busy beside the reading of blobs. */
const parallel = 4;

/**
 * Audits repositories, in the order given. Needs nothing of the genome, so it can run beside its writing.
 *
 * @throws UserError "no-git", "interrupted"
 */
export async function auditRepositories(
  repositories: readonly AuditedRepository[],
  options: AuditOptions,
): Promise<RepositoryAudit[]> {
  const audits: RepositoryAudit[] = [];
  const checked = new Map<string, Promise<FsckResult>>();
  const checkObjects = (gitDir: string): Promise<FsckResult> => {
    const running = checked.get(gitDir) ?? fsck(options.git, gitDir, { timeoutMs: options.fsckMs ?? 600_000 });
    checked.set(gitDir, running);
    return running;
  };
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < repositories.length) {
      const i = next++;
      const repository = repositories[i]!;
      const [level1, level2] = await Promise.all([
        compareCommits(repository, options),
        checkObjects(repository.snapshot.gitDir),
      ]);
      const level4 = await compareTrees(repository, level1, options.git);
      audits[i] = { name: repository.name, timestamp: options.clock().toISOString(), level1, level2, level4 };
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, repositories.length) }, work));
  return audits;
}

/** Not being able to ask is no fault of the repository; an answer other than a commit is. */
const unasked: ReadonlySet<GitReason> = new Set(["no answer", "timed out"]);

async function compareCommits(repository: AuditedRepository, options: AuditOptions): Promise<Level1> {
  const { url, ref, snapshot } = repository;
  const local = { local_commit: snapshot.commit, remote_commit: null, local_tree: snapshot.tree, commit_match: null };
  const skipped = (message: string): Level1 => ({ status: "SKIPPED", message, ...local });
  if (url === null) return skipped("a local repository, read where it stands");
  if (options.offline) return skipped("offline");
  if (ref !== null && isCommitId(ref)) {
    return skipped("pinned to a commit, and a remote names only its branches and tags");
  }
  const answer = await options.served(repository);
  if ("reason" in answer) {
    const message = `the remote was asked for its commit: ${answer.reason}`;
    return unasked.has(answer.reason) ? skipped(message) : { status: "ERROR", message, ...local };
  }
  const match = answer.head === snapshot.commit;
  return {
    status: match ? "PASS" : "FAIL",
    ...(match ? {} : { message: "the remote serves another commit now" }),
    ...local,
    remote_commit: answer.head,
    commit_match: match,
  };
}

/**
 * A tree is compared only where its two sides come from two places: one from the lock file that the build follows, one
 * from the objects that the remote sent after that file was written. Else a tree would be compared with itself.
 */
async function compareTrees(repository: AuditedRepository, level1: Level1, git: Git): Promise<Level4> {
  const { name, snapshot, lockedTree, fetched } = repository;
  const local = { local_tree: lockedTree ?? snapshot.tree, remote_tree: null, tree_match: null };
  const skipped = (message: string): Level4 => ({ status: "SKIPPED", message, ...local });
  const head = level1.remote_commit;
  if (head === null) return skipped("the remote's commit is not known");
  if (lockedTree === null) return skipped("this build wrote the lock from this very tree");
  if (!fetched) return skipped("nothing was fetched since the tree was locked");
  let tree: string;
  try {
    ({ tree } = await openSnapshot(git, snapshot.gitDir, head, name));
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== "empty") throw error;
    return skipped("the commit that the remote serves now was not fetched");
  }
  const match = tree === lockedTree;
  return { status: match ? "PASS" : "FAIL", ...local, remote_tree: tree, tree_match: match };
}
