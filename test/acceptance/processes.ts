/** Other programs: run to their end with Ctrl-C passed on, and the server of the corpus. */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import process from "node:process";

/** Ctrl-C or a termination signal: whatever ran has been told, the same command goes on later. */
export class Interrupted extends Error {}

/** A step that cannot go on; its message says what to do. */
export class Unusable extends Error {}

const running = new Set<ChildProcess>();
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    interrupted = true;
    // The terminal sends Ctrl-C to all of its programs itself; a second signal would end them at once.
    if (signal !== "SIGINT" || !process.stdin.isTTY) for (const child of running) child.kill(signal);
  });
}

export interface Ended {
  /** Exit status; 128 for a program that a signal ended. */
  readonly code: number;
  readonly stdout: string;
}

/** Runs a program and gives its exit status and output; what it says on standard error goes to ours. */
export async function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly quiet?: boolean } = {},
): Promise<Ended> {
  if (interrupted) throw new Interrupted();
  const { cwd, env = process.env, quiet = false } = options;
  const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", quiet ? "ignore" : "inherit"] });
  running.add(child);
  try {
    const parts: Buffer[] = [];
    child.stdout.on("data", (part: Buffer) => parts.push(part));
    const code = await new Promise<number>((resolve, reject) => {
      child.on("error", (cause) => reject(new Unusable(`${command} cannot be started: ${cause.message}`)));
      child.on("close", (status) => resolve(status ?? 128));
    });
    if (interrupted) throw new Interrupted();
    return { code, stdout: Buffer.concat(parts).toString("utf8") };
  } finally {
    running.delete(child);
  }
}

/** Starts a program and kills it after so many milliseconds; false where it had ended before. */
export async function killAfter(
  milliseconds: number,
  command: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv } = {},
): Promise<boolean> {
  if (interrupted) throw new Interrupted();
  const child = spawn(command, args, { ...options, stdio: "ignore" });
  running.add(child);
  const timer = setTimeout(() => child.kill("SIGKILL"), milliseconds);
  try {
    return await new Promise<boolean>((resolve, reject) => {
      child.on("error", (cause) => reject(new Unusable(`${command} cannot be started: ${cause.message}`)));
      child.on("close", (_, signal) => resolve(signal === "SIGKILL"));
    });
  } finally {
    clearTimeout(timer);
    running.delete(child);
  }
}

/** As `run`, for programs that have to succeed. */
export async function must(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string } = {},
): Promise<void> {
  const { code, stdout } = await run(command, args, options);
  if (code === 0) return;
  throw new Unusable(`${[command, ...args].join(" ")} ended with ${code}\n${stdout.slice(-2000)}`);
}

export interface CorpusServer {
  /** The environment in which addresses at github.com are those of the corpus. */
  readonly env: NodeJS.ProcessEnv;
  readonly hub: string;
  stop(): void;
}

/** Starts the server of the corpus and waits until it answers; it keeps the repositories that it makes in `dir`. */
export async function serveCorpus(script: string, dir: string): Promise<CorpusServer> {
  const child = spawn(process.execPath, [script, "--dir", dir], { stdio: ["ignore", "pipe", "inherit"] });
  running.add(child);
  const env = { ...process.env };
  let text = "";
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => {
      running.delete(child);
      reject(interrupted ? new Interrupted() : new Unusable(`${script} ended with ${code ?? "a signal"}`));
    });
    child.stdout.on("data", (part: Buffer) => {
      text += part.toString("utf8");
      if (/^export CORPUS_HUB=.*\n/m.test(text)) resolve();
    });
  });
  for (const [, name, value] of text.matchAll(/^export (\w+)='(.*)'$/gm)) env[name!] = value!;
  return { env, hub: env["CORPUS_HUB"]!, stop: () => void child.kill() };
}
