/** Tells a run that has gone wrong from one that has a hard batch. */

import { UserError } from "../errors.ts";

/** Losses a running median is taken over. */
const WINDOW = 64;
/** Steps in a row that must look exploded before the run is stopped. */
const PATIENCE = 3;

export interface LossGuardState {
  /** Loss of the first step; null before it. */
  readonly initial: number | null;
  /** The last losses that did not look exploded, at most 64. */
  readonly recent: readonly number[];
  /** Steps in a row, up to now, that did. */
  readonly streak: number;
}

export interface LossGuard {
  /**
   * Looks at one step before its update is made. Throws UserError("diverged") when the loss or the gradient is not
   * finite, when every gradient is zero, or when the loss was, three steps in a row, both above three times the running
   * median and more than 2 nats above the first step's.
   */
  check(step: number, loss: number, gradientNorm: number): void;
  state(): LossGuardState;
}

/** A guard that goes on from `saved`. */
export function createLossGuard(saved: LossGuardState = { initial: null, recent: [], streak: 0 }): LossGuard {
  let { initial, streak } = saved;
  const recent = [...saved.recent];
  return {
    check(step, loss, gradientNorm) {
      if (!Number.isFinite(loss)) throw diverged(step, `the loss is ${loss}`);
      if (!Number.isFinite(gradientNorm)) throw diverged(step, `the gradient's norm is ${gradientNorm}`);
      if (gradientNorm === 0) throw diverged(step, "every gradient is zero, nothing would be learned");
      initial ??= loss;
      const exploded = recent.length > 0 && loss > 3 * median(recent) && loss > initial + 2;
      streak = exploded ? streak + 1 : 0;
      if (streak >= PATIENCE) {
        throw diverged(step, `the loss rose to ${loss.toFixed(3)} from ${median(recent).toFixed(3)} (running median)`);
      }
      if (exploded) return;
      recent.push(loss);
      if (recent.length > WINDOW) recent.shift();
    },
    state: () => ({ initial, recent: [...recent], streak }),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The error of a run that can no longer come to anything. */
export function diverged(step: number, what: string): UserError {
  return new UserError("diverged", `training diverged at step ${step}: ${what}`, {
    hint: "the last good checkpoint is kept; start anew with a lower learning rate or a longer warm-up",
  });
}
