/** What emerges from a training and its blends, and what the forgetting budget made it give up. Figures, no weights. */

import type { Evaluation, EvaluationAt, Overrun } from "../chrysalis/events.ts";
import { evaluationAt, overruns, retentionRise } from "../chrysalis/keep.ts";
import type { Keep } from "../chrysalis/keep.ts";
import type { Training } from "./report.ts";

/** Weights that could emerge, with the figures of the sample that is scored while training. */
export interface Candidate extends EvaluationAt {
  /** Null for the untouched parent, which is that of step 0. */
  readonly checkpoint: string | null;
  /** How far it is from the parent (0) to the checkpoint (1), but for the weights with an alpha of their own. */
  readonly alpha: number;
  /** Relative rise of the retention text's bits per byte over the parent. */
  readonly retentionRise: number | null;
  /** Where it is over the budget. */
  readonly over: readonly Overrun[];
}

export interface Outcome {
  /** The budget; null where there is none. */
  readonly keep: Keep | null;
  readonly emerged: Candidate;
  /** The lowest held-out figure of all, where that is over the budget. */
  readonly givenUp: Candidate | null;
  /** Points between the parent and a checkpoint, as they were measured; none where the recipe asks for none. */
  readonly blends: readonly Candidate[];
}

/** A point between the parent and a checkpoint that is to be measured. */
export interface BlendPoint {
  readonly of: Training["best"];
  readonly alpha: number;
}

/**
 * The points that a recipe's blend asks for: of the checkpoint that learned most, and the last of them of the best
 * checkpoint inside the budget, where that is another.
 */
export function blendPoints({ best, lowest }: Training, alphas: readonly number[]): BlendPoint[] {
  if (lowest.checkpoint === null) return [];
  const points = alphas.map((alpha) => ({ of: lowest, alpha }));
  const inside = best.checkpoint !== null && best.checkpoint !== lowest.checkpoint;
  return inside ? [...points, { of: best, alpha: Math.max(...alphas) }] : points;
}

/** The best inside the budget, of the blends where there are any, and the best of all where that is another. */
export function outcomeOf(
  { evaluations, best, lowest }: Training,
  keep: Keep | null,
  measured: readonly (BlendPoint & { readonly figures: Evaluation })[] | null,
): Outcome {
  const parent = evaluations[0]!;
  const candidate = (of: EvaluationAt, checkpoint: string | null, alpha: number): Candidate => ({
    ...of,
    checkpoint,
    alpha,
    retentionRise: retentionRise(of, parent) ?? null,
    over: overruns(of, parent, keep ?? undefined),
  });
  const blends = (measured ?? []).map(({ of, alpha, figures }) =>
    candidate(evaluationAt(of.step, figures, parent), of.checkpoint, alpha),
  );
  const untouched = candidate(parent, null, 0);
  const trained = [best, lowest].flatMap((of) => (of.checkpoint === null ? [] : [candidate(of, of.checkpoint, 1)]));
  const all = [untouched, ...(measured === null ? trained : blends)];
  const lowestOf = (of: readonly Candidate[]): Candidate => of.reduce((a, b) => (b.heldOut < a.heldOut ? b : a));
  const first = lowestOf(all);
  const emerged = lowestOf(all.filter(({ over }) => over.length === 0));
  return { keep, emerged, givenUp: first.over.length === 0 ? null : first, blends };
}

/** "the parent", "step 60", "step 60 at alpha 0.75". */
export function candidateText({ checkpoint, step, alpha }: Candidate): string {
  return checkpoint === null ? "the parent" : `step ${step}${alpha === 1 ? "" : ` at alpha ${alpha}`}`;
}

/** What a reader must know of an outcome that is not simply the best of the run. */
export function outcomeNotes({ keep, emerged, givenUp }: Outcome): string[] {
  const parent = "so the imago has the parent's weights";
  const isParent = emerged.checkpoint === null;
  if (givenUp === null) return isParent ? [`no evaluation was better than the parent's, ${parent}`] : [];
  const lost = `${candidateText(givenUp)}, the best on held-out text, is over it (${givenUp.over.map(overrunText).join(", ")})`;
  const budget = `the forgetting budget was ${keepText(keep!)}`;
  if (isParent) return [`${budget}: ${lost} and nothing better than the parent is inside, ${parent}`];
  const price = `${givenUp.heldOut.toFixed(4)} instead of ${emerged.heldOut.toFixed(4)} bits per byte`;
  return [`${budget}: ${lost}; ${candidateText(emerged)} emerged, and ${price} were given up`];
}

/** "retention +2.0 %, KL 0.1 nats per token". */
export function keepText({ kl, retention }: Keep): string {
  return [
    ...(retention === null ? [] : [`retention ${riseText(retention)}`]),
    ...(kl === null ? [] : [`KL ${klText(kl)} nats per token`]),
  ].join(", ");
}

/** "retention +3.2 % of at most +2.0 %", "KL 0.12 of at most 0.1". */
export function overrunText({ measure, value, limit }: Overrun): string {
  const written = (of: number): string => (measure === "kl" ? klText(of) : riseText(of));
  return `${measure === "kl" ? "KL" : measure} ${written(value)} of at most ${written(limit)}`;
}

function klText(kl: number): string {
  return String(Number(kl.toPrecision(3)));
}

export function riseText(rise: number): string {
  return `${rise > 0 ? "+" : ""}${(100 * rise).toFixed(1)} %`;
}
