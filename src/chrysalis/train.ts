/** The training loop: accumulate, check, clip, update; evaluate, checkpoint; stop and go on without a trace. */

import { join } from "node:path";
import { invariant, UserError } from "../errors.ts";
import type { Batch } from "../models/batch.ts";
import {
  checkpointName,
  latestCheckpoint,
  pruneCheckpoints,
  restoreOptimiser,
  restoreParameters,
  saveCheckpoint,
  type TrainState,
} from "./checkpoint.ts";
import { openEventLog, type EvaluationAt, type TrainEvent } from "./events.ts";
import { accumulateStep, allFinite, gradientNorm } from "./gradients.ts";
import { openJournal } from "./journal.ts";
import { bestInside, evaluationAt, overruns, overTwice } from "./keep.ts";
import { createLossGuard, diverged } from "./loss-guard.ts";
import { createPace } from "./pace.ts";
import { openRunFolder } from "./run-folder.ts";
import { learningRateAt } from "./schedule.ts";
import { selectByExcess } from "./token-selection.ts";
import { createStageClock } from "./stages.ts";
import type { TrainOptions, TrainResult } from "./train-options.ts";

/**
 * Trains `step.parameters` in place. The loss of an optimiser step is sum(w nll) / sum(w) over all its micro-batches,
 * and the gradient is clipped once, after accumulation. Killed at any moment and resumed, a run gives the same losses
 * and weights, bit for bit, as one left alone (in a run bounded by minutes: as one that took the same decisions).
 *
 * Throws UserError "exists", "mismatch", "diverged", "interrupted", "empty" (a step without anything to predict).
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { step, optimiser, stream, microBatches, schedule, clip, budget, dir, evaluation, keep } = options;
  const clock = options.clock ?? (() => performance.now() / 1000);
  const started = clock();
  const settings = {
    budget,
    microBatches,
    learningRate: schedule.learningRate,
    warmup: schedule.warmup,
    decay: schedule.decay,
    ...(options.stages === undefined ? {} : { stages: options.stages.shares }),
    ...(options.select === undefined ? {} : { select: options.select }),
    clip: Number.isFinite(clip) ? clip : null,
    ...(keep === undefined ? {} : { keep }),
    optimiser: { name: optimiser.name, ...optimiser.settings },
  };
  await openRunFolder(dir, { schema: 1, stage: "chrysalis", ...options.manifest, settings }, options.resume ?? false);
  const folder = join(dir, "checkpoints");
  const damaged: string[] = [];
  const found = await latestCheckpoint(folder, (message) => void damaged.push(message));
  if (found !== undefined) {
    await restoreParameters(found.path, step.parameters);
    await restoreOptimiser(found, optimiser);
  }
  const state: TrainState = found?.state ?? {
    step: 0,
    tokens: 0,
    seconds: 0,
    stepSeconds: 0,
    guard: createLossGuard().state(),
    evaluations: [],
  };
  const evaluations: EvaluationAt[] = [...state.evaluations];
  options.adapt?.resumed(evaluations.map(({ step: at }) => at).filter((at) => at < state.step));
  const guard = createLossGuard(state.guard);
  let { step: completed, tokens, stepSeconds } = state;
  let saved = found?.state.step ?? -1;
  let savedAt = started;

  const journal = await openJournal(join(dir, "journal.jsonl"));
  const log = await openEventLog(join(dir, "events.jsonl"), found?.state.step ?? -1);
  const emit = (event: TrainEvent): void => {
    log.write(event);
    options.onEvent?.(event);
  };
  const elapsed = (): number => state.seconds + clock() - started;
  const values = step.parameters.reduce((sum, { data }) => sum + data.length, 0);
  const checkpointBytes = 4 * (values + optimiser.state().reduce((sum, { data }) => sum + data.length, 0));
  const pace = createPace({
    budget,
    decay: schedule.decay,
    evaluations: evaluation?.times ?? 0,
    journal,
    elapsed,
    checkpointSeconds: checkpointBytes / 200e6,
  });
  const stages = options.stages && createStageClock(options.stages, { budget, journal, elapsed });
  const best = (): EvaluationAt | undefined => bestInside(evaluations, keep?.budget);
  const lowest = (): EvaluationAt | undefined => bestInside(evaluations, undefined);
  const worthKeeping = (): ReadonlySet<number> => new Set([best(), lowest()].flatMap((of) => of?.step ?? []));

  /** Whether the evaluation brought the end of the run nearer. */
  const evaluate = async (): Promise<boolean> => {
    invariant(evaluation, "an evaluation is due in a run that has none");
    const before = clock();
    const measured = await evaluation.evaluate();
    const figures = evaluationAt(completed, measured, evaluations[0] ?? measured);
    if (!Number.isFinite(figures.heldOut)) throw diverged(completed, `the held-out figure is ${figures.heldOut}`);
    evaluations.push(figures);
    const over = overruns(figures, evaluations[0]!, keep?.budget);
    emit({ type: "evaluation", ...figures, best: best() === figures, over, seconds: clock() - before });
    if (evaluation.sample) emit({ type: "sample", step: completed, text: await evaluation.sample() });
    pace.took("evaluation", clock() - before);
    if (keep?.hasten !== true || !overTwice(evaluations, keep.budget)) return false;
    const hastened = await pace.hasten(completed);
    if (hastened) {
      const message =
        `two evaluations in a row are over the forgetting budget: after ${completed} steps the decay began early, ` +
        `to end the run after ${pace.expected()}`;
      emit({ type: "warning", step: completed, message });
    }
    return hastened;
  };
  const adapt = async ({ after }: NonNullable<TrainOptions["adapt"]>): Promise<void> => {
    const total = pace.expected();
    const changes = await after({ step: completed, stepSeconds, stepsLeft: total === null ? null : total - completed });
    if (changes.length > 0) emit({ type: "marks", step: completed, changes });
  };
  const save = async (): Promise<void> => {
    const before = clock();
    if (!allFinite(step.parameters)) throw diverged(completed, "a weight is no longer a finite number");
    log.sync();
    const now = { step: completed, tokens, seconds: elapsed(), stepSeconds, guard: guard.state(), evaluations };
    await saveCheckpoint(folder, { state: now, parameters: step.parameters, optimiser });
    saved = completed;
    savedAt = clock();
    pace.took("checkpoint", savedAt - before);
    emit({ type: "checkpoint", step: completed, name: checkpointName(completed), seconds: savedAt - before });
    await pruneCheckpoints(folder, worthKeeping());
  };
  const saveDue = (): boolean => {
    if (saved === completed || completed === 0) return false;
    if (worthKeeping().has(completed)) return true;
    // A loss that looks exploded must not push good checkpoints out.
    if (guard.state().streak > 0) return false;
    const every = options.checkpointEvery ?? { seconds: Math.max(60, 20 * pace.checkpointSeconds()) };
    return "steps" in every ? completed % every.steps === 0 : clock() - savedAt >= every.seconds;
  };

  function* batches(at: number): Iterable<Batch> {
    for (let micro = 0; micro < microBatches; micro++) yield stream.batch(at, micro);
  }
  /** One optimiser step; false where the time ran out in its middle, and then nothing has changed. */
  const advance = async (): Promise<boolean> => {
    const before = clock();
    const stopped = (): boolean => completed > 0 && pace.outOfTime();
    const chosen =
      options.select === undefined
        ? batches(completed)
        : await selectByExcess(step, [...batches(completed)], { share: options.select.excess, stopped });
    const sums = chosen && (await accumulateStep(step, chosen, stopped));
    if (sums === undefined) return false;
    const { nats, weight } = sums;
    if (weight === 0) throw new UserError("empty", `step ${completed + 1} has nothing to predict`);
    const loss = nats / weight;
    const norm = gradientNorm(step.parameters) / weight;
    guard.check(completed + 1, loss, norm);
    const rate = learningRateAt(completed, {
      peak: schedule.learningRate,
      warmup: schedule.warmup,
      ...pace.length(),
    });
    await optimiser.step(rate, (norm > clip ? clip / norm : 1) / weight);
    completed += 1;
    tokens += sums.tokens;
    const seconds = clock() - before;
    stepSeconds += seconds;
    pace.took("step", seconds);
    emit({
      type: "step",
      step: completed,
      total: pace.expected(),
      loss,
      learningRate: rate,
      gradientNorm: norm,
      tokens,
      tokensPerSecond: sums.tokens / seconds,
      eta: pace.remaining(completed),
      seconds: elapsed(),
    });
    return true;
  };

  try {
    if (found === undefined) {
      const { steps: total = null, minutes = null } = { steps: undefined, minutes: undefined, ...budget };
      const parameters = step.parameters.reduce((sum, { gradient }) => sum + gradient.length, 0);
      emit({ type: "plan", step: 0, parameters, optimiser: optimiser.name, total, minutes });
    }
    for (const message of damaged) emit({ type: "warning", step: completed, message });
    if (options.resume) emit({ type: "resumed", step: completed, seconds: state.seconds });
    let announced = -1;
    for (;;) {
      if (options.signal?.aborted) {
        if (completed > 0 && saved !== completed) await save();
        throw new UserError("interrupted", `training was interrupted after ${completed} steps`, {
          hint: `nothing is lost; go on with ${options.resumeWith ?? "the same command with --resume"}`,
        });
      }
      let more = await pace.prepare(completed);
      const { total, decay } = pace.length();
      if ("minutes" in budget && Number.isFinite(total) && announced !== total) {
        announced = total;
        emit({ type: "schedule", step: completed, total, decay });
      }
      const due = evaluation !== undefined && (!more || pace.evaluationDue(completed));
      if (due && evaluations.at(-1)?.step !== completed) {
        const before = clock();
        if (await evaluate()) more = await pace.prepare(completed);
        if (more && options.adapt) {
          await adapt(options.adapt);
          pace.took("evaluation", clock() - before);
        }
      }
      if (!more || saveDue()) if (saved !== completed) await save();
      if (!more) break;
      const begun = await stages?.prepare(completed);
      if (begun !== undefined) emit({ type: "stage", step: completed, stage: begun });
      if (!(await advance())) await pace.stop(completed);
    }
    if (completed < (pace.expected() ?? 0)) {
      const message = `the time was over after ${completed} of about ${pace.expected()} steps`;
      emit({ type: "warning", step: completed, message });
    }
    const totals = { tokens, tokensPerSecond: tokens / Math.max(stepSeconds, 1e-9), seconds: elapsed() };
    emit({ type: "done", step: completed, ...totals });
    const path = (at: number): string => join(folder, checkpointName(at));
    const kept = (of: EvaluationAt | undefined): TrainResult["best"] =>
      of && { evaluation: of, checkpoint: of.step === 0 ? undefined : path(of.step) };
    const checkpoint = path(completed);
    return { steps: completed, ...totals, evaluations, best: kept(best()), lowest: kept(lowest()), checkpoint };
  } catch (error) {
    if (error instanceof UserError && error.code !== "disk") {
      const type = error.code === "interrupted" ? "interrupted" : "failed";
      emit({ type, step: completed, message: error.message });
    }
    throw error;
  } finally {
    log.close();
  }
}
