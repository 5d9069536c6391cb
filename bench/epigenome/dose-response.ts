/** The statistics of the dose-response proof: within-group slopes, their bootstrap intervals, and permuted doses. */

import { permutation, uniform } from "../../src/formats/random.ts";

/** The doses that groups are given; each group gets each of them once in every block of as many runs. */
export const doses = [0, 0.25, 0.5, 1] as const;

/** One group over the runs. */
export interface Series {
  readonly group: string;
  readonly doses: readonly number[];
  /** Held-out bits per byte, run by run. */
  readonly values: readonly number[];
}

export interface Interval {
  readonly value: number;
  /** Percentiles 2.5 and 97.5. */
  readonly low: number;
  readonly high: number;
}

/** Where the measured slope stands among those of permuted doses. */
export interface Placebo {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** Part of the permutations (itself counted) with a slope as low as the measured one, or lower. */
  readonly p: number;
}

/**
 * The dose of each group in a run: in every block of four consecutive seeds a group gets the four doses in a random order of
 * its own. So each run's doses are random, and every group has met all of them equally often.
 */
export function assignDoses(groups: readonly string[], seed: number): number[] {
  const block = Math.floor((seed - 1) / doses.length);
  const place = (seed - 1) % doses.length;
  return groups.map((group) => doses[permutation(1, `dose ${group}`, block, doses.length)[place]!]!);
}

/** Least squares of value on dose with a mean of its own for each group; NaN where no group's dose varies. */
export function withinSlope(series: readonly Pick<Series, "doses" | "values">[]): number {
  let covariance = 0;
  let variance = 0;
  for (const { doses, values } of series) {
    const meanDose = mean(doses);
    const meanValue = mean(values);
    for (const [i, dose] of doses.entries()) {
      covariance += (dose - meanDose) * (values[i]! - meanValue);
      variance += (dose - meanDose) ** 2;
    }
  }
  return variance === 0 ? Number.NaN : covariance / variance;
}

/**
 * A statistic with its bootstrap interval. Runs and groups are drawn independently, both with replacement (Owen 2007,
 * "The pigeonhole bootstrap"): what happened in one run is shared by its groups, and the groups are a sample too. A
 * single group is resampled over its runs alone.
 */
export function bootstrap(
  series: readonly Series[],
  statistic: (series: readonly Series[]) => number,
  draws = 10_000,
): Interval {
  const runs = series[0]!.doses.length;
  const found: number[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const pick = (of: number, i: number, what: string): number => Math.floor(of * uniform(1, what, draw, i));
    const own = Array.from({ length: runs }, (_, i) => pick(runs, i, "bootstrap run"));
    const value = statistic(
      series.map((_, i) => {
        const { group, doses, values } = series[pick(series.length, i, "bootstrap group")]!;
        return { group, doses: own.map((run) => doses[run]!), values: own.map((run) => values[run]!) };
      }),
    );
    if (Number.isFinite(value)) found.push(value);
  }
  return { value: statistic(series), ...percentiles(found) };
}

/**
 * The same values under other doses.
 *
 * `within`: a group's doses are drawn anew by the very mechanism that assigned them, block by block: the randomisation test
 * of no effect at all. `across`: a run's doses change places among its groups: every run keeps how much it expressed, so
 * what is left is whether a group's own dose matters more than that of others.
 */
export function permutedDoses(series: readonly Series[], how: "within" | "across", draws = 10_000): Placebo {
  const measured = withinSlope(series);
  const runs = series[0]!.doses.length;
  const found: number[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const order = (purpose: string, count: number) => permutation(1, `permuted ${purpose}`, draw, count);
    const moved = Array.from({ length: runs }, (_, run) =>
      how === "across" ? order(`run ${run}`, series.length) : [],
    );
    const value = withinSlope(
      series.map(({ group, doses: own, values }, g) => ({
        values,
        doses:
          how === "across"
            ? own.map((_, run) => series[moved[run]![g]!]!.doses[run]!)
            : inBlocks(own, (block, size) => order(`${group} ${block}`, size)),
      })),
    );
    if (Number.isFinite(value)) found.push(value);
  }
  const asLow = found.filter((value) => value <= measured).length;
  return { mean: mean(found), ...percentiles(found), p: (1 + asLow) / (1 + found.length) };
}

function inBlocks(values: readonly number[], order: (block: number, size: number) => ArrayLike<number>): number[] {
  const moved: number[] = [];
  for (let first = 0; first < values.length; first += doses.length) {
    const block = values.slice(first, first + doses.length);
    for (const i of Array.from(order(first, block.length))) moved.push(block[i]!);
  }
  return moved;
}

/** Mean over groups of the value at a dose minus the group's mean over all runs; NaN where nobody has that dose. */
export function responseAt(series: readonly Pick<Series, "doses" | "values">[], dose: number): number {
  const differences = series.flatMap(({ doses, values }) => {
    const at = values.filter((_, i) => doses[i] === dose);
    return at.length === 0 ? [] : [mean(at) - mean(values)];
  });
  return differences.length === 0 ? Number.NaN : mean(differences);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function percentiles(values: readonly number[]): { low: number; high: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.round(part * (sorted.length - 1))]!;
  return { low: at(0.025), high: at(0.975) };
}
