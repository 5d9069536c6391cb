/** The forgetting budget of a run: what of the parent a checkpoint may lose, judged from its evaluations. */

import type { Evaluation, EvaluationAt, Overrun } from "./events.ts";

/** A measure that is null is not watched. */
export interface Keep {
  /** Largest KL(parent || child), in nats per token. */
  readonly kl: number | null;
  /** Largest relative rise of the retention text's bits per byte over the parent, such as 0.02. */
  readonly retention: number | null;
}

/**
 * An evaluation beside that of the parent. KL(parent || child) is the mean nats per token of the child minus those of
 * the parent on text that the parent sampled: its expectation is the divergence, whatever the sample's size.
 */
export function evaluationAt(step: number, figures: Evaluation, parent: Evaluation): EvaluationAt {
  const { parentText } = figures;
  if (parentText === undefined || parent.parentText === undefined) return { step, ...figures };
  return { step, ...figures, kl: parentText - parent.parentText };
}

/** The measures in which an evaluation is over the budget; none without a budget. */
export function overruns(of: EvaluationAt, parent: Evaluation, keep: Keep | undefined): Overrun[] {
  const over: Overrun[] = [];
  if (keep === undefined) return over;
  const rise = retentionRise(of, parent);
  if (keep.retention !== null && rise !== undefined && rise > keep.retention) {
    over.push({ measure: "retention", value: rise, limit: keep.retention });
  }
  if (keep.kl !== null && of.kl !== undefined && of.kl > keep.kl) {
    over.push({ measure: "kl", value: of.kl, limit: keep.kl });
  }
  return over;
}

/** Relative rise of the retention text's bits per byte; undefined where it is not measured. */
export function retentionRise(of: Evaluation, parent: Evaluation): number | undefined {
  if (of.retention === undefined || parent.retention === undefined) return undefined;
  return of.retention / parent.retention - 1;
}

/**
 * The lowest held-out figure among the evaluations inside the budget, the earliest of equals. The first evaluation is that
 * of the parent, which is always inside.
 */
export function bestInside(evaluations: readonly EvaluationAt[], keep: Keep | undefined): EvaluationAt | undefined {
  const [parent] = evaluations;
  const inside = evaluations.filter((of) => overruns(of, parent!, keep).length === 0);
  return inside.reduce<EvaluationAt | undefined>(
    (a, b) => (a === undefined || b.heldOut < a.heldOut ? b : a),
    undefined,
  );
}

/** Whether the last two evaluations are over the budget: one alone may be noise. */
export function overTwice(evaluations: readonly EvaluationAt[], keep: Keep): boolean {
  const last = evaluations.slice(-2);
  return last.length === 2 && last.every((of) => overruns(of, evaluations[0]!, keep).length > 0);
}
