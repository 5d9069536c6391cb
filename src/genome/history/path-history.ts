/** When each file of a commit's tree was first and last changed, and how often; not what the changes were. */
import { UserError } from "../../errors.ts";
import type { Git } from "../git.ts";
import type { Snapshot } from "../objects.ts";
import { readLog } from "./log.ts";

export interface FileHistory {
  /** Committer dates of the first and last commit that changed the path, as "2026-01-01T00:00:00Z". */
  readonly firstCommit: string | null;
  readonly lastCommit: string | null;
  /** Commits that changed the path, its addition included. */
  readonly changes: number | null;
}

export interface PathHistory {
  /**
   * "shallow" where the clone was cut off, "damaged" where commits or trees are absent or unreadable (a partial clone
   * too): then nothing is said of any path.
   */
  readonly state: "complete" | "shallow" | "damaged";
  /** The history of a path, by its raw bytes; all null where it is not known. */
  get(path: Uint8Array): FileHistory;
}

const unknown: FileHistory = { firstCommit: null, lastCommit: null, changes: null };

/**
 * Dates and numbers of changes of the paths of a tree, from one `git log` that is read as a stream. The memory grows
 * with the paths, not with the history.
 *
 * A change is a commit whose diff to its parent names the path: content, mode or type changed, the file came or went.
 * A merge counts where its result differs from all its parents, since what it takes over from one was counted there.
 * Renames are not followed: a moved file begins with its move. The dates are the earliest and the latest committer
 * date among those commits, in UTC; dates that are unreadable or outside the years 1970 to 9999 are passed over.
 *
 * @param options.name the repository's name, for messages
 * @param options.paths the paths to report on, the bytes of each as the characters of a string (latin1)
 * @throws UserError "interrupted", "no-git"; a history that cannot be read is a state, not an error
 */
export async function pathHistory(
  git: Git,
  snapshot: Snapshot,
  options: { readonly name: string; readonly paths: Iterable<string> },
): Promise<PathHistory> {
  const depth = await historyDepth(git, snapshot.gitDir);
  if (depth !== "complete") return { state: depth, get: () => unknown };
  const index = new Map<string, number>();
  for (const path of options.paths) if (!index.has(path)) index.set(path, index.size);
  const first = new Float64Array(index.size).fill(Number.POSITIVE_INFINITY);
  const last = new Float64Array(index.size).fill(Number.NEGATIVE_INFINITY);
  const changes = new Uint32Array(index.size);
  try {
    for await (const batch of readLog(git, snapshot, options.name, { messages: false })) {
      for (const { path, commit } of batch) {
        const at = index.get(path);
        if (at === undefined) continue;
        changes[at]! += 1;
        if (commit.seconds === null) continue;
        if (commit.seconds < first[at]!) first[at] = commit.seconds;
        if (commit.seconds > last[at]!) last[at] = commit.seconds;
      }
    }
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== "damaged") throw error;
    return { state: "damaged", get: () => unknown };
  }
  return {
    state: "complete",
    get(path) {
      const at = index.get(latin1(path));
      if (at === undefined || changes[at] === 0) return unknown;
      return { firstCommit: isoDate(first[at]!), lastCommit: isoDate(last[at]!), changes: changes[at]! };
    },
  };
}

/** Whether a repository has all its history, as far as git itself says so. */
export async function historyDepth(git: Git, gitDir: string): Promise<PathHistory["state"]> {
  const { status, stdout } = await git.run([`--git-dir=${gitDir}`, "rev-parse", "--is-shallow-repository"]);
  if (status !== 0) return "damaged";
  return stdout.toString("latin1").trim() === "false" ? "complete" : "shallow";
}

/** A date of a commit in ISO 8601, UTC, to the second; null for an infinite one. */
export function isoDate(seconds: number): string | null {
  return Number.isFinite(seconds) ? new Date(seconds * 1000).toISOString().replace(".000Z", "Z") : null;
}

function latin1(path: Uint8Array): string {
  return Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString("latin1");
}
