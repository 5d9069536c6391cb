/** Reads a commit's history through `git log --raw` as a stream of changed paths; no content is looked at here. */
import type { Readable } from "node:stream";
import { invariant, UserError } from "../../errors.ts";
import type { Git } from "../git.ts";
import type { Snapshot } from "../objects.ts";

export interface LoggedCommit {
  readonly id: string;
  /** Committer date in seconds since 1970; null where it is none, or lies outside the years 1970 to 9999. */
  readonly seconds: number | null;
  /** The message's bytes, in UTF-8 as far as git could convert it; null where it was too long or not asked for. */
  readonly message: Uint8Array | null;
}

/** One path that one commit changed. */
export interface LoggedChange {
  readonly commit: LoggedCommit;
  /** The raw bytes of the path, each as one character (latin1). */
  readonly path: string;
  /** Null for a merge, which has as many sides as parents. */
  readonly sides: Sides | null;
}

/** What stood at a path before and after; mode "000000" where nothing did. */
export interface Sides {
  readonly oldMode: string;
  readonly newMode: string;
  readonly oldId: string;
  readonly newId: string;
}

/** Longest path and longest commit message, in bytes; what is longer is read past. */
const tokenBytes = 1 << 16;
/** 9999-12-31T23:59:59Z, the last second that the four-digit form of ISO 8601 can say. */
const lastSecond = 253_402_300_799;

/**
 * Raw entries, and what keeps the repository's own configuration out: nothing it names is run or read, and nothing it
 * sets changes the answer. Raw entries need neither diff drivers nor text conversions; they are refused as well.
 */
const logOptions = [
  "--raw",
  "-z",
  "--diff-merges=combined",
  "--no-ext-diff",
  "--no-textconv",
  "--no-show-signature",
  "--no-mailmap",
  "--no-notes",
  "--no-decorate",
  "--no-color",
  "--no-relative",
  "--no-renames",
  "--no-abbrev",
  "--ignore-submodules=none",
  "-O/dev/null",
  "--encoding=UTF-8",
  "--root",
];

/**
 * Every path that any commit reachable from the snapshot's changed, newest commit first (by committer date, as
 * `git log` orders), handed over in batches. A merge is listed only with paths in which its result differs from every
 * parent: what it took over from a branch is counted where the branch changed it. Renames are a deletion and an
 * addition.
 *
 * @param options.messages whether commits carry their messages
 * @throws UserError "damaged" where a commit or a tree of the history is absent or unreadable, after what could be read
 */
export async function* readLog(
  git: Git,
  snapshot: Snapshot,
  name: string,
  options: { readonly messages: boolean },
): AsyncGenerator<readonly LoggedChange[], void, void> {
  const format = `--format=tformat:commit %H %ct${options.messages ? "%n%B" : ""}`;
  // A commit-graph file is a cache that git believes unseen; the commits themselves are asked.
  const repository = ["-c", "core.commitGraph=false", `--git-dir=${snapshot.gitDir}`];
  const child = git.stream([...repository, "log", ...logOptions, format, snapshot.commit, "--"]);
  child.stdin.end();
  try {
    let commit: LoggedCommit | undefined;
    let sides: Sides | null | undefined;
    for await (const tokens of readTokens(child.stdout)) {
      const changes: LoggedChange[] = [];
      for (const { bytes, whole } of tokens) {
        if (sides !== undefined) {
          if (commit !== undefined && whole) changes.push({ commit, path: bytes.toString("latin1"), sides });
          sides = undefined;
          continue;
        }
        // Before a commit's entries stands a line feed, or an empty token if it is a merge.
        const start = bytes[0] === 0x0a ? 1 : 0;
        if (bytes[start] === 0x3a) sides = parseEntry(bytes.toString("latin1", start));
        else if (bytes.length > start) commit = parseCommit(bytes, options.messages && whole);
      }
      if (changes.length > 0) yield changes;
    }
    const { status } = await child.ended;
    if (status !== 0) {
      throw new UserError("damaged", `${name}: the history of commit ${snapshot.commit} cannot be read to its end`, {
        hint: "Check the repository with git fsck, or clone it again.",
      });
    }
  } finally {
    child.kill();
    child.stdout.destroy();
  }
}

function parseCommit(bytes: Buffer, hasMessage: boolean): LoggedCommit {
  const lineEnd = bytes.indexOf(0x0a);
  const end = lineEnd < 0 ? bytes.length : lineEnd;
  const match = /^commit ([0-9a-f]{40,64}) (\S*)$/.exec(bytes.toString("latin1", 0, end));
  invariant(match !== null, "git log begins each commit as its format says");
  const seconds = /^\d{1,12}$/.test(match[2]!) ? Number(match[2]) : Number.POSITIVE_INFINITY;
  return {
    id: match[1]!,
    seconds: seconds <= lastSecond ? seconds : null,
    message: hasMessage ? Uint8Array.from(bytes.subarray(end + 1)) : null,
  };
}

/** `:mode mode id id status`; of a merge, with as many colons as parents, nothing is taken. */
function parseEntry(text: string): Sides | null {
  if (text.startsWith("::")) return null;
  const match = /^:(\d{6}) (\d{6}) ([0-9a-f]{40,64}) ([0-9a-f]{40,64}) [A-Z]$/.exec(text);
  invariant(match !== null, "git log --raw gives modes and ids");
  const [, oldMode, newMode, oldId, newId] = match;
  return { oldMode: oldMode!, newMode: newMode!, oldId: oldId!, newId: newId! };
}

interface Token {
  /** At most `tokenBytes` bytes; a view that holds until the next batch is asked for. */
  readonly bytes: Buffer;
  readonly whole: boolean;
}

/** What stands between NUL bytes, in batches of one chunk of the stream, with long tokens cut to bound the memory. */
async function* readTokens(stream: Readable): AsyncGenerator<readonly Token[], void, void> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let whole = true;
  const hold = (piece: Buffer): void => {
    const room = tokenBytes - heldBytes;
    if (piece.length > room) whole = false;
    if (room <= 0 || piece.length === 0) return;
    held.push(piece.subarray(0, room));
    heldBytes += Math.min(piece.length, room);
  };
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const tokens: Token[] = [];
    let from = 0;
    for (let end = chunk.indexOf(0); end >= 0; end = chunk.indexOf(0, from)) {
      hold(chunk.subarray(from, end));
      tokens.push({ bytes: held.length === 1 ? held[0]! : Buffer.concat(held), whole });
      held = [];
      heldBytes = 0;
      whole = true;
      from = end + 1;
    }
    hold(chunk.subarray(from));
    if (tokens.length > 0) yield tokens;
  }
}
