/**
 * Selection of tokens by excess loss: of a step's tokens only those count on which the model does worst against a reference
 * (Rho-1, Lin et al. 2024, arXiv 2404.07965; there a model of better data, here the parent as it was).
 */

import { invariant } from "../errors.ts";
import type { Batch } from "../models/batch.ts";
import type { Step } from "../models/step.ts";

/** Excesses nearer than this, in nats, are equal: the same weights give other last digits in another batch. */
const EQUAL = 1e-3;

/**
 * The batches of one optimiser step with the weights of the tokens that count: the part `share` (rounded up) of those whose
 * reference is known, with the highest loss above it. Whatever equals the last of them counts too, so while the model still is
 * its parent all do, and then the batches come back as they were. Those that count carry the weight of those that do not, so that
 * text without a reference (replay) keeps its part. Costs a forward pass. Undefined where `stopped` says so before a
 * micro-batch.
 */
export async function selectByExcess(
  step: Pick<Step, "evaluate">,
  batches: readonly Batch[],
  { share, stopped = () => false }: { readonly share: number; readonly stopped?: () => boolean },
): Promise<readonly Batch[] | undefined> {
  invariant(share > 0 && share <= 1, `a share of ${share} of the tokens`);
  if (share === 1) return batches;
  const excesses: Float64Array[] = [];
  for (const batch of batches) {
    if (stopped()) return undefined;
    const nll = await step.evaluate(batch);
    const { weights, reference } = batch;
    excesses.push(
      Float64Array.from(nll, (loss, i) => (weights[i] === 0 ? Number.NaN : loss - (reference?.[i] ?? Number.NaN))),
    );
  }
  const known = Float64Array.from(excesses.flatMap((of) => [...of].filter((excess) => !Number.isNaN(excess)))).sort();
  if (known.length === 0) return batches;
  const least = known[known.length - Math.ceil(share * known.length)]! - EQUAL;
  if (least <= known[0]!) return batches;
  let all = 0;
  let chosen = 0;
  for (const [k, { weights }] of batches.entries()) {
    excesses[k]!.forEach((excess, i) => {
      if (Number.isNaN(excess)) return;
      all += weights[i]!;
      if (excess >= least) chosen += weights[i]!;
    });
  }
  return batches.map((batch, k) => ({
    ...batch,
    weights: batch.weights.map((weight, i) => {
      const excess = excesses[k]![i]!;
      if (Number.isNaN(excess)) return weight;
      return excess >= least ? weight * (all / chosen) : 0;
    }),
  }));
}
