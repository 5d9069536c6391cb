#!/usr/bin/env node
/** The entry of the command: what was typed to a verb, its result to standard output, its end to an exit code. */

import { enableCompileCache } from "node:module";
import process from "node:process";
import { nearest } from "../blueprint/nearest.ts";
import { UserError } from "../errors.ts";
import type { UserErrorCode } from "../errors.ts";
import { packageVersion } from "../formats/package-root.ts";
import { parseFlags, usageError } from "./flags.ts";
import { oneLine } from "./format.ts";
import { groupOverview, overview, verbHelp } from "./help.ts";
import { createInterrupts } from "./interrupts.ts";
import { createProgress } from "./progress.ts";
import type { Progress } from "./progress.ts";
import type { Context } from "./verb.ts";
import { loadVerb, loadVerbs, verbNames } from "./verbs.ts";
import type { VerbName } from "./verbs.ts";

/** The one place that decides about exit codes. */
const DONE = 0;
const FAILED = 1;
const WRONG_REQUEST = 2;

/** What rows are fitted to where the text goes to a file or a pipe. */
const NO_TERMINAL_COLUMNS = 100;

/** What did not go well although the request was right. */
const failures: ReadonlySet<UserErrorCode> = new Set(["diverged", "interrupted", "gate"]);

// The verbs, which are loaded from here on, need not be compiled each time.
enableCompileCache();

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
    const { text, failed } = await perform(args, json, progress);
    progress.finish();
    if (text !== undefined) await write(stdout, `${text}\n`);
    return failed ? FAILED : DONE;
  } catch (error) {
    progress.close();
    return report(error, json);
  }
}

interface Outcome {
  /** The text of the result; undefined where it was shown already. */
  readonly text: string | undefined;
  readonly failed: boolean;
}

/** Runs what was typed. */
async function perform(args: readonly string[], json: boolean, progress: Progress): Promise<Outcome> {
  const target = { stream: stdout, width: Math.min(100, stdout.columns || 80) };
  const [name, ...rest] = args;
  const helpWanted = name === "help" || name === "--help" || name === "-h";
  if (name === "--version" || name === "-V") return told(packageVersion());
  if (name === undefined || (helpWanted && (rest[0] === undefined || rest[0].startsWith("-")))) {
    const verbs = await loadVerbs();
    if (name !== undefined) return told(overview(verbs, packageVersion(), target));
    await write(stderr, `${overview(verbs, packageVersion(), { ...target, stream: stderr })}\n\n`);
    throw usageError("no verb is given", `write one of ${verbNames.join(", ")} after chrysalis`);
  }
  const words = helpWanted ? rest : args;
  const group = verbNames.filter((known) => known.startsWith(`${words[0]} `));
  const groupHelp = words[1] === undefined ? helpWanted : words[1] === "--help" || words[1] === "-h";
  if (group.length > 0 && groupHelp) return told(groupOverview(words[0]!, await loadVerbs(group), target));
  const verb = await loadVerb(findVerb(words, group));
  if (helpWanted) return told(verbHelp(verb, target));
  const input = parseFlags(verb, words.slice(verb.name.split(" ").length));
  if (input.given.has("help")) return told(verbHelp(verb, target));

  const interrupts = createInterrupts(process);
  const { signal, onInterrupt } = interrupts;
  const { env, stdin } = process;
  const context: Context = { cwd: process.cwd(), env, stdin, stdout, stderr, json, progress, signal, onInterrupt };
  try {
    const result = await verb.run(input, context);
    const text = json
      ? JSON.stringify(result, null, stdout.isTTY ? 2 : undefined)
      : verb.human(result, stdout.columns || NO_TERMINAL_COLUMNS);
    return { text, failed: verb.failed?.(result) ?? false };
  } finally {
    interrupts.release();
  }
}

function told(text: string): Outcome {
  return { text, failed: false };
}

/** The verb that was typed, of one word or two; `group` holds the verbs whose first word it is. */
function findVerb([first, second]: readonly string[], group: readonly VerbName[]): VerbName {
  const among = group.length > 0 ? group : verbNames;
  const wanted = group.length > 0 ? (second === undefined ? first! : `${first} ${second}`) : first!;
  const name = among.find((known) => known === wanted);
  if (name !== undefined) return name;
  if (wanted.startsWith("-")) throw usageError(`there is no flag "${wanted}"`, "see: chrysalis --help");
  if (group.length > 0 && (second === undefined || second.startsWith("-"))) {
    throw usageError(`${first} is followed by another word`, `write one of ${among.join(", ")}`);
  }
  throw usageError(`there is no verb "${wanted}"`, `the nearest is ${nearest(wanted, among)}; see: chrysalis --help`);
}

async function report(error: unknown, json: boolean): Promise<number> {
  if (error instanceof UserError) {
    const { code, message, hint } = error;
    if (json) await write(stdout, `${JSON.stringify({ error: { code, message, hint } })}\n`);
    await write(stderr, `chrysalis: ${sentence(message)}${hint === undefined ? "" : ` ${sentence(hint, true)}`}\n`);
    return failures.has(code) ? FAILED : WRONG_REQUEST;
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
