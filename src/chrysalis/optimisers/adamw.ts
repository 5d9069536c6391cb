/** AdamW (arXiv 1711.05101): Adam with bias correction and decoupled weight decay, on matrices only. */

import type { Parameter } from "../../models/step.ts";
import { isTrained, type Optimiser, type StateTensor } from "./optimiser.ts";

export interface AdamWOptions {
  /** Decay of the first moment; default 0.9. */
  readonly beta1?: number;
  /** Decay of the second moment; default 0.95. */
  readonly beta2?: number;
  /** Added to the root of the second moment; default 1e-8. */
  readonly epsilon?: number;
  /** Fraction of a matrix lost per step, times the learning rate; default 0.1. Norms, biases and embeddings never decay. */
  readonly weightDecay?: number;
}

/**
 * AdamW over `parameters`; state is two f32 tensors per parameter, named `<parameter>.m` and `<parameter>.v`.
 * One update is p <- p (1 - lr wd) - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps), as in PyTorch.
 * lr is the step's learning rate times the parameter's `rate`; frozen parameters have no state.
 */
export function createAdamW(parameters: readonly Parameter[], options: AdamWOptions = {}): Optimiser {
  const { beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8, weightDecay = 0.1 } = options;
  const slots = parameters.filter(isTrained).map((parameter) => ({
    parameter,
    m: new Float32Array(parameter.data.length),
    v: new Float32Array(parameter.data.length),
  }));
  const tensors: readonly StateTensor[] = slots.flatMap(({ parameter: { name, shape }, m, v }) => [
    { name: `${name}.m`, shape, data: m },
    { name: `${name}.v`, shape, data: v },
  ]);
  let steps = 0;
  return {
    name: "adamw",
    settings: { beta1, beta2, epsilon, weightDecay },
    get steps() {
      return steps;
    },
    step(learningRate, gradientScale) {
      steps += 1;
      const correction = 1 / Math.sqrt(1 - beta2 ** steps);
      for (const { parameter, m, v } of slots) {
        const own = learningRate * (parameter.rate ?? 1);
        const rate = own / (1 - beta1 ** steps);
        const keep = parameter.kind === "matrix" || parameter.kind === "head" ? 1 - own * weightDecay : 1;
        update(parameter.data, parameter.gradient, m, v, gradientScale, beta1, beta2, keep, rate, correction, epsilon);
      }
      return Promise.resolve();
    },
    state: () => tensors,
    resumeAt(saved) {
      steps = saved;
    },
  };
}

/** One pass over one parameter; arithmetic in f64, stored as f32. Positional arguments keep the loop monomorphic. */
function update(
  data: Float32Array,
  gradient: Float32Array,
  m: Float32Array,
  v: Float32Array,
  scale: number,
  beta1: number,
  beta2: number,
  keep: number,
  rate: number,
  correction: number,
  epsilon: number,
): void {
  const n = data.length;
  const gain1 = (1 - beta1) * scale;
  const gain2 = (1 - beta2) * scale * scale;
  for (let i = 0; i < n; i++) {
    const g = gradient[i]!;
    const first = beta1 * m[i]! + gain1 * g;
    const second = beta2 * v[i]! + gain2 * g * g;
    m[i] = first;
    v[i] = second;
    data[i] = keep * data[i]! - (rate * first) / (Math.sqrt(second) * correction + epsilon);
  }
}
