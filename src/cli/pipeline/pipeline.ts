/** The main job: repositories and a model in, an imago out. Five stages that meet only in the folder of the run. */

import { existsSync } from "node:fs";
import { needsChanges } from "../../blueprint/needs-changes.ts";
import { UserError } from "../../errors.ts";
import { buildGenome } from "../../genome/build.ts";
import type { Measures } from "../../imago/measure.ts";
import type { Report, Training } from "../../imago/report.ts";
import { beforeStage } from "./before-stage.ts";
import { stopwatch } from "./context.ts";
import type { Carried, Shared } from "./context.ts";
import type { PipelineOptions } from "./events.ts";
import { finishImago, writeNestManifest } from "./imago-stage.ts";
import { checkInputs, chooseRecipe, retentionSource } from "./inputs.ts";
import type { Inputs } from "./inputs.ts";
import { interimTexts } from "./interim.ts";
import { abandonNest, beginNest, checkNestFree, placeOf, reopenNest, resumeCommand } from "./nest.ts";
import type { Nest, RunRequest } from "./nest.ts";
import { genomeOf, readHeldOut, readParentText, readReport, readRetention, repositoriesOf } from "./nest-files.ts";
import { planStage } from "./plan-stage.ts";
import type { PlanResult } from "./plan-stage.ts";
import { tokenizerFor } from "./planning.ts";
import { trainingStage } from "./training-stage.ts";

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
  const inputs = await checkInputs(request, out, fetching(options));
  // What cannot be trained here is refused before the genome is built; the recipe is chosen once that is known.
  const { recipe } = await chooseRecipe(request, inputs, out);
  const place = await placeOf(out);
  // A run goes on with the commits that it began with.
  const { dataSources: data } = inputs;
  const nest = await beginNest(out, data.length === 0 ? request : { ...request, data: [...data] });
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
  const inputs = await checkInputs(nest.request, out, fetching(options));
  const chosen = nest.result("plan") === undefined ? await chooseRecipe(nest.request, inputs, out) : undefined;
  try {
    return await walk(nest, inputs, chosen !== undefined && needsChanges(chosen.recipe.blueprint), options);
  } catch (error) {
    throw asInterruption(error, nest, options.signal);
  }
}

function fetching({ onEvent }: PipelineOptions): (done: number, total: number) => void {
  return (done, total) => onEvent({ type: "work", work: "fetching", done, total });
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
