/** Curves of gain and forgetting: where one first reaches a gain, and intervals over seeds, files and pieces of text. */

import { uniform } from "../../src/formats/random.ts";
import type { ArmScores } from "./train-arm.ts";

export interface CurvePoint {
  /** Part of the training's steps, or alpha of a blend. */
  readonly at: number;
  readonly scores: ArmScores;
}

export interface Curve {
  /** The untouched parent, then points that lie further and further from it. */
  readonly points: readonly [CurvePoint, ...CurvePoint[]];
  /** Points between two models: their scores are a smooth function of alpha, and few of them give the whole curve. */
  readonly isBlend: boolean;
}

/** How often each document counts; undefined: once. */
export interface Weights {
  readonly heldOut?: readonly number[];
  readonly retention?: readonly number[];
}

export interface Reading {
  readonly at: number;
  /** Retention bits per byte above the parent's. */
  readonly forgetting: number;
}

/** Bits per byte below the parent's (held-out) or above it (retention), of each point. */
export interface Line {
  readonly at: readonly number[];
  readonly gain: readonly number[];
  readonly forgetting: readonly number[];
}

/** The figures of each point of a curve, documents weighted; of a blend those of fiftieths of alpha. */
export function lineOf({ points, isBlend }: Curve, weights: Weights = {}): Line {
  const change = (text: keyof ArmScores, { scores }: CurvePoint): number => {
    let bits = 0;
    let bytes = 0;
    points[0].scores[text].forEach((parent, i) => {
      const weight = weights[text]?.[i] ?? 1;
      bits += (weight * (scores[text][i]!.nats - parent.nats)) / Math.LN2;
      bytes += weight * parent.bytes;
    });
    return bits / bytes;
  };
  const at = points.map((point) => point.at);
  const gain = points.map((point) => -change("heldOut", point));
  const forgetting = points.map((point) => change("retention", point));
  if (!isBlend) return { at, gain, forgetting };
  const alphas = Array.from({ length: 51 }, (_, i) => i / 50);
  const along = (values: readonly number[]): number[] => alphas.map((alpha) => interpolate(at, values, alpha));
  return { at: alphas, gain: along(gain), forgetting: along(forgetting) };
}

/** The polynomial through all the points (Lagrange), at x. */
export function interpolate(xs: readonly number[], ys: readonly number[], x: number): number {
  return ys.reduce(
    (sum, y, i) => sum + xs.reduce((term, other, j) => (i === j ? term : (term * (x - other)) / (xs[i]! - other)), y),
    0,
  );
}

/** The largest gain of a curve. */
export function reachOf({ gain }: Line): number {
  return Math.max(...gain);
}

/** A curve of some of the held-out files. */
export function ofFiles(curve: Curve, isKept: (file: number) => boolean): Curve {
  const [parent, ...rest] = curve.points.map(({ at, scores: { heldOut, retention } }) => ({
    at,
    scores: { heldOut: heldOut.filter((_, i) => isKept(i)), retention },
  }));
  return { ...curve, points: [parent!, ...rest] };
}

/** Where a curve first reaches a gain, linear between its points; undefined where it never does. */
export function readAt({ at, gain, forgetting }: Line, wanted: number): Reading | undefined {
  const i = gain.findIndex((value) => value >= wanted);
  if (i < 0) return undefined;
  if (i === 0) return { at: at[0]!, forgetting: forgetting[0]! };
  const part = (wanted - gain[i - 1]!) / (gain[i]! - gain[i - 1]!);
  const between = (values: readonly number[]): number => values[i - 1]! + part * (values[i]! - values[i - 1]!);
  return { at: between(at), forgetting: between(forgetting) };
}

/** One seed's curves by the names of their arms. */
export type SeedCurves = Readonly<Record<string, Curve>>;

export interface Matched {
  /** Of each seed: the largest gain that all the named arms reach. */
  readonly gains: readonly number[];
  /** Of each arm, seed by seed; undefined where it falls short of the gain. */
  readonly readings: Readonly<Record<string, readonly (Reading | undefined)[]>>;
}

/** Reads all arms at the largest gain that those of `matching` reach, seed by seed. */
export function match(
  seeds: readonly SeedCurves[],
  matching: readonly string[],
  weightsOf: (seed: number) => Weights = () => ({}),
): Matched {
  const lines = seeds.map((curves, seed) =>
    Object.fromEntries(Object.entries(curves).map(([arm, curve]) => [arm, lineOf(curve, weightsOf(seed))])),
  );
  const gains = lines.map((of) => Math.min(...matching.map((arm) => reachOf(of[arm]!))));
  const readings = Object.fromEntries(
    Object.keys(seeds[0]!).map((arm) => [arm, lines.map((of, seed) => readAt(of[arm]!, gains[seed]!))]),
  );
  return { gains, readings };
}

/** Mean forgetting over seeds; undefined where the arm falls short in one of them. */
export function meanForgetting(readings: readonly (Reading | undefined)[]): number | undefined {
  if (readings.includes(undefined)) return undefined;
  return readings.reduce((sum, reading) => sum + reading!.forgetting, 0) / readings.length;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Intervals {
  readonly forgetting: Interval;
  /** Of the difference from the arm of reference, drawn together with it. */
  readonly difference: Interval;
}

const RESAMPLES = 2000;

/**
 * 95 % percentile intervals of the mean forgetting at matched gain, by a bootstrap over seeds, each seed's held-out files
 * and the pieces of retention, which all seeds share; the matched gain is found anew in every resample. All arms see the
 * same resample, so differences are paired. Of few seeds such intervals come out somewhat narrow.
 */
export function bootstrap(
  seeds: readonly SeedCurves[],
  matching: readonly string[],
  reference: string,
): Readonly<Record<string, Intervals | undefined>> {
  const drawn: Record<string, { forgetting: number[]; difference: number[] }> = Object.fromEntries(
    Object.keys(seeds[0]!).map((arm) => [arm, { forgetting: [], difference: [] }]),
  );
  const counts = (length: number, purpose: string, resample: number, from: number): number[] => {
    const times = Array.from({ length }, () => 0);
    for (let i = 0; i < length; i++) times[Math.floor(uniform(resample, purpose, from, i) * length)]! += 1;
    return times;
  };
  for (let resample = 0; resample < RESAMPLES; resample++) {
    const chosen = seeds.map((_, i) => seeds[Math.floor(uniform(resample, "seed", i, 0) * seeds.length)]!);
    const scoresOf = (curves: SeedCurves): ArmScores => curves[reference]!.points[0].scores;
    const retention = counts(scoresOf(seeds[0]!).retention.length, "retention", resample, 0);
    const { readings } = match(chosen, matching, (i) => ({
      heldOut: counts(scoresOf(chosen[i]!).heldOut.length, "held-out", resample, i),
      retention,
    }));
    const base = meanForgetting(readings[reference]!);
    for (const [arm, of] of Object.entries(readings)) {
      const value = meanForgetting(of);
      if (value === undefined || base === undefined) continue;
      drawn[arm]!.forgetting.push(value);
      drawn[arm]!.difference.push(value - base);
    }
  }
  return Object.fromEntries(
    Object.entries(drawn).map(([arm, { forgetting, difference }]) => [
      arm,
      // An arm that falls short of the gain in many resamples has no interval worth the name.
      forgetting.length < 0.95 * RESAMPLES
        ? undefined
        : { forgetting: percentiles(forgetting), difference: percentiles(difference) },
    ]),
  );
}

function percentiles(values: readonly number[]): Interval {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.round(part * (sorted.length - 1))]!;
  return { low: at(0.025), high: at(0.975) };
}
