/** The only place that starts git, with its time-outs and its end; what it is told every time is in `git-environment.ts`. */
import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { UserError } from "../errors.ts";
import { gitEnvironment, hardening } from "./git-environment.ts";
import { refusesLazyFetch } from "./lazy-fetch.ts";

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
  run(args: readonly string[], options?: RunOptions): Promise<GitResult>;
  /** Starts git for a conversation over its pipes. */
  stream(args: readonly string[]): GitStream;
  /** Whether this git obeys GIT_NO_LAZY_FETCH; tried out once, when first asked. */
  refusesLazyFetch(): Promise<boolean>;
}

export interface RunOptions {
  /** Milliseconds after which git is stopped, with all that it started (default: none). */
  readonly timeoutMs?: number;
  /** Bytes of an answer after which git is stopped (default 64 MiB): a remote decides how many refs it lists. */
  readonly answerBytes?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Hears what git tells while it runs; "stop" stops it, with all that it started. */
  readonly onStderr?: (text: string) => "stop" | void;
}

/** Git gets this long to remove its temporary files before it is killed. */
const stopMs = 1500;

/**
 * Git as everything here uses it.
 *
 * @param options.env the environment to start from (default: this process's own)
 * @param options.signal ends every running git when it aborts
 * @throws UserError "no-git" from the first call where no git is installed
 */
export function createGit(options: { env?: NodeJS.ProcessEnv; signal?: AbortSignal } = {}): Git {
  const env = gitEnvironment(options.env ?? process.env);
  const { signal } = options;
  const start = (args: readonly string[], { env: extra, onStderr, timeoutMs }: RunOptions = {}): Started => {
    // What may have to be stopped gets a process group, since git leaves its helpers behind when it is killed.
    const detached = timeoutMs !== undefined && process.platform !== "win32";
    const child = spawn("git", ["--no-pager", "--literal-pathspecs", ...hardening, ...args], {
      env: { ...env, ...extra },
      stdio: ["pipe", "pipe", "pipe"],
      windowsHide: true,
      detached,
      ...(signal === undefined ? {} : { signal }),
    });
    const stop = (how: "SIGTERM" | "SIGKILL"): void => {
      if (!detached || child.pid === undefined) return void child.kill(how);
      try {
        process.kill(-child.pid, how);
      } catch {
        // They have ended.
      }
    };
    const onAbort = (): void => stop("SIGTERM");
    signal?.addEventListener("abort", onAbort);
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-16384);
      if (onStderr?.(text) === "stop") stop("SIGTERM");
    });
    child.stdin.on("error", () => {}); // A reader that ends early is seen in its status.
    const ended = new Promise<{ status: number | null; stderr: string }>((resolve, reject) => {
      child.on("error", (cause: NodeJS.ErrnoException) => reject(startFailure(cause)));
      child.on("close", (status) => resolve({ status, stderr }));
    });
    // Whoever awaits it sees the failure.
    ended.catch(() => {}).finally(() => signal?.removeEventListener("abort", onAbort));
    return { stdin: child.stdin, stdout: child.stdout, ended, kill: () => stop("SIGKILL"), stop };
  };
  const run: Git["run"] = async (args, runOptions = {}) => {
    const { timeoutMs, answerBytes = 64 << 20 } = runOptions;
    const child = start(args, runOptions);
    child.stdin.end();
    const chunks: Buffer[] = [];
    let bytes = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= answerBytes) chunks.push(chunk);
      else child.kill();
    });
    if (timeoutMs === undefined) {
      const { status, stderr } = await child.ended;
      return { status: bytes > answerBytes ? null : status, stdout: Buffer.concat(chunks), stderr, timedOut: false };
    }
    let timedOut = false;
    const soft = setTimeout(() => {
      timedOut = true;
      child.stop("SIGTERM");
    }, timeoutMs);
    const hard = setTimeout(() => child.kill(), timeoutMs + stopMs);
    try {
      const { status, stderr } = await orTimeOut(child.ended, timeoutMs + 2 * stopMs);
      const broken = timedOut || bytes > answerBytes;
      return { status: broken ? null : status, stdout: Buffer.concat(chunks), stderr, timedOut };
    } finally {
      clearTimeout(soft);
      clearTimeout(hard);
    }
  };
  let obeys: Promise<boolean> | undefined;
  return { run, stream: (args) => start(args), refusesLazyFetch: () => (obeys ??= refusesLazyFetch({ run })) };
}

interface Started extends GitStream {
  /** Ends git, and its helpers if it was started with a time-out. */
  stop(how: "SIGTERM" | "SIGKILL"): void;
}

/** A helper that left git's process group can still hold its pipes: give up waiting for it. */
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
