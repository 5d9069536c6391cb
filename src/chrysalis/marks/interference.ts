/** Whether what a group teaches points against what another text teaches: cosines between gradients, at the weights as they are. */

import type { Cosine } from "../../epigenome/marks/adapt.ts";
import type { Batch } from "../../models/batch.ts";
import type { Parameter, Step } from "../../models/step.ts";
import { gradientNorm, zeroGradients } from "../gradients.ts";

/**
 * The cosine of each group's gradient with that of a reference text. Both come in parts, and each pair of parts gives a
 * cosine: their mean, and its standard error from how the means of the parts differ on either side. The gradients of
 * `step` are written over; its weights are read alone.
 *
 * @param reference two parts at least, of some batches each
 * @param groups of each group the same
 */
export async function interference(
  step: Pick<Step, "accumulate" | "parameters">,
  reference: readonly (readonly Batch[])[],
  groups: readonly (readonly (readonly Batch[])[])[],
): Promise<Cosine[]> {
  const { parameters } = step;
  const directions: { readonly gradients: readonly Float32Array[]; readonly norm: number }[] = [];
  for (const part of reference) {
    await gradientOf(step, part);
    const norm = gradientNorm(parameters);
    directions.push({ gradients: parameters.map(({ gradient }) => gradient.slice()), norm });
  }
  const cosines: Cosine[] = [];
  for (const parts of groups) {
    const table: number[][] = [];
    for (const part of parts) {
      await gradientOf(step, part);
      const norm = gradientNorm(parameters);
      table.push(directions.map((of) => cosine(dot(parameters, of.gradients), norm * of.norm)));
    }
    cosines.push(meanOf(table));
  }
  zeroGradients(parameters);
  return cosines;
}

async function gradientOf(
  { accumulate, parameters }: Pick<Step, "accumulate" | "parameters">,
  batches: readonly Batch[],
): Promise<void> {
  zeroGradients(parameters);
  for (const batch of batches) await accumulate(batch);
}

/** 0 where either gradient is. */
function cosine(product: number, norms: number): number {
  return norms === 0 ? 0 : product / norms;
}

/** In f64 and a fixed order. */
function dot(parameters: readonly Parameter[], gradients: readonly Float32Array[]): number {
  let sum = 0;
  for (const [p, { gradient }] of parameters.entries()) {
    const other = gradients[p]!;
    for (let i = 0; i < gradient.length; i++) sum += gradient[i]! * other[i]!;
  }
  return sum;
}

/** Of a table whose rows and columns are two samples: each adds the error of the mean of its means. */
function meanOf(table: readonly (readonly number[])[]): Cosine {
  const rows = table.map(mean);
  const columns = table[0]!.map((_, j) => mean(table.map((row) => row[j]!)));
  return { mean: mean(rows), error: Math.sqrt(squaredError(rows) + squaredError(columns)) };
}

function squaredError(values: readonly number[]): number {
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return squares / (values.length - 1) / values.length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
