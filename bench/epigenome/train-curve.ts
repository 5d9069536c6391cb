/** One training with what it had learned and forgotten on its way, and on the line between its end and the parent. */

import { blendWeights } from "../../src/imago/blend.ts";
import type { Document } from "../../src/eval/bits-per-byte.ts";
import { total } from "../../src/imago/measure.ts";
import type { WeightTensor } from "../../src/models/body.ts";
import { loadBody } from "../../src/models/load.ts";
import type { Parameter, Step } from "../../src/models/step.ts";
import type { TokenCorpus } from "../../src/epigenome/pack.ts";
import type { Recipe } from "./body.ts";
import type { CurvePoint } from "./curves.ts";
import type { Bench } from "./proof.ts";
import { scoreArm, trainBody } from "./train-arm.ts";
import type { ArmScores } from "./train-arm.ts";

export interface TrainCurveOptions {
  readonly recipe: Recipe;
  readonly steps: number;
  readonly seed: number;
  readonly heldOut: readonly Document[];
  readonly parent: ArmScores;
  /** Spread over the training, the last at its end. */
  readonly evaluations: number;
  /** Points below 1 between parent and end. */
  readonly alphas: readonly number[];
  /** For checkpoints; emptied first. */
  readonly dir: string;
}

export interface TrainedCurve {
  /** Along the training; the parent, which is its start, is left out of both. */
  readonly training: readonly CurvePoint[];
  /** From parent to end. */
  readonly blend: readonly CurvePoint[];
}

/** Trains, and scores held-out and retention text along the way and along the blend. */
export async function trainCurve(bench: Bench, corpus: TokenCorpus, options: TrainCurveOptions): Promise<TrainedCurve> {
  const { recipe, steps, seed, heldOut, parent, evaluations, alphas, dir } = options;
  const along: ArmScores[] = [];
  const evaluation = (step: Step) => ({
    times: evaluations,
    async evaluate() {
      // The first evaluation is that of the untouched parent.
      const scores = along.length === 0 ? parent : await scoreArm(step, bench, heldOut);
      along.push(scores);
      return { heldOut: total(scores.heldOut), retention: total(scores.retention) };
    },
  });
  return trainBody(bench, corpus, { recipe, steps, seed, dir, evaluation }, async (step) => {
    const training = along.slice(1).map((scores, i, { length }): CurvePoint => ({ at: (i + 1) / length, scores }));
    const end = training.at(-1)!.scores;
    const blend: CurvePoint[] = [];
    if (alphas.length > 0) {
      const turn = await turner(bench.body.path, step.parameters);
      for (const alpha of alphas) {
        turn(alpha);
        blend.push({ at: alpha, scores: await scoreArm(step, bench, heldOut) });
      }
    }
    return { training, blend: [...blend, { at: 1, scores: end }] };
  });
}

/** Sets trained parameters to a point between the parent (0) and where they stand now (1). */
async function turner(model: string, parameters: readonly Parameter[]): Promise<(alpha: number) => void> {
  const isAdapter = parameters.some(({ name }) => name.endsWith(".lora_B.weight"));
  const child = asWeights(parameters.map((parameter) => ({ ...parameter, data: parameter.data.slice() })));
  // B A scales as B does, so an adapter's A stays and its B goes from nothing to what was trained.
  const parent = isAdapter
    ? asWeights(parameters.map((parameter) => ({ ...parameter, data: new Float32Array(parameter.data.length) })))
    : await loadBody(model);
  const modules = isAdapter ? [{ match: "**.lora_A.weight", alpha: 1 }] : [];
  return (alpha) => {
    const blended = blendWeights(parent, child, { alpha, modules });
    for (const { name, data } of parameters) data.set(blended.get(name)!.data);
  };
}

function asWeights(tensors: readonly WeightTensor[]): { weights: Map<string, WeightTensor> } {
  return { weights: new Map(tensors.map((tensor) => [tensor.name, tensor])) };
}
