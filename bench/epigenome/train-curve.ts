/** One training with what it had learned and forgotten on its way, and on the line between its end and the parent. */

import type { Document } from "../../src/eval/bits-per-byte.ts";
import { total } from "../../src/imago/measure.ts";
import type { Step } from "../../src/models/step.ts";
import type { TokenCorpus } from "../../src/epigenome/pack.ts";
import type { Recipe } from "./body.ts";
import type { CurvePoint } from "./curves.ts";
import type { Bench } from "./proof.ts";
import { scoreArm, trainBody } from "./train-arm.ts";
import type { ArmScores } from "./train-arm.ts";
import { turner } from "./turner.ts";

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
