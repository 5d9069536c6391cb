/** `chrysalis plan`: a run's plan and predictions, without the run. */

import { mkdtemp, mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { needsChanges } from "../blueprint/needs-changes.ts";
import { planHash, writePlan } from "../blueprint/plan.ts";
import type { Plan, Planned } from "../blueprint/plan.ts";
import { buildGenome } from "../genome/build.ts";
import { formatBytes, formatCount, formatDuration, formatMany } from "./format.ts";
import { checkInputs, chooseRecipe } from "./pipeline/inputs.ts";
import { checkNestFree, defaultOut, hasRepositories } from "./pipeline/nest.ts";
import { dataLine } from "./pipeline/own-data.ts";
import { planRun } from "./pipeline/planning.ts";
import { probeRows } from "./probe-rows.ts";
import { requestFlags, requestOf, requestPositionals } from "./request.ts";
import { searchRows } from "./search-rows.ts";
import { showPipeline } from "./pipeline/show-pipeline.ts";
import { defineVerb } from "./verb.ts";

export const plan = defineVerb({
  name: "plan",
  summary: "Show what a run would do: every setting with its reason, memory and time",
  usage: "SOURCE... [--data FILE|DIR] [the flags of run]",
  positionals: requestPositionals,
  flags: requestFlags,
  examples: [
    { command: "chrysalis plan . --minutes 10", does: "a dry run; writes nest/plan.json only" },
    {
      command: "chrysalis plan . --blueprint recipe.yaml --json",
      does: "of a recipe of your own, for a program to read",
    },
  ],
  async run(input, { cwd, signal, progress }) {
    const request = requestOf(input, cwd);
    const out = resolve(cwd, input.flags.out ?? defaultOut(cwd, { resume: false }));
    const onEvent = showPipeline(progress);
    onEvent({ type: "work", work: "checking" });
    await checkNestFree(out);
    const inputs = await checkInputs(request, out, (done, total) =>
      onEvent({ type: "work", work: "fetching", done, total }),
    );
    // What cannot be trained here is refused before the genome is built.
    const { recipe } = await chooseRecipe(request, inputs, out);
    const folder = await mkdtemp(join(tmpdir(), "chrysalis-plan-"));
    try {
      const genome = hasRepositories(request) ? join(folder, "genome") : undefined;
      const history = needsChanges(recipe.blueprint);
      const { missing } =
        genome === undefined
          ? { missing: [] }
          : await buildGenome({
              sources: request.sources,
              hub: request.hub,
              out: genome,
              history,
              onEvent: (event) => onEvent({ type: "genome", event }),
              signal,
            });
      const onEncoding = (done: number, total: number): void =>
        onEvent({ type: "work", work: "encoding", done, total });
      const onProbing = (done: number, total: number): void => onEvent({ type: "work", work: "probing", done, total });
      const onSearching = (done: number, total: number): void =>
        onEvent({ type: "work", work: "searching", done, total });
      const planned = await planRun(genome, { request, inputs, out, onEncoding, onProbing, onSearching, signal });
      const path = join(out, "plan.json");
      await mkdir(out, { recursive: true });
      await writePlan(path, planned.plan);
      const skipped = missing.map(({ url, reason }) => `${url} was skipped: ${reason}`);
      return { path, hash: planHash(planned.plan), plan: planned.plan, warnings: [...skipped, ...planned.warnings] };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  human: ({ path, plan: { inputs, settings, predicted, probe, search }, warnings }) => {
    const { genome } = inputs;
    const rows = Object.entries(settings as Record<string, Planned<unknown>>).map(
      ([name, { value, origin, reason }]) => [name, shown(value), origin, reason] as const,
    );
    const width = (column: 0 | 1 | 2): number => Math.max(...rows.map((row) => row[column].length));
    const [first, second, third] = [width(0), Math.min(40, width(1)), width(2)];
    return [
      ...rows.map(
        ([name, value, origin, reason]) =>
          `${name.padEnd(first)}  ${value.padEnd(second)}  ${origin.padEnd(third)}  ${reason}`,
      ),
      "",
      ...(inputs.data ?? []).map((file) => `data: ${dataLine(file)}`),
      `genome: ${formatMany(genome.files, "file")} of ${sourcesOf(inputs)}; ` +
        `${formatCount(genome.trainedFiles)} (${formatBytes(genome.trainedBytes)}) trained on, ` +
        `${formatCount(genome.heldOutFiles)} (${formatBytes(genome.heldOutBytes)}) held out`,
      ...(search === null ? [] : searchRows(search)),
      ...(probe === null ? [] : probeRows(probe)),
      ...predictions(predicted),
      ...written(settings, predicted),
      ...warnings.map((warning) => `Note: ${warning}.`),
      `The plan is in ${path}; run does it.`,
    ].join("\n");
  },
});

function sourcesOf({ genome: { repositories }, data }: Plan["inputs"]): string {
  const count = repositories.length === 1 ? "1 repository" : `${formatCount(repositories.length)} repositories`;
  return [...(repositories.length === 0 ? [] : [count]), ...(data === undefined ? [] : ["the data"])].join(" and ");
}

function predictions(predicted: Plan["predicted"]): string[] {
  const { memory, tokensPerSecond, rate, steps, tokensPerStep, epochs } = predicted;
  const parts = Object.entries(memory).map(([name, bytes]) => `${name} ${formatBytes(bytes)}`);
  return [
    `memory: about ${formatBytes(predicted.memoryBytes)} (${parts.join(", ")}); disk: about ${formatBytes(predicted.diskBytes)}`,
    ...(predicted.parentSeconds === 0
      ? []
      : [
          `before it: about ${formatDuration(predicted.parentSeconds)} for the parent to read the text, whose losses decide order or selection`,
        ]),
    `training: about ${formatDuration(predicted.trainingSeconds)}, ${formatCount(steps)} steps of ${formatCount(tokensPerStep)} tokens ` +
      `at ${formatCount(tokensPerSecond)} tokens/s (${rate}), ${epochs.toFixed(1)} passes over the genome; ` +
      `${formatCount(predicted.trainable)} of ${formatCount(predicted.parameters)} parameters are trained`,
  ];
}

function written(
  { ownReplay, questions }: Plan["settings"],
  { syntheticSeconds }: Plan["predicted"],
): readonly string[] {
  const what = [
    ...(ownReplay.value === null ? [] : [`${formatMany(ownReplay.value.tokens, "token")} of replay`]),
    ...(questions.value === null ? [] : [`questions about ${formatMany(questions.value.passages, "passage")}`]),
  ];
  if (what.length === 0) return [];
  return [`before training the parent writes ${what.join(" and ")}: about ${formatDuration(syntheticSeconds)}`];
}

function shown(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((item) => typeof item !== "object")) return value.join(", ");
  return JSON.stringify(value) ?? "";
}
