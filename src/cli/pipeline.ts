/** The main job: repositories and a model in, an imago out. Five stages that meet only in the folder of the run. */

import { existsSync } from "node:fs";
import { needsChanges } from "../blueprint/needs-changes.ts";
import { readPlan, settingsOf, writePlan } from "../blueprint/plan.ts";
import type { Plan, Settings } from "../blueprint/plan.ts";
import type { TrainEvent } from "../chrysalis/events.ts";
import type { HeldOutRecord } from "../epigenome/heldout-records.ts";
import type { Document } from "../eval/bits-per-byte.ts";
import { UserError } from "../errors.ts";
import { atomicWrite, canonicalJson, readJson } from "../formats/files.ts";
import { writeJsonl } from "../formats/jsonl.ts";
import { buildGenome } from "../genome/build.ts";
import type { GenomeEvent } from "../genome/events.ts";
import { measure } from "../imago/measure.ts";
import type { Figures, Measures } from "../imago/measure.ts";
import type { Report, Training } from "../imago/report.ts";
import { sampleParentText } from "../imago/parent-text.ts";
import { sampleOwnTexts } from "../imago/sample.ts";
import type { Body } from "../models/body.ts";
import { loadBody } from "../models/load.ts";
import { writeModelFolder } from "../models/save.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { finishImago, measureOptions, writeNestManifest } from "./imago-stage.ts";
import { checkInputs, chooseRecipe, refuseChanged, refuseOtherData, retentionSource } from "./inputs.ts";
import type { Inputs } from "./inputs.ts";
import { interimTexts, parentTextTokens } from "./interim.ts";
import type { InterimTexts } from "./interim.ts";
import { abandonNest, beginNest, checkNestFree, placeOf, reopenNest, resumeCommand } from "./nest.ts";
import type { Nest, RunRequest } from "./nest.ts";
import {
  genomeOf,
  readHeldOut,
  readParentText,
  readReport,
  readRetention,
  repositoriesOf,
  writeParentText,
  writeRetention,
} from "./nest-files.ts";
import { openWithData } from "./own-data.ts";
import { parentRecord } from "./parent-record.ts";
import { expressRun, expressTexts, planRun, tokenizerFor } from "./planning.ts";
import type { ExpressedTexts } from "./planning.ts";
import { encodeReplay } from "./replay.ts";
import { synthesise } from "./synthesis.ts";
import { trainAsPlanned } from "./training.ts";

/** What work is going on, beside what genome and training say of themselves. */
export type Work =
  | "checking"
  | "encoding"
  | "searching"
  | "probing"
  | "loading"
  | "sampling"
  | "replay"
  | "questions"
  | "measuring"
  | "blending"
  | "merging"
  | "exporting";

export type PipelineEvent =
  | { readonly type: "work"; readonly work: Work; readonly done?: number; readonly total?: number }
  | { readonly type: "planned"; readonly plan: Plan }
  | { readonly type: "measured"; readonly when: "before" | "after"; readonly figures: Figures }
  | { readonly type: "genome"; readonly event: GenomeEvent }
  | { readonly type: "training"; readonly event: TrainEvent };

export interface PipelineOptions {
  readonly onEvent: (event: PipelineEvent) => void;
  readonly signal: AbortSignal;
}

export interface Finished {
  readonly nest: Nest;
  readonly report: Report;
  /** Whether the run was over already before it was asked to go on. */
  readonly already: boolean;
}

/**
 * Runs everything from the repositories to the imago in the folder `out`. What fails before there is a plan leaves
 * nothing behind; what fails later can be gone on with.
 *
 * @throws UserError of any code, "interrupted" and "diverged" among them
 */
export async function startRun(request: RunRequest, out: string, options: PipelineOptions): Promise<Finished> {
  options.onEvent({ type: "work", work: "checking" });
  await checkNestFree(out);
  const inputs = await checkInputs(request, out);
  // What cannot be trained here is refused before the genome is built; the recipe is chosen once that is known.
  const { recipe } = await chooseRecipe(request, inputs, out);
  const place = await placeOf(out);
  const nest = await beginNest(out, request);
  try {
    return await walk(nest, inputs, needsChanges(recipe.blueprint), options);
  } catch (error) {
    const canGoOn = nest.result("plan") !== undefined || options.signal.aborted;
    if (!canGoOn) await abandonNest(out, place);
    throw asInterruption(error, nest, options.signal);
  }
}

/**
 * Goes on with the run in `out` at the stage where it was stopped; of a finished one it gives the result again.
 *
 * @throws UserError "not-found", "damaged", "mismatch", and those of `startRun`
 */
export async function resumeRun(out: string, options: PipelineOptions): Promise<Finished> {
  const nest = await reopenNest(out);
  if (existsSync(nest.path("manifest.json"))) {
    return { nest, report: await readReport(nest), already: true };
  }
  options.onEvent({ type: "work", work: "checking" });
  const inputs = await checkInputs(nest.request, out);
  const chosen = nest.result("plan") === undefined ? await chooseRecipe(nest.request, inputs, out) : undefined;
  try {
    return await walk(nest, inputs, chosen !== undefined && needsChanges(chosen.recipe.blueprint), options);
  } catch (error) {
    throw asInterruption(error, nest, options.signal);
  }
}

/** Whatever an abort made of the work under way, said with the way to go on; training says so itself. */
function asInterruption(error: unknown, nest: Nest, signal: AbortSignal): unknown {
  const training = nest.result("before") !== undefined && nest.result("chrysalis") === undefined;
  const saidByTraining = error instanceof UserError && error.code === "interrupted" && error !== signal.reason;
  if (!signal.aborted || (training && saidByTraining)) return error;
  return new UserError("interrupted", `the run in ${nest.dir} was interrupted`, {
    hint: `nothing is lost; go on with ${resumeCommand(nest.dir)}`,
    cause: error,
  });
}

/** What a run carries in memory from stage to stage; every stage can do without by reading it again. */
interface Carried {
  body?: Body;
  texts?: ExpressedTexts;
}

/** @param history whether the recipe reads what commits changed */
async function walk(nest: Nest, checked: Inputs, history: boolean, options: PipelineOptions): Promise<Finished> {
  const carried: Carried = {};
  await genomeStage(nest, history, options);
  const { plan, settings } = await planStage(nest, checked, carried, options);
  const ownTokenizer = checked.tokenizer;
  const inputs: Inputs = { ...checked, tokenizer: tokenizerFor(settings, checked) };
  const heldOut = await readHeldOut(nest);
  const before = await beforeStage(nest, inputs, settings, heldOut, carried, options);
  const retention = await readRetention(nest);
  const { bytesPerToken } = nest.result<PlanResult>("plan")!;
  const { tokenizer } = inputs;
  const parentText = await readParentText(nest);
  const interim = interimTexts({ settings, bytesPerToken, tokenizer, heldOut, retention, parentText });
  const shared: Shared = { nest, inputs, ownTokenizer, plan, settings, heldOut, retention, interim, carried, options };
  const training = await trainingStage(shared);
  delete carried.body;
  delete carried.texts;
  const report = await imagoStage(shared, before, training);
  return { nest, report, already: false };
}

interface Shared {
  readonly nest: Nest;
  readonly inputs: Inputs;
  /** The parent's, without a chat template that the recipe adds. */
  readonly ownTokenizer: Tokenizer;
  readonly plan: Plan;
  readonly settings: Settings;
  readonly heldOut: readonly HeldOutRecord[];
  readonly retention: readonly Document[];
  readonly interim: InterimTexts;
  readonly carried: Carried;
  readonly options: PipelineOptions;
}

const stopwatch = (): (() => number) => {
  const began = performance.now();
  return () => (performance.now() - began) / 1000;
};

async function genomeStage(nest: Nest, history: boolean, { onEvent, signal }: PipelineOptions): Promise<void> {
  if (nest.result("genome") !== undefined) return;
  signal.throwIfAborted();
  const out = genomeOf(nest);
  if (out === undefined) return nest.finish("genome", 0);
  const elapsed = stopwatch();
  const { missing } = await buildGenome({
    sources: nest.request.sources,
    hub: nest.request.hub,
    out,
    history,
    onEvent: (event) => onEvent({ type: "genome", event }),
    signal,
  });
  for (const { url, reason } of missing) nest.warn(`${url} was skipped: ${reason}`);
  await nest.finish("genome", elapsed(), { missing });
}

interface PlanResult {
  readonly replaySha256: string | null;
  readonly bytesPerToken: number;
}

async function planStage(
  nest: Nest,
  inputs: Inputs,
  carried: Carried,
  { onEvent, signal }: PipelineOptions,
): Promise<{ plan: Plan; settings: Settings }> {
  const done = nest.result<PlanResult>("plan");
  if (done !== undefined) {
    const plan = await readPlan(nest.path("plan.json"));
    refuseChanged(`the model ${nest.request.model}`, plan.inputs.model.sha256, inputs.modelSha256);
    refuseOtherData(plan.inputs.data ?? [], inputs.data);
    const instruct = (of: { readonly sha256: string } | null | undefined): string => of?.sha256 ?? "none";
    refuseChanged("the instruct model", instruct(plan.inputs.instruct), instruct(inputs.instruct));
    refuseChanged("the replay text", done.replaySha256 ?? "none", inputs.replay?.sha256 ?? "none");
    return { plan, settings: settingsOf(plan) };
  }
  signal.throwIfAborted();
  const elapsed = stopwatch();
  const planning = await planRun(genomeOf(nest), {
    request: nest.request,
    inputs,
    out: nest.dir,
    onEncoding: (done, total) => onEvent({ type: "work", work: "encoding", done, total }),
    onProbing: (done, total) => onEvent({ type: "work", work: "probing", done, total }),
    onSearching: (done, total) => onEvent({ type: "work", work: "searching", done, total }),
    signal,
  });
  const { plan, heldOut, retention, warnings, body } = planning;
  if (body !== undefined) carried.body = body;
  for (const warning of warnings) nest.warn(warning);
  await writeJsonl(nest.path("heldout.jsonl"), heldOut);
  if (retention) await writeRetention(nest, retention);
  await writePlan(nest.path("plan.json"), plan);
  carried.texts = planning;
  await nest.finish("plan", elapsed(), {
    replaySha256: inputs.replay?.sha256 ?? null,
    bytesPerToken:
      sumOf(planning.stages, ({ bytes }) => bytes) / sumOf(planning.stages, ({ corpus }) => corpus.ids.length),
  });
  onEvent({ type: "planned", plan });
  return { plan, settings: settingsOf(plan) };
}

function sumOf<T>(of: readonly T[], value: (item: T) => number): number {
  return of.reduce((sum, item) => sum + value(item), 0);
}

async function bodyOf({ request }: Nest, carried: Carried, { onEvent }: PipelineOptions): Promise<Body> {
  if (carried.body === undefined) {
    onEvent({ type: "work", work: "loading" });
    carried.body = await loadBody(request.model);
  }
  return carried.body;
}

async function beforeStage(
  nest: Nest,
  inputs: Inputs,
  settings: Settings,
  heldOut: readonly HeldOutRecord[],
  carried: Carried,
  options: PipelineOptions,
): Promise<Measures> {
  const file = nest.path("before.json");
  if (nest.result("before") !== undefined) return (await readJson(file)) as Measures;
  const { onEvent, signal } = options;
  signal.throwIfAborted();
  const elapsed = stopwatch();
  const body = await bodyOf(nest, carried, options);
  const { tokenizer } = inputs;
  if (body.source.kind === "gguf" && !existsSync(nest.path("parent"))) {
    onEvent({ type: "work", work: "exporting" });
    const { configJson, weights, generationConfig } = body;
    await writeModelFolder(nest.path("parent"), {
      configJson,
      weights: weights.values(),
      dtype: "F32",
      tokenizerFiles: tokenizer.files,
      generationConfig,
    });
  }
  if (inputs.retention === undefined) {
    const onProgress = (done: number, total: number): void => onEvent({ type: "work", work: "sampling", done, total });
    const { seed, threads } = settings;
    await writeRetention(nest, await sampleOwnTexts(body, tokenizer, { seed, threads, onProgress, signal }));
    nest.warn("no retention text was given: the parent's own samples stand for it");
  }
  const tokens = parentTextTokens(settings);
  if (tokens > 0) {
    const { seed, threads, sequence: window } = settings;
    const onProgress = (done: number, total: number): void => onEvent({ type: "work", work: "sampling", done, total });
    const sampled = { tokens, window, seed, threads, onProgress, signal };
    await writeParentText(nest, await sampleParentText(body, tokenizer.separator, sampled), tokenizer);
  }
  const retention = await readRetention(nest);
  const onMeasuring = (done: number, total: number): void => onEvent({ type: "work", work: "measuring", done, total });
  const measures = await measure(
    body,
    tokenizer,
    measureOptions({ settings, heldOut, retention, onMeasuring, signal }),
  );
  await atomicWrite(file, canonicalJson(measures));
  await nest.finish("before", elapsed());
  onEvent({ type: "measured", when: "before", figures: measures });
  return measures;
}

async function trainingStage(shared: Shared): Promise<Training> {
  const { nest, inputs, plan, settings, interim, carried, options } = shared;
  const done = nest.result<Training>("chrysalis");
  if (done !== undefined) return done;
  const { onEvent, signal } = options;
  const { replay, pairs } = await synthesisStage(shared);
  const elapsed = stopwatch();
  const isAsPlanned = pairs === undefined && carried.texts !== undefined;
  const texts = isAsPlanned
    ? carried.texts!
    : await expressAgain(nest, plan, inputs, { ...options, pairsOf: pairs?.of });
  const record = await parentRecord({
    path: (name) => nest.path(name),
    plan,
    settings,
    stages: texts.stages,
    tokenizer: inputs.tokenizer,
    body: () => bodyOf(nest, carried, options),
    onMeasuring: (done, total) => onEvent({ type: "work", work: "measuring", done, total }),
    signal,
  });
  const body = await bodyOf(nest, carried, options);
  const training = await trainAsPlanned({
    plan,
    settings,
    body,
    tokenizer: inputs.tokenizer,
    stages: texts.stages,
    record,
    texts: interim,
    replay: await encodeReplay(plan, inputs, replay),
    pairsSha256: pairs?.sha256,
    dir: nest.path("chrysalis"),
    resume: existsSync(nest.path("chrysalis")),
    resumeWith: resumeCommand(nest.dir),
    onEvent: (event) => {
      if (event.type === "warning") nest.warn(event.message);
      onEvent({ type: "training", event });
    },
    signal,
  });
  // What an earlier process of this run trained is in `training.seconds` alone.
  await nest.finish("chrysalis", Math.max(elapsed(), training.seconds), training);
  return training;
}

function synthesisStage({ nest, inputs, ownTokenizer, plan, settings, retention, carried, options }: Shared) {
  const { onEvent, signal } = options;
  return synthesise({
    nest,
    settings,
    plan,
    tokenizer: ownTokenizer,
    retention,
    body: () => bodyOf(nest, carried, options),
    async withExpressed(use) {
      const genome = await openWithData(genomeOf(nest), inputs.data);
      try {
        refuseChanged(`the genome in ${genome.dir}`, plan.inputs.genome.sha256, genome.sha256);
        const { expressed } = carried.texts?.expression ?? (await expressRun(genome, settings, inputs));
        return await use(genome, expressed);
      } finally {
        await genome.close();
      }
    },
    onReplay: (done, total) => onEvent({ type: "work", work: "replay", done, total }),
    onQuestions: (done, total) => onEvent({ type: "work", work: "questions", done, total }),
    signal,
  });
}

async function expressAgain(
  nest: Nest,
  plan: Plan,
  inputs: Inputs,
  { onEvent, signal, pairsOf }: PipelineOptions & Pick<Parameters<typeof expressTexts>[2], "pairsOf">,
): Promise<ExpressedTexts> {
  const genome = await openWithData(genomeOf(nest), inputs.data);
  try {
    refuseChanged(`the genome in ${genome.dir}`, plan.inputs.genome.sha256, genome.sha256);
    const onEncoding = (done: number, total: number): void => onEvent({ type: "work", work: "encoding", done, total });
    return await expressTexts(genome, settingsOf(plan), { inputs, pairsOf, onEncoding, signal });
  } finally {
    await genome.close();
  }
}

async function imagoStage(shared: Shared, before: Measures, training: Training): Promise<Report> {
  const { nest, inputs, plan, settings, heldOut, retention, interim, options } = shared;
  const { onEvent, signal } = options;
  if (nest.result("imago") === undefined) {
    signal.throwIfAborted();
    const elapsed = stopwatch();
    const { after } = await finishImago({
      nest,
      plan,
      settings,
      tokenizer: inputs.tokenizer,
      instruct: inputs.instruct,
      parentFolder: inputs.body.kind === "gguf" ? nest.path("parent") : nest.request.model,
      training,
      before,
      heldOut,
      retention,
      interim,
      retentionSource: retentionSource(inputs),
      repositories: await repositoriesOf(nest),
      onWork: (work) => onEvent({ type: "work", work }),
      onBlending: (done, total) => onEvent({ type: "work", work: "blending", done, total }),
      onMeasuring: (done, total) => onEvent({ type: "work", work: "measuring", done, total }),
      signal,
      elapsed,
    });
    await nest.finish("imago", elapsed());
    onEvent({ type: "measured", when: "after", figures: after });
  }
  await writeNestManifest(nest, plan);
  return readReport(nest);
}
