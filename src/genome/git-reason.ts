/** What a failed conversation with a repository means, read off git's messages (which `LC_ALL=C` keeps English). */
import type { GitResult } from "./git.ts";

/** Why a repository could not be had. */
export type GitReason =
  | "not found"
  | "refused"
  | "timed out"
  | "no answer"
  | "not a repository"
  | "empty"
  /** There is no such branch, tag or commit. */
  | "no such ref"
  /** The first digits of more than one commit. */
  | "ambiguous ref"
  /** The remote sent more than one repository may hold. */
  | "too large"
  /** The remote sent objects that are not what they should be. */
  | "damaged"
  /** A line of a list that names nothing that could be a repository. */
  | "not a source"
  /** A locked repository without a URL, whose folder is not among the sources. */
  | "no folder given"
  /** The history ends early, although the lock says that it was whole. */
  | "shallow"
  | "failed";

/** What stands in place of git's messages where a transfer was stopped for its size. */
export const overLimit = "the transfer is larger than its limit";

/** The first that matches decides. */
const reasons: readonly (readonly [RegExp, GitReason])[] = [
  [new RegExp(overLimit), "too large"],
  [/couldn't find remote ref|not our ref|unadvertised object|no such remote ref/i, "no such ref"],
  [
    /does not appear to be a git repository|not a git repository|not valid: is this a git repository/i,
    "not a repository",
  ],
  [/repository .*not found|returned error: (404|410)|does not exist|no such (file|repository)/i, "not found"],
  [
    /returned error: (401|403)|authentication failed|could not read (username|password)|permission denied|access denied/i,
    "refused",
  ],
  [/not allowed|host key verification failed|dubious ownership|certificate|ssl/i, "refused"],
  [/timed out|low speed limit|operation too slow/i, "timed out"],
  [
    /could not resolve|failed to connect|couldn't connect|connection (refused|reset)|unreachable|no route/i,
    "no answer",
  ],
  [/early eof|hung up|unexpected disconnect|empty reply|returned error: (429|5\d\d)|rpc failed/i, "no answer"],
  [/index-pack|unpack-objects|inflate|corrupt|did not send all necessary objects|bad (object|pack)/i, "damaged"],
];

export function failureReason(result: Pick<GitResult, "stderr" | "timedOut">): GitReason {
  if (result.timedOut) return "timed out";
  return reasons.find(([pattern]) => pattern.test(result.stderr))?.[1] ?? "failed";
}

/** Whether asking again may help. */
export function isTransient(result: Pick<GitResult, "stderr" | "timedOut">): boolean {
  return (
    !result.timedOut &&
    /early eof|hung up|unexpected disconnect|connection reset|empty reply|returned error: (429|5\d\d)|rpc failed/i.test(
      result.stderr,
    )
  );
}
