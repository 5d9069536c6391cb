/** From the checkpoints of a run to the weights that emerge: blended where the recipe asks for it, merged into the parent. */

import type { Settings } from "../../blueprint/plan.ts";
import { checkpointName, readCheckpoint, readParameters } from "../../chrysalis/checkpoint.ts";
import type { Evaluation } from "../../chrysalis/events.ts";
import type { AdapterExport } from "../../imago/export.ts";
import { addDifference } from "../../imago/repair.ts";
import { alphaOf } from "../../imago/blend.ts";
import { blendPoints, outcomeOf } from "../../imago/outcome.ts";
import type { BlendPoint, Candidate, Outcome } from "../../imago/outcome.ts";
import type { Training } from "../../imago/report.ts";
import { blendTrained, foldScales, mergeTrained, scaleAdapter } from "../../imago/trained.ts";
import type { LoraOptions } from "../../models/adapter.ts";
import type { Body, WeightTensor } from "../../models/body.ts";
import { loadBody } from "../../models/load.ts";
import { compileStep } from "../../models/step.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import type { Instruct } from "./inputs.ts";
import { scoreInterim } from "./interim.ts";
import type { InterimTexts } from "./interim.ts";
import type { Nest } from "./nest.ts";
import { loraOf } from "./training.ts";

export interface EmergeOptions {
  readonly nest: Nest;
  readonly settings: Settings;
  readonly tokenizer: Tokenizer;
  readonly training: Training;
  /** What blends are measured on: the same as the checkpoints were. */
  readonly interim: InterimTexts;
  /** The parent's folder that an adapter's configuration names. */
  readonly parentFolder: string;
  /** What is added to the trained parent. */
  readonly instruct: Instruct | undefined;
  readonly onBlending: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

export interface Emerged {
  readonly outcome: Outcome;
  /** In f32. */
  readonly model: Pick<Body, "config" | "configJson" | "generationConfig" | "weights"> & {
    readonly adapter: AdapterExport | undefined;
    readonly parentType: Body["dtype"];
  };
}

/** Measures the blends that the recipe asks for, decides what emerges, and puts it together. */
export async function emerge(options: EmergeOptions): Promise<Emerged> {
  const { nest, settings, training, instruct } = options;
  const parent = await loadBody(nest.request.model);
  const trained = trainedOf(nest, loraOf(settings, parent.config));
  const { blend } = settings;
  const measured = blend && (await measureBlends(parent, trained, blend.modules, options));
  const outcome = outcomeOf(training, settings.keep, measured);
  if (instruct !== undefined && outcome.emerged.checkpoint === null) {
    nest.warn("what training left is nothing to add, so the weights are the instruct model's");
  }
  return { outcome, model: await merge(parent, trained, outcome.emerged, options) };
}

interface Trained {
  readonly tensors: readonly WeightTensor[];
  /** Undefined after full training; its factors are folded into the tensors. */
  readonly lora: LoraOptions | undefined;
}

/** Reads what training left in a checkpoint; the last one read is kept. */
function trainedOf(nest: Nest, lora: LoraOptions | undefined): (checkpoint: string) => Promise<Trained> {
  let last: { readonly checkpoint: string; readonly trained: Trained } | undefined;
  return async (checkpoint) => {
    if (last?.checkpoint === checkpoint) return last.trained;
    last = undefined;
    const { path } = await readCheckpoint(nest.path("chrysalis", "checkpoints", checkpoint));
    const tensors = await readParameters(path);
    last = { checkpoint, trained: lora === undefined ? { tensors, lora } : foldScales(tensors, lora) };
    return last.trained;
  };
}

async function measureBlends(
  parent: Body,
  trained: ReturnType<typeof trainedOf>,
  modules: NonNullable<Settings["blend"]>["modules"],
  { settings, tokenizer, training, interim, onBlending, signal }: EmergeOptions,
): Promise<(BlendPoint & { readonly figures: Evaluation })[]> {
  const { microBatch: B, sequence: T, threads } = settings;
  const points = blendPoints(training, settings.blend!.alphas);
  const measured: (BlendPoint & { readonly figures: Evaluation })[] = [];
  for (const [i, point] of points.entries()) {
    signal.throwIfAborted();
    onBlending(i, points.length);
    const { of, alpha } = point;
    if (alpha === 1 && modules.length === 0) {
      measured.push({ ...point, figures: of });
      continue;
    }
    const { tensors, lora } = await trained(of.checkpoint!);
    const weights = blendTrained(parent, tensors, lora, { alpha, modules });
    const step = await compileStep({ config: parent.config, weights }, { B, T, train: "none", threads });
    try {
      measured.push({ ...point, figures: await scoreInterim(step, tokenizer, interim) });
    } finally {
      await step.release();
    }
  }
  return measured;
}

/** The parent, or the instruct model made from it, with what emerges in it. The parent's weights are used up. */
async function merge(
  parent: Body,
  trained: ReturnType<typeof trainedOf>,
  { checkpoint, alpha }: Candidate,
  { settings, training, instruct, parentFolder }: EmergeOptions,
): Promise<Emerged["model"]> {
  const body = instruct === undefined ? parent : await loadBody(instruct.path);
  const { config, configJson, weights, generationConfig, dtype: parentType } = body;
  const model = { config, configJson, weights, generationConfig, parentType, adapter: undefined };
  const blend = { alpha, modules: settings.blend?.modules ?? [] };
  if (settings.lora !== null) {
    // Without a checkpoint an adapter without effect, shaped as the last one.
    const left = await trained(checkpoint ?? checkpointName(training.steps));
    const factorOf = checkpoint === null ? (): number => 0 : alphaOf(blend);
    const [tensors, lora] = [scaleAdapter(left.tensors, factorOf), left.lora!];
    if (checkpoint !== null) mergeTrained(body, tensors, lora);
    return { ...model, adapter: { tensors, lora, parent: instruct?.path ?? parentFolder } };
  }
  if (checkpoint === null) return model;
  const left = await trained(checkpoint);
  const blended = blend.alpha !== 1 || blend.modules.length > 0;
  const tensors = blended ? [...blendTrained(parent, left.tensors, undefined, blend).values()] : left.tensors;
  if (instruct === undefined) mergeTrained(body, tensors, undefined);
  else addDifference(body, parent, tensors);
  return model;
}
