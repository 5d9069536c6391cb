/** `chrysalis run`: the main job, repositories and a model in, an imago out. */

import { join, relative, resolve } from "node:path";
import { COMMAND } from "./command-name.ts";
import { typedName, usageError } from "./flags.ts";
import { formatBytes, formatCount, formatDuration, formatFigure } from "./format.ts";
import { defaultOut } from "./pipeline/nest.ts";
import { resumeRun, startRun } from "./pipeline/pipeline.ts";
import type { Finished } from "./pipeline/pipeline.ts";
import { requestFlags, requestOf, requestPositionals } from "./request.ts";
import { showPipeline } from "./pipeline/show-pipeline.ts";
import { defineVerb } from "./verb.ts";

export const run = defineVerb({
  name: "run",
  summary: "Train a model on git repositories and measure what it learned",
  usage: "SOURCE... [--hub HUB] [--data FILE|DIR] [--model MODEL] [--minutes M] [--out DIR] [FLAGS]",
  positionals: requestPositionals,
  flags: {
    ...requestFlags,
    resume: { kind: "switch", help: "Go on with the run in --out where it was stopped" },
  },
  examples: [
    { command: "chrysalis run .", does: "the repository you stand in and the shipped larva, three minutes" },
    {
      command: "chrysalis run ../app https://github.com/owner/library --minutes 20 --out app-nest",
      does: "two repositories",
    },
    {
      command: "chrysalis run ../app --data chats.jsonl --model path/to/SmolLM2-135M-Instruct",
      does: "a repository and dialogues of your own, of which the answers are trained; the dialogues alone without ../app",
    },
    { command: "chrysalis run --resume --out app-nest", does: "go on after Ctrl-C or a power cut" },
  ],
  async run(input, { cwd, signal, progress }) {
    const { flags, given, positionals } = input;
    const out = resolve(cwd, flags.out ?? defaultOut(cwd, { resume: flags.resume }));
    const options = { onEvent: showPipeline(progress), signal };
    if (flags.resume) {
      const other = [...given].find((name) => !["resume", "out", "json"].includes(name));
      if (other !== undefined || positionals.length > 0) {
        const what = other === undefined ? `SOURCE "${positionals[0]}"` : `--${typedName(other)}`;
        throw usageError(
          `${what} is given with --resume`,
          "a run goes on as it was begun: give --resume and --out alone",
        );
      }
      return resultOf(await resumeRun(out, options));
    }
    return resultOf(await startRun(requestOf(input, cwd), out, options));
  },
  human,
});

function resultOf({ nest, report, already }: Finished) {
  const { before, after, training, lineage } = report;
  const { emerged } = report.outcome;
  const figures = ({ bitsPerByte, bitsPerByteMacro, retentionBitsPerByte }: typeof before) => {
    return { bitsPerByte, bitsPerByteMacro, retentionBitsPerByte };
  };
  return {
    nest: nest.dir,
    imago: nest.path("imago"),
    genome: { sha256: lineage.genome.sha256 },
    before: figures(before),
    after: figures(after),
    retentionSource: report.retentionSource,
    repair: report.repair,
    heldOut: report.heldOut.map(({ repository, path, blob, bytes }) => ({ repository, path, blob, bytes })),
    emerged: { checkpoint: emerged.checkpoint, alpha: emerged.alpha },
    steps: training.steps,
    tokens: training.tokens,
    tokensPerSecond: training.tokensPerSecond,
    peakMemoryBytes: report.peakMemoryBytes,
    predicted: report.predicted,
    measured: report.measured,
    seconds: report.seconds,
    dtype: report.export.dtype,
    warnings: report.warnings,
    already,
  };
}

type Result = ReturnType<typeof resultOf>;

function human(result: Result): string {
  const { before, after, emerged } = result;
  const imago = shortest(result.imago);
  const rows = [
    ["", "before", "after", "change"],
    ["held-out bits per byte", ...beforeAfter(before.bitsPerByte, after.bitsPerByte)],
    ["  mean of repositories", ...beforeAfter(before.bitsPerByteMacro, after.bitsPerByteMacro)],
    ["retention bits per byte", ...beforeAfter(before.retentionBitsPerByte, after.retentionBitsPerByte)],
  ];
  return [
    ...(result.already ? [`The run in ${shortest(result.nest)} is finished; this is its result.`, ""] : []),
    ...rows.map(([name, ...cells]) => name!.padEnd(24) + cells.map((cell) => cell.padStart(10)).join("")),
    "",
    `${formatCount(result.tokens)} tokens in ${formatCount(result.steps)} steps, ${formatCount(result.tokensPerSecond)} tokens/s ` +
      `(${formatCount(result.predicted.tokensPerSecond)} predicted), at most ${formatBytes(result.peakMemoryBytes)} of memory ` +
      `(${formatBytes(result.predicted.memoryBytes)} predicted), ${formatDuration(result.seconds)} in all.`,
    ...(emerged.alpha > 0 && emerged.alpha < 1
      ? [`What was trained is blended with its parent at alpha ${emerged.alpha} (0: the parent, 1: as trained).`]
      : []),
    ...(result.repair === null
      ? []
      : [
          `The instruct model ${result.repair.instruct} itself: held-out ${formatFigure(result.repair.bitsPerByte)}, ` +
            `retention ${formatFigure(result.repair.retentionBitsPerByte)}.`,
        ]),
    ...(result.retentionSource === "sampled" ? ["Retention is measured on the parent's own samples."] : []),
    ...result.warnings.map((warning) => `Note: ${warning}.`),
    "",
    `The imago is in ${imago}; ${join(imago, "README.md")} says what it is and how it was made. Next:`,
    `  ${COMMAND} chat ${imago}`,
    `  ${COMMAND} run PATH-OR-URL...    your own repositories`,
  ].join("\n");
}

function beforeAfter(before: number, after: number): string[] {
  const change = 100 * (after / before - 1);
  return [formatFigure(before), formatFigure(after), `${change > 0 ? "+" : ""}${change.toFixed(1)} %`];
}

function shortest(path: string): string {
  const near = relative(process.cwd(), path);
  return near !== "" && near.length < path.length && !near.startsWith("..") ? near : path;
}
