/** The loss of chosen tokens given all before them: how well a model knows an answer, with and without what it was told. */

import { invariant } from "../errors.ts";
import { blankBatch } from "../models/batch.ts";
import type { Scorer } from "./bits-per-byte.ts";

export interface Answered {
  /** The first is context only. */
  readonly ids: readonly number[];
  /** Of each id, whether its loss counts. */
  readonly counted: readonly boolean[];
}

/** Mean nats of the counted ids of each; each has a sequence of its own. Infinity where none counts. */
export async function answerLosses(scorer: Scorer, answered: readonly Answered[], padding: number): Promise<number[]> {
  const { B, T } = scorer;
  const losses: number[] = [];
  for (let first = 0; first < answered.length; first += B) {
    const batch = blankBatch(B, T, padding);
    const rows = answered.slice(first, first + B);
    for (const [b, { ids, counted }] of rows.entries()) {
      invariant(ids.length <= T + 1 && counted.length === ids.length, `${ids.length} ids in a sequence of ${T}`);
      for (let t = 0; t + 1 < ids.length; t++) {
        const at = b * T + t;
        batch.ids[at] = ids[t]!;
        batch.targets[at] = ids[t + 1]!;
        batch.weights[at] = counted[t + 1] ? 1 : 0;
        batch.positions[at] = t;
        batch.documents[at] = 0;
      }
    }
    const nll = await scorer.evaluate(batch);
    for (const b of rows.keys()) {
      const weight = batch.weights.subarray(b * T, (b + 1) * T).reduce((sum, one) => sum + one, 0);
      const nats = nll.subarray(b * T, (b + 1) * T).reduce((sum, one) => sum + one, 0);
      losses.push(weight === 0 ? Infinity : nats / weight);
    }
  }
  return losses;
}
