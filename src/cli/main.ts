#!/usr/bin/env node
/** The entry of the command: what was typed to a verb, its result to standard output, its end to an exit code. */

import process from "node:process";
import { nearest } from "../blueprint/nearest.ts";
import { UserError } from "../errors.ts";
import { packageVersion } from "../formats/package-root.ts";
import { parseFlags, usageError } from "./flags.ts";
import { oneLine } from "./format.ts";
import { overview, verbHelp } from "./help.ts";
import { createInterrupts } from "./interrupts.ts";
import { createProgress } from "./progress.ts";
import type { Progress } from "./progress.ts";
import type { Context } from "./verb.ts";
import { verbs } from "./verbs.ts";

/** The one place that decides about exit codes. */
const DONE = 0;
const FAILED = 1;
const WRONG_REQUEST = 2;

const { argv, stdout, stderr } = process;
stdout.on("error", endOfPipe);
stderr.on("error", endOfPipe);
process.exit(await main(argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  // Whatever is wrong with the arguments, whoever asked for JSON gets JSON.
  const json = args.includes("--json");
  const progress = createProgress({
    mode: stderr.isTTY && process.env["TERM"] !== "dumb" ? "live" : json ? "silent" : "plain",
    write: (text) => void stderr.write(text),
    width: () => stderr.columns || 80,
    stream: stderr,
    clock: () => performance.now() / 1000,
  });
  try {
    const text = await perform(args, json, progress);
    progress.finish();
    if (text !== undefined) await write(stdout, `${text}\n`);
    return DONE;
  } catch (error) {
    progress.close();
    return report(error, json);
  }
}

/** Runs what was typed; gives the text of its result. */
async function perform(args: readonly string[], json: boolean, progress: Progress): Promise<string | undefined> {
  const target = { stream: stdout, width: Math.min(100, stdout.columns || 80) };
  const [name, ...rest] = args;
  const helpWanted = name === "help" || name === "--help" || name === "-h";
  if (name === "--version" || name === "-V") return packageVersion();
  if (name === undefined || (helpWanted && (rest[0] === undefined || rest[0].startsWith("-")))) {
    if (name !== undefined) return overview(verbs, packageVersion(), target);
    await write(stderr, `${overview(verbs, packageVersion(), { ...target, stream: stderr })}\n\n`);
    throw usageError("no verb is given", `write one of ${verbs.map((verb) => verb.name).join(", ")} after chrysalis`);
  }
  const wanted = helpWanted ? rest[0]! : name;
  const verb = verbs.find((known) => known.name === wanted);
  if (verb === undefined) {
    const what = wanted.startsWith("-") ? "flag" : "verb";
    const close = wanted.startsWith("-")
      ? "--help"
      : nearest(
          wanted,
          verbs.map((known) => known.name),
        );
    throw usageError(`there is no ${what} "${wanted}"`, `the nearest is ${close}; see: chrysalis --help`);
  }
  if (helpWanted) return verbHelp(verb, target);
  const input = parseFlags(verb, rest);
  if (input.given.has("help")) return verbHelp(verb, target);

  const interrupts = createInterrupts(process);
  const { signal, onInterrupt } = interrupts;
  const { env, stdin } = process;
  const context: Context = { cwd: process.cwd(), env, stdin, stdout, stderr, json, progress, signal, onInterrupt };
  try {
    const result = await verb.run(input, context);
    return json ? JSON.stringify(result, null, stdout.isTTY ? 2 : undefined) : verb.human(result);
  } finally {
    interrupts.release();
  }
}

async function report(error: unknown, json: boolean): Promise<number> {
  if (error instanceof UserError) {
    const { code, message, hint } = error;
    if (json) await write(stdout, `${JSON.stringify({ error: { code, message, hint } })}\n`);
    await write(stderr, `chrysalis: ${sentence(message)}${hint === undefined ? "" : ` ${sentence(hint, true)}`}\n`);
    return code === "diverged" || code === "interrupted" ? FAILED : WRONG_REQUEST;
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const hint = "this is a defect of chrysalis; please report it with what CHRYSALIS_DEBUG=1 prints";
  if (json) await write(stdout, `${JSON.stringify({ error: { code: "defect", message, hint } })}\n`);
  await write(stderr, `chrysalis: ${sentence(message)} ${sentence(hint, true)}\n`);
  if (process.env["CHRYSALIS_DEBUG"]) {
    await write(stderr, `${error instanceof Error ? (error.stack ?? message) : message}\n`);
    const cause = error instanceof Error ? error.cause : undefined;
    if (cause instanceof Error) await write(stderr, `Cause: ${cause.stack ?? cause.message}\n`);
  }
  return FAILED;
}

/** One line that ends in a full stop. */
function sentence(text: string, capital = false): string {
  const line = oneLine(text, 2000);
  const begun = capital && /^[a-z]+\b(?![_.=/(])/.test(line) ? line[0]!.toUpperCase() + line.slice(1) : line;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/** Waits until the text has left: process.exit would cut a pipe's rest off. */
function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => stream.write(text, () => resolve()));
}

/** Whoever read our output has seen enough (`| head`). */
function endOfPipe(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(DONE);
  throw error;
}
