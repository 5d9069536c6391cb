/** Level 2 of the audit: git's own check of a whole object database. It runs no code of the repository. */
import type { Git } from "../git.ts";
import type { Status } from "./status.ts";

export interface FsckResult {
  readonly status: Status;
  /** Why it ended in ERROR. */
  readonly message?: string;
  /** Exit status of `git fsck`; null where it was stopped. */
  readonly returncode: number | null;
  /** Lines of complaint; warnings count too, although they leave the status at PASS. */
  readonly issues_found: number;
  /** The first twenty of them. */
  readonly issues: readonly string[];
}

const shownIssues = 20;
const shownCharacters = 300;
/** The bit in the status of `git fsck` for objects that are reachable and missing. */
const missingObjects = 2;

/** Caches of git, which could only hide or add complaints; checking them would start further processes. */
const plain = ["-c", "core.commitGraph=false", "-c", "core.multiPackIndex=false"];

/**
 * Runs `git fsck` on a repository: every object hashed and parsed, every link followed. Where the configuration names a
 * promisor remote, `git fsck` is silent about absent objects, so they are then counted by walking all refs.
 *
 * @param options.timeoutMs milliseconds after which it is stopped, which is an ERROR
 * @throws UserError "no-git", "interrupted"
 */
export async function fsck(git: Git, gitDir: string, options: { timeoutMs: number }): Promise<FsckResult> {
  const until = performance.now() + options.timeoutMs;
  const on = (...args: string[]): string[] => [`--git-dir=${gitDir}`, ...plain, ...args];
  const flags = ["--full", "--no-dangling", "--no-reflogs", "--no-progress"];
  const checked = await complaints(git, on("fsck", ...flags), until, isComplaint);
  if (checked.status === null || checked.status >= 128 || !(await hasPromisor(git, gitDir))) {
    return asResult(checked, options.timeoutMs);
  }
  const walk = on("rev-list", "--objects", "--all", "--quiet", "--missing=print");
  const walked = await complaints(git, walk, until, (line) => line.startsWith("?"));
  if (walked.status !== 0) return asResult(walked, options.timeoutMs);
  const missing = walked.lines.map((line) => `missing object ${line.slice(1)}`);
  return asResult(
    {
      ...checked,
      status: checked.status || (walked.count > 0 ? missingObjects : 0),
      count: checked.count + walked.count,
      lines: [...checked.lines, ...missing].slice(0, shownIssues),
    },
    options.timeoutMs,
  );
}

function asResult({ status, timedOut, count, lines, lastError }: Complaints, timeoutMs: number): FsckResult {
  const found = { returncode: status, issues_found: count, issues: lines };
  if (status === null) {
    const message = timedOut ? `git fsck was stopped after ${Math.round(timeoutMs / 1000)} s` : "git fsck was killed";
    return { status: "ERROR", message, ...found };
  }
  if (status >= 128) return { status: "ERROR", message: lastError || "git fsck failed", ...found };
  return { status: status === 0 ? "PASS" : "FAIL", ...found };
}

async function hasPromisor(git: Git, gitDir: string): Promise<boolean> {
  const pattern = String.raw`^(remote\..*\.promisor|extensions\.partialclone)$`;
  return (await git.run([`--git-dir=${gitDir}`, "config", "--get-regexp", pattern])).status === 0;
}

function isComplaint(line: string): boolean {
  return line !== "" && !/^(?:\s|notice:|hint:|Checking )/.test(line);
}

interface Complaints {
  readonly status: number | null;
  readonly timedOut: boolean;
  readonly count: number;
  readonly lines: readonly string[];
  /** The last line git wrote to its standard error. */
  readonly lastError: string;
}

/** Runs git until a time, counting its lines without keeping them: a hostile repository can cause any number. */
async function complaints(
  git: Git,
  args: readonly string[],
  until: number,
  counts: (line: string) => boolean,
): Promise<Complaints> {
  const child = git.stream(args);
  child.stdin.end();
  let timedOut = false;
  const timer = setTimeout(
    () => {
      timedOut = true;
      child.kill();
      child.stdout.destroy();
    },
    Math.max(until - performance.now(), 0),
  );
  let count = 0;
  const lines: string[] = [];
  const hear = (line: string): void => {
    if (!counts(line)) return;
    count++;
    if (lines.length < shownIssues) lines.push(line.slice(0, shownCharacters));
  };
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const pieces = (rest + text).split("\n");
    rest = pieces.pop()!.slice(0, shownCharacters);
    pieces.forEach(hear);
  });
  try {
    const { status, stderr } = await child.ended;
    hear(rest);
    const errors = stderr.split("\n");
    errors.forEach(hear);
    const lastError = errors.findLast((line) => line !== "") ?? "";
    return { status: timedOut ? null : status, timedOut, count, lines, lastError: lastError.slice(0, shownCharacters) };
  } finally {
    clearTimeout(timer);
  }
}
