/** The learning rate of each step: warm-up, stable, decay (arXiv 2404.06395). A pure function, no clock. */

export interface Schedule {
  /** Learning rate of the stable phase. */
  readonly peak: number;
  /** Steps of linear rise at the start. */
  readonly warmup: number;
  /** Steps of the run; Infinity while they are not decided. */
  readonly total: number;
  /** Steps of descent at the end. */
  readonly decay: number;
}

/**
 * Learning rate of step `step` (from 0). The rise is linear and reaches the peak at step `warmup - 1`. The descent
 * follows 1 - sqrt(progress), which ends lower in loss than a linear one of the same length and, with a fifth of the
 * steps, matches a cosine over all of them (arXiv 2405.18392). Progress is counted so that no step has rate 0.
 * Where the two overlap they multiply.
 */
export function learningRateAt(step: number, { peak, warmup, total, decay }: Schedule): number {
  const rise = Math.min(1, (step + 1) / Math.max(1, warmup));
  const into = step - (total - decay);
  const fall = decay > 0 && into >= 0 ? 1 - Math.sqrt(Math.min(into + 1, decay) / (decay + 1)) : 1;
  return peak * rise * fall;
}
