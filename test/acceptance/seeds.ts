/** One run of the real command per seed: begun, gone on with or taken as it is, then judged. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { atomicWrite, canonicalJson, readJson, sha256OfFile } from "../../src/formats/files.ts";
import type { Report } from "../../src/imago/report.ts";
import type { Checks } from "./checks.ts";
import { percent, table } from "./checks.ts";
import { checkDiet, isBackup, isGameLog } from "./diet.ts";
import { changeOf, isMarkdown, meanOf } from "./figures.ts";
import type { Change } from "./figures.ts";
import { run, Unusable } from "./processes.ts";
import type { CorpusServer } from "./processes.ts";

const LEAST_GAIN = 0.08;
const AIM = 0.12;
const MOST_FORGETTING = 0.01;
const LEAST_FILES = 5;
/** `minutes` bounds the training with its interim evaluations; what remains is the last step. */
const MOST_OVERRUN = 1.05;

export const cli = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const blueprint = fileURLToPath(new URL("markdown.yaml", import.meta.url));

export interface RunOptions {
  readonly work: string;
  readonly gguf: string;
  readonly retention: string;
  readonly replay: string;
  readonly minutes: number;
  /** Started when the first run needs it. */
  readonly server: () => Promise<CorpusServer>;
  /** How many repositories the corpus serves. */
  readonly served: number;
  readonly say: (line: string) => void;
}

/** Where the results of a seed lie. */
export function placesOf(work: string, seed: number): { nest: string; asked: string; result: string } {
  const nest = join(work, `seed-${seed}`);
  return { nest, asked: `${nest}.asked.json`, result: `${nest}.json` };
}

/**
 * Runs a seed to its end, from wherever it is, and keeps the command's JSON beside the nest.
 *
 * @throws Unusable where the command fails, or where the folder holds a run that was asked for otherwise
 */
export async function runSeed(seed: number, options: RunOptions): Promise<void> {
  const { work, gguf, retention, replay, minutes, say } = options;
  const { nest, asked, result } = placesOf(work, seed);
  const request = {
    minutes,
    seed,
    model: await sha256OfFile(gguf),
    blueprint: await sha256OfFile(blueprint),
    retention: await sha256OfFile(retention),
    replay: await sha256OfFile(replay),
  };
  const begun = existsSync(join(nest, "run.json"));
  if (begun || existsSync(result)) await refuseOtherRequest(asked, request, nest);
  if (existsSync(result)) {
    say(`  finished before: ${result}`);
    return;
  }
  await atomicWrite(asked, canonicalJson(request));
  const { env, hub } = await options.server();
  const fresh = ["--hub", hub, "--model", gguf, "--blueprint", blueprint, "--retention", retention, "--replay", replay];
  const settings = ["--minutes", `${minutes}`, "--seed", `${seed}`, "--merge-dtype", "f32"];
  const args = ["run", ...(begun ? ["--resume"] : [...fresh, ...settings]), "--out", nest, "--json"];
  say(`  ${begun ? "going on" : "beginning"}; to watch: tail -f ${join(nest, "chrysalis", "events.jsonl")}`);
  const { code, stdout } = await run(process.execPath, [cli, ...args], { env });
  if (code !== 0) throw new Unusable(`chrysalis ${args.join(" ")} ended with ${code}: ${stdout.slice(0, 500)}`);
  JSON.parse(stdout);
  await atomicWrite(result, stdout);
}

async function refuseOtherRequest(asked: string, request: object, nest: string): Promise<void> {
  const before = existsSync(asked) ? await readFile(asked, "utf8") : "nothing";
  if (before === canonicalJson(request)) return;
  throw new Unusable(
    `${nest} holds a run with other minutes, texts, model or blueprint (${asked}): remove both, or give another --work`,
  );
}

export interface SeedFigures {
  readonly seed: number;
  readonly markdown: Change;
  readonly markdownFiles: number;
  readonly markdownBytes: number;
  readonly retention: { readonly before: number; readonly after: number; readonly relative: number };
  /** In bits per byte, over documents. */
  readonly retentionDifference: number;
  readonly retentionStandardError: number | null;
  readonly tokens: number;
  readonly tokensPerSecond: number;
  readonly minutes: number;
  readonly peakMemoryBytes: number;
}

interface Result {
  readonly heldOut: readonly { readonly repository: string; readonly path: string; readonly bytes: number }[];
  readonly tokens: number;
  readonly tokensPerSecond: number;
  readonly peakMemoryBytes: number;
}

/** Judges a finished run by its result and its report. */
export async function judgeSeed(seed: number, checks: Checks, options: RunOptions): Promise<SeedFigures> {
  const of = `seed ${seed}`;
  const { nest, result } = placesOf(options.work, seed);
  const { heldOut, tokens, tokensPerSecond, peakMemoryBytes } = (await readJson(result)) as Result;
  const report = (await readJson(join(nest, "imago", "report.json"))) as Report;
  const files = report.heldOut.filter(isMarkdown);
  const markdown = changeOf(files);
  const { before, after } = report;
  const retention = {
    before: before.retentionBitsPerByte,
    after: after.retentionBitsPerByte,
    relative: after.retentionBitsPerByte / before.retentionBitsPerByte - 1,
  };
  const gain = percent(markdown.relative);
  const aim = markdown.relative <= -AIM ? "reached" : "not reached";
  checks.add(
    of,
    "held-out bits per byte of Markdown",
    `${markdown.before.toFixed(4)} to ${markdown.after.toFixed(4)}, ${gain}; the aim of -12 % is ${aim}`,
    "-8 % or less",
    markdown.relative <= -LEAST_GAIN,
  );
  const kept = `${retention.before.toFixed(4)} to ${retention.after.toFixed(4)}, ${percent(retention.relative)}`;
  checks.add(of, "retention bits per byte", kept, "less than +1 %", retention.relative < MOST_FORGETTING);

  const sizes = `${heldOut.length} files, ${heldOut.reduce((sum, { bytes }) => sum + bytes, 0)} bytes`;
  checks.add(of, "held out", sizes, "5 files at least", heldOut.length >= LEAST_FILES);
  const foreign = heldOut.filter((file) => !isMarkdown(file) || isBackup(file) || isGameLog(file));
  const names = foreign.map(({ repository, path }) => `${repository}/${path}`).join(", ");
  checks.add(of, "held out but no Markdown, a backup or a game log", names || "none", "none", foreign.length === 0);
  const same = JSON.stringify(heldOut.map(nameOf)) === JSON.stringify(report.heldOut.map(nameOf));
  checks.add(of, "held-out files of result and report", same ? "the same" : "differ", "the same", same);

  const found = report.lineage.genome.repositories.length;
  const skipped = report.warnings.filter((warning) => / was skipped: /.test(warning)).length;
  const repositories = `${found} repositories, ${skipped} of the hub's links skipped`;
  checks.add(of, "genome", repositories, `the ${options.served} that are served`, found === options.served);
  const minutes = report.training.seconds / 60;
  const bound = minutes <= options.minutes * MOST_OVERRUN;
  checks.add(of, "training", `${minutes.toFixed(1)} minutes`, `at most ${options.minutes} and 5 %`, bound);
  await checkDiet(checks, of, nest, options);

  return {
    seed,
    markdown,
    markdownFiles: files.length,
    markdownBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    retention,
    retentionDifference: report.change.retention.difference,
    retentionStandardError: report.change.retention.standardError,
    tokens,
    tokensPerSecond,
    minutes,
    peakMemoryBytes,
  };
}

function nameOf({ repository, path }: { readonly repository: string; readonly path: string }): string {
  return `${repository}/${path}`;
}

/** The seeds side by side, with mean and standard error, and each paired difference with its own. */
export function seedTable(seeds: readonly SeedFigures[]): string {
  const figure = (value: number): string => value.toFixed(4);
  const change = ({ seed, markdown, retention, ...of }: SeedFigures): string[] => [
    `${seed}`,
    ...[markdown.before, markdown.after].map(figure),
    percent(markdown.relative),
    ...[retention.before, retention.after].map(figure),
    percent(retention.relative),
    `${of.tokens}`,
    of.tokensPerSecond.toFixed(0),
    of.minutes.toFixed(1),
    (of.peakMemoryBytes / 1e9).toFixed(2),
  ];
  const spread = (values: readonly number[]): string => {
    const { mean, standardError } = meanOf(values);
    return `${percent(mean)} ± ${Number.isNaN(standardError) ? "?" : (100 * standardError).toFixed(2)}`;
  };
  const difference = (value: number, error: number | null): string =>
    `${value.toFixed(4)} ± ${error === null || Number.isNaN(error) ? "?" : error.toFixed(4)}`;
  return [
    table([
      ["seed", "Markdown", "after", "change", "retention", "after", "change", "tokens", "tok/s", "minutes", "peak GB"],
      ...seeds.map(change),
    ]),
    "",
    `mean change ± standard error over ${seeds.length} seeds: Markdown ${spread(seeds.map((of) => of.markdown.relative))}, retention ${spread(seeds.map((of) => of.retention.relative))}`,
    "",
    "paired differences in bits per byte ± standard error over files:",
    table([
      ["seed", "files", "bytes", "Markdown", "retention"],
      ...seeds.map((of) => [
        `${of.seed}`,
        `${of.markdownFiles}`,
        `${of.markdownBytes}`,
        difference(of.markdown.difference, of.markdown.standardError),
        difference(of.retentionDifference, of.retentionStandardError),
      ]),
    ]),
  ].join("\n");
}
