/** From the checkpoints of a run to the weights that emerge: blended where the recipe asks for it, merged into the parent. */

import type { Settings } from "../blueprint/plan.ts";
import { checkpointName, readCheckpoint, readParameters } from "../chrysalis/checkpoint.ts";
import type { Evaluation } from "../chrysalis/events.ts";
import type { AdapterExport } from "../imago/export.ts";
import { blendPoints, outcomeOf } from "../imago/outcome.ts";
import type { BlendPoint, Candidate, Outcome } from "../imago/outcome.ts";
import type { Training } from "../imago/report.ts";
import { blendTrained, foldScales, mergeTrained, scaleAdapter } from "../imago/trained.ts";
import type { LoraOptions } from "../models/adapter.ts";
import type { Body, WeightTensor } from "../models/body.ts";
import { loadBody } from "../models/load.ts";
import { compileStep } from "../models/step.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
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
  const { nest, settings, training, parentFolder } = options;
  const parent = await loadBody(nest.request.model);
  const trained = trainedOf(nest, loraOf(settings, parent.config));
  const { blend } = settings;
  const measured = blend && (await measureBlends(parent, trained, blend.modules, options));
  const outcome = outcomeOf(training, settings.keep, measured);
  const merged = await merge(parent, trained, outcome.emerged, options);
  const adapter = merged.lora && { tensors: merged.tensors, lora: merged.lora, parent: parentFolder };
  const { config, configJson, generationConfig, dtype: parentType } = parent;
  return { outcome, model: { config, configJson, generationConfig, parentType, weights: merged.weights, adapter } };
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
    const { weights } = blendTrained(parent, tensors, lora, { alpha, modules });
    const step = await compileStep({ config: parent.config, weights }, { B, T, train: "none", threads });
    try {
      measured.push({ ...point, figures: await scoreInterim(step, tokenizer, interim) });
    } finally {
      await step.release();
    }
  }
  return measured;
}

async function merge(
  parent: Body,
  trained: ReturnType<typeof trainedOf>,
  { checkpoint, alpha }: Candidate,
  { settings, training }: EmergeOptions,
): Promise<Trained & Pick<Body, "weights">> {
  if (checkpoint === null) {
    if (settings.lora === null) return { weights: parent.weights, tensors: [], lora: undefined };
    // An adapter without effect, shaped as the last one.
    const { tensors, lora } = await trained(checkpointName(training.steps));
    return { weights: parent.weights, tensors: scaleAdapter(tensors, () => 0), lora };
  }
  const { tensors, lora } = await trained(checkpoint);
  const modules = settings.blend?.modules ?? [];
  if (alpha !== 1 || modules.length > 0) {
    return { lora, ...blendTrained(parent, tensors, lora, { alpha, modules }) };
  }
  return { lora, tensors, weights: mergeTrained(parent, tensors, lora) };
}
