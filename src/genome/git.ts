/** The only place that starts git: its environment, its hardening, time-outs, and what its failures mean. */
import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { UserError } from "../errors.ts";

/** Why a repository could not be had. */
export type GitReason = "not found" | "refused" | "timed out" | "no answer" | "not a repository" | "empty" | "failed";

export interface GitResult {
  /** Exit status; null when the process was killed. */
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly timedOut: boolean;
}

export interface GitStream {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves when the process has ended. */
  readonly ended: Promise<{ status: number | null; stderr: string }>;
  kill(): void;
}

export interface Git {
  /** Runs git to its end. A non-zero status is an answer, not an error. */
  run(
    args: readonly string[],
    options?: { timeoutMs?: number; env?: Readonly<Record<string, string>> },
  ): Promise<GitResult>;
  /** Starts git for a conversation over its pipes. */
  stream(args: readonly string[]): GitStream;
}

/** What would make git look at another repository than the one named, or write traces into its answers. */
const removed =
  /^GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|NAMESPACE|EXTERNAL_DIFF|PREFIX|IMPLICIT_WORK_TREE|GRAFT_FILE|SHALLOW_FILE|REPLACE_REF_BASE|QUARANTINE_PATH|TEMPLATE_DIR|CEILING_DIRECTORIES|TRACE.*|TR2_.*)$/;

const always = {
  GIT_TERMINAL_PROMPT: "0",
  GIT_NO_LAZY_FETCH: "1",
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_OPTIONAL_LOCKS: "0",
  LC_ALL: "C",
  LANGUAGE: "",
} as const;

/** Given before every verb, so no repository's own configuration can start a program. */
const hardening = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.attributesFile=/dev/null",
  "protocol.ext.allow=never",
  "fetch.recurseSubmodules=false",
  "submodule.recurse=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "http.lowSpeedLimit=1000",
  "http.lowSpeedTime=60",
  "advice.detachedHead=false",
].flatMap((setting) => ["-c", setting]);

/** The environment git gets: the user's own, less what redirects git, plus what keeps it quiet and honest. */
export function gitEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([key]) => !removed.test(key));
  return { ...Object.fromEntries(kept), ...always };
}

/**
 * Git as everything here uses it.
 *
 * @param options.env the environment to start from (default: this process's own)
 * @param options.signal ends every running git when it aborts
 * @throws UserError "no-git" from the first call where no git is installed
 */
export function createGit(options: { env?: NodeJS.ProcessEnv; signal?: AbortSignal } = {}): Git {
  const env = gitEnvironment(options.env ?? process.env);
  const stream = (args: readonly string[], extra: Readonly<Record<string, string>> = {}): GitStream => {
    const child = spawn("git", ["--no-pager", "--literal-pathspecs", ...hardening, ...args], {
      env: { ...env, ...extra },
      stdio: ["pipe", "pipe", "pipe"],
      windowsHide: true,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-16384)));
    child.stdin.on("error", () => {}); // A reader that ends early is seen in its status.
    const ended = new Promise<{ status: number | null; stderr: string }>((resolve, reject) => {
      child.on("error", (cause: NodeJS.ErrnoException) => reject(startFailure(cause)));
      child.on("close", (status) => resolve({ status, stderr }));
    });
    ended.catch(() => {}); // Whoever awaits it sees the failure.
    return { stdin: child.stdin, stdout: child.stdout, ended, kill: () => void child.kill("SIGKILL") };
  };
  const run: Git["run"] = async (args, { timeoutMs, env: extra } = {}) => {
    const child = stream(args, extra);
    child.stdin.end();
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => void chunks.push(chunk));
    let timedOut = false;
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            child.kill();
            child.stdout.destroy(); // A helper of git's may still hold the pipe open.
          }, timeoutMs);
    try {
      const { status, stderr } = await (timeoutMs === undefined
        ? child.ended
        : orTimeOut(child.ended, timeoutMs + 2000));
      return { status, stdout: Buffer.concat(chunks), stderr, timedOut };
    } finally {
      clearTimeout(timer);
    }
  };
  return { run, stream: (args) => stream(args) };
}

/** Git's helpers can outlive it and hold its pipes: give up waiting for them. */
function orTimeOut(ended: GitStream["ended"], ms: number): Promise<{ status: number | null; stderr: string }> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve({ status: null, stderr: "" }), ms);
    ended.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function startFailure(cause: NodeJS.ErrnoException): UserError {
  if (cause.name === "AbortError")
    return new UserError("interrupted", "reading the repositories was interrupted", { cause });
  if (cause.code === "ENOENT") {
    return new UserError("no-git", "git is not installed, or not on the PATH", {
      hint: "Install git 2.39 or newer.",
      cause,
    });
  }
  return new UserError("no-git", `git cannot be started (${cause.code ?? cause.message})`, { cause });
}

const reasons: readonly (readonly [RegExp, GitReason])[] = [
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
];

/** What a failed conversation with a repository means, read off git's messages (which `LC_ALL=C` keeps English). */
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
