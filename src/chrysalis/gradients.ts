/** Whole-model operations on accumulated gradients, and the check of the weights they lead to. */

import type { Batch } from "../models/batch.ts";
import type { Parameter, Step } from "../models/step.ts";

/** Sets every gradient to zero. */
export function zeroGradients(parameters: readonly Parameter[]): void {
  for (const { gradient } of parameters) gradient.fill(0);
}

/** Sums over the micro-batches of one optimiser step. */
export interface StepSums {
  /** sum(w nll). */
  readonly nats: number;
  /** sum(w). */
  readonly weight: number;
  /** Positions that are not padding. */
  readonly tokens: number;
}

/**
 * Puts the gradient of sum(w nll) over all of `batches` into the parameters' gradients, from zero on. Undefined, with
 * the gradients unfit for use, where `stopped` says before a micro-batch that the step is to be abandoned.
 */
export async function accumulateStep(
  step: Step,
  batches: Iterable<Batch>,
  stopped: () => boolean,
): Promise<StepSums | undefined> {
  zeroGradients(step.parameters);
  const sums = { nats: 0, weight: 0, tokens: 0 };
  for (const batch of batches) {
    if (stopped()) return undefined;
    const { loss, weight } = await step.accumulate(batch);
    sums.nats += loss;
    sums.weight += weight;
    for (const document of batch.documents) if (document >= 0) sums.tokens += 1;
  }
  return sums;
}

/** Euclidean norm over all gradients together, summed in f64 in a fixed order; not finite when any value is not. */
export function gradientNorm(parameters: readonly Parameter[]): number {
  let sum = 0;
  for (const { gradient } of parameters) sum += sumOfSquares(gradient);
  return Math.sqrt(sum);
}

/** Four partial sums: the additions of one alone would wait for each other. */
function sumOfSquares(x: Float32Array): number {
  const whole = x.length - (x.length % 4);
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    s0 += x[i]! * x[i]!;
    s1 += x[i + 1]! * x[i + 1]!;
    s2 += x[i + 2]! * x[i + 2]!;
    s3 += x[i + 3]! * x[i + 3]!;
  }
  for (let i = whole; i < x.length; i++) s0 += x[i]! * x[i]!;
  return s0 + s1 + s2 + s3;
}

/** Whether every weight is a finite number: a sum of finite f32 values cannot leave the range of f64. */
export function allFinite(parameters: readonly Parameter[]): boolean {
  return parameters.every(({ data }) => {
    let sum = 0;
    for (let i = 0; i < data.length; i++) sum += data[i]!;
    return Number.isFinite(sum);
  });
}
