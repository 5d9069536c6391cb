/** The plan of a run: made and written down, or read again and held against what is there now. */

import { readPlan, settingsOf, writePlan } from "../../blueprint/plan.ts";
import type { Plan, Settings } from "../../blueprint/plan.ts";
import { writeJsonl } from "../../formats/jsonl.ts";
import { stopwatch } from "./context.ts";
import type { Carried } from "./context.ts";
import type { PipelineOptions } from "./events.ts";
import { refuseChanged, refuseOtherData } from "./inputs.ts";
import type { Inputs } from "./inputs.ts";
import { genomeOf, writeRetention } from "./nest-files.ts";
import type { Nest } from "./nest.ts";
import { planRun } from "./planning.ts";

/** What the stage leaves to the next ones beside its files. */
export interface PlanResult {
  readonly replaySha256: string | null;
  readonly bytesPerToken: number;
}

/**
 * Plans the run, or takes the plan that there is.
 *
 * @throws UserError "mismatch" where a resumed run finds other inputs, and those of `planRun`
 */
export async function planStage(
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
