/** What emerges from a training, and what the forgetting budget made it give up. Plain figures, no weights. */

import type { EvaluationAt, Overrun } from "../chrysalis/events.ts";
import { overruns, retentionRise } from "../chrysalis/keep.ts";
import type { Keep } from "../chrysalis/keep.ts";
import type { Training } from "./report.ts";

/** Weights that could emerge, with the figures of the sample that is scored while training. */
export interface Candidate extends EvaluationAt {
  /** Null for the untouched parent, which is that of step 0. */
  readonly checkpoint: string | null;
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
}

/** The best inside the budget, and the best of all where that is another. */
export function outcomeOf({ evaluations, best, lowest }: Training, keep: Keep | null): Outcome {
  const [parent] = evaluations;
  const candidate = (of: Training["best"]): Candidate => ({
    ...of,
    retentionRise: retentionRise(of, parent!) ?? null,
    over: overruns(of, parent!, keep ?? undefined),
  });
  const [emerged, first] = [candidate(best), candidate(lowest)];
  return { keep, emerged, givenUp: first.over.length === 0 ? null : first };
}

/** What a reader must know of an outcome that is not simply the best of the run. */
export function outcomeNotes({ keep, emerged, givenUp }: Outcome): string[] {
  const parent = "so the imago has the parent's weights";
  if (givenUp === null) return emerged.step === 0 ? [`no evaluation was better than the parent's, ${parent}`] : [];
  const lost = `step ${givenUp.step}, the best on held-out text, is over it (${givenUp.over.map(overrunText).join(", ")})`;
  const budget = `the forgetting budget was ${keepText(keep!)}`;
  if (emerged.step === 0) return [`${budget}: ${lost} and nothing better than the parent is inside, ${parent}`];
  const price = `${givenUp.heldOut.toFixed(4)} instead of ${emerged.heldOut.toFixed(4)} bits per byte`;
  return [`${budget}: ${lost}; step ${emerged.step} emerged, and ${price} were given up`];
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
