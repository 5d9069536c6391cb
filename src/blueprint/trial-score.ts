/** One figure for what a training learned and what it forgot, by which recipes are compared. */

export interface TrialFigures {
  /** Bits per byte of held-out files that were never trained on. */
  readonly heldOut: number;
  /** Bits per byte of general text. */
  readonly retention: number;
}

/** A bit per byte that is forgotten weighs as much as one that is learned. */
const FORGETTING_WEIGHT = 1;

/**
 * Bits per byte of held-out text, and what was forgotten on top of them: how far general text is above the parent's figure.
 * What the parent gains there is no merit. Lower is better.
 */
export function trialScore({ heldOut, retention }: TrialFigures, parent: Pick<TrialFigures, "retention">): number {
  return heldOut + FORGETTING_WEIGHT * Math.max(0, retention - parent.retention);
}
