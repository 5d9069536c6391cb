/** What the training loop asks of an optimiser; the optimisers stand beside this file. */

import type { Parameter } from "../../models/step.ts";

/** A tensor of an optimiser's state, by the name under which a checkpoint holds it. */
export interface StateTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** An optimiser bound to the parameters it was created with. */
export interface Optimiser {
  readonly name: string;
  /** The settings that decide what it computes; they are part of a run's manifest. */
  readonly settings: Readonly<Record<string, number>>;
  /**
   * Updates every parameter in place from its accumulated gradient; a frozen one (rate 0) stays as it is.
   * @param learningRate step size of this step, for a parameter of rate 1
   * @param gradientScale factor on every gradient (1 / total loss weight, times the clipping factor), applied on reading
   */
  step(learningRate: number, gradientScale: number): Promise<void>;
  /** Updates made so far. */
  readonly steps: number;
  /** Live views of the state, in a fixed order: a checkpoint is saved from them and restored into them. */
  state(): readonly StateTensor[];
  /** Says that `state()` now holds what was saved after `steps` updates. */
  resumeAt(steps: number): void;
}

/** Whether a parameter is updated at all. */
export function isTrained({ rate }: Parameter): boolean {
  return rate !== 0;
}
