/** Numbers of "learned against kept" from its curves: the learning rates that trials choose, and the table. */

import { bootstrap, lineOf, match, meanForgetting, ofFiles, readAt, reachOf } from "./curves.ts";
import type { Intervals, Line, SeedCurves } from "./curves.ts";
import type { KeptArm } from "./kept-arms.ts";
import type { Bench } from "./proof.ts";

/** One learning rate of an arm on the selection split. */
export interface Trial {
  readonly arm: string;
  readonly rate: number;
  readonly line: Line;
}

/** An arm at the matched gain. */
export interface AtGain {
  /** Part of the training, or alpha, at which the matched gain is reached, seed by seed; null where it is not. */
  readonly at: readonly (number | null)[];
  /** Retention bits per byte above the parent there. */
  readonly forgetting: readonly (number | null)[];
  /** Over seeds; null where the arm falls short of the gain in one. */
  readonly mean: number | null;
  readonly intervals: Intervals | null;
}

export interface ArmResult extends AtGain {
  readonly name: string;
  readonly label: string;
  readonly role: KeptArm["role"];
  readonly isBlended: boolean;
  readonly rate: number;
  readonly replay: number;
  readonly rank: number | null;
  readonly steps: number;
  /** Largest gain, seed by seed: held-out bits per byte below the parent. */
  readonly reach: readonly number[];
  /** Means over seeds at equal gains, as far as the arm reaches in each of them. */
  readonly curve: readonly { readonly gain: number; readonly forgetting: number }[];
}

export interface KeptResult {
  readonly body: string;
  readonly recipe: string;
  readonly steps: number;
  readonly seeds: readonly number[];
  readonly heldOut: { readonly files: number; readonly bytes: number; readonly parent: number };
  readonly retention: { readonly pieces: number; readonly bytes: number; readonly parent: number };
  readonly evaluations: number;
  readonly alphas: readonly number[];
  /** The gain at which learning rates were chosen; null without trials. */
  readonly selectionGain: number | null;
  readonly trials: readonly {
    readonly arm: string;
    readonly rate: number;
    readonly reach: number;
    /** At the selection's gain. */
    readonly forgetting: number | null;
    readonly isChosen: boolean;
  }[];
  /** Seed by seed: the largest gain that the default and all baselines reach. */
  readonly gains: readonly number[];
  readonly arms: readonly ArmResult[];
  /** The same without held-out files that the parent cannot read at all; null where there are none. */
  readonly readable: {
    readonly without: readonly { readonly file: string; readonly bytes: number; readonly bitsPerByte: number }[];
    readonly gains: readonly number[];
    readonly arms: Readonly<Record<string, AtGain>>;
  } | null;
}

/**
 * Single letters without any context take about so many bits. Where a parent needs more, a file is enciphered or encoded, and
 * a few kilobytes of it outweigh the gain on all that can be read.
 */
const UNREADABLE = 4;

interface Candidate {
  readonly arm: KeptArm;
  readonly rate: number;
}

export interface Rates {
  /** By the name of the arm. */
  readonly rates: Readonly<Record<string, number>>;
  readonly gain: number | null;
}

/**
 * The rate of each arm that forgets least at the largest gain that the default and every baseline reach with one of theirs;
 * of an arm that never reaches it, the one that comes nearest. With a single candidate there is nothing to choose.
 */
export function chooseRates(candidates: readonly Candidate[], trials: readonly Trial[]): Rates {
  if (trials.length === 0)
    return { rates: Object.fromEntries(candidates.map(({ arm, rate }) => [arm.name, rate])), gain: null };
  const arms = new Set(candidates.map(({ arm }) => arm));
  const of = (name: string): Trial[] => trials.filter(({ arm }) => arm === name);
  const matching = [...arms].filter(({ role }) => role !== "part");
  const gain = Math.min(...matching.map(({ name }) => Math.max(...of(name).map(({ line }) => reachOf(line)))));
  const cost = ({ line }: Trial): number => readAt(line, gain)?.forgetting ?? Infinity;
  const best = (name: string): Trial =>
    of(name).reduce((a, b) => {
      if (cost(a) === cost(b)) return reachOf(b.line) > reachOf(a.line) ? b : a;
      return cost(b) < cost(a) ? b : a;
    });
  return { rates: Object.fromEntries([...arms].map(({ name }) => [name, best(name).rate])), gain };
}

export interface Measured {
  readonly arms: readonly KeptArm[];
  readonly rates: Rates["rates"];
  readonly trials: readonly Trial[];
  readonly selectionGain: number | null;
  readonly seeds: readonly SeedCurves[];
  readonly evaluations: number;
  readonly alphas: readonly number[];
}

export function summarise({ body, steps, seeds }: Bench, measured: Measured): KeptResult {
  const { arms, rates, trials, selectionGain, seeds: curves } = measured;
  const { gains, readings } = atMatchedGain(curves, arms);
  const parents = curves.map((of) => of["default"]!.points[0].scores);
  const bits = (documents: readonly { nats: number; bytes: number }[]): number =>
    sum(documents.map(({ nats }) => nats)) / Math.LN2 / sum(documents.map(({ bytes }) => bytes));
  const heldOut = parents.flatMap((parent) => parent.heldOut);
  const { retention } = parents[0]!;
  const grid = gridUpTo(mean(gains));
  return {
    body: body.name,
    recipe: body.recipe.name,
    steps,
    seeds,
    heldOut: { files: heldOut.length, bytes: sum(heldOut.map(({ bytes }) => bytes)), parent: bits(heldOut) },
    retention: { pieces: retention.length, bytes: sum(retention.map(({ bytes }) => bytes)), parent: bits(retention) },
    evaluations: measured.evaluations,
    alphas: arms.some(({ isBlended }) => isBlended) ? measured.alphas : [],
    selectionGain,
    trials: trials.map(({ arm, rate, line }) => ({
      arm,
      rate,
      reach: reachOf(line),
      forgetting: readAt(line, selectionGain!)?.forgetting ?? null,
      isChosen: rates[arm] === rate,
    })),
    gains,
    arms: arms.map((arm): ArmResult => {
      const lines = curves.map((of) => lineOf(of[arm.name]!));
      return {
        name: arm.name,
        label: arm.label,
        role: arm.role,
        isBlended: arm.isBlended,
        rate: rates[arm.rateOf]!,
        replay: arm.recipe.replay,
        rank: arm.recipe.lora?.rank ?? null,
        steps: arm.steps,
        reach: lines.map(reachOf),
        ...readings[arm.name]!,
        curve: grid.flatMap((gain) => {
          const there = meanForgetting(lines.map((line) => readAt(line, gain)));
          return there === undefined ? [] : [{ gain, forgetting: there }];
        }),
      };
    }),
    readable: withoutUnreadable(curves, arms),
  };
}

function atMatchedGain(
  curves: readonly SeedCurves[],
  arms: readonly KeptArm[],
): { gains: readonly number[]; readings: Readonly<Record<string, AtGain>> } {
  const matching = arms.filter(({ role }) => role !== "part").map(({ name }) => name);
  const { gains, readings } = match(curves, matching);
  const intervals = bootstrap(curves, matching, "default");
  const atGain = Object.entries(readings).map(([name, own]): [string, AtGain] => [
    name,
    {
      at: own.map((reading) => reading?.at ?? null),
      forgetting: own.map((reading) => reading?.forgetting ?? null),
      mean: meanForgetting(own) ?? null,
      intervals: intervals[name] ?? null,
    },
  ]);
  return { gains, readings: Object.fromEntries(atGain) };
}

/** Which files these are the parent's score alone decides, never an arm's. */
function withoutUnreadable(curves: readonly SeedCurves[], arms: readonly KeptArm[]): KeptResult["readable"] {
  const filesOf = (of: SeedCurves) => of["default"]!.points[0].scores.heldOut;
  const without = curves.flatMap((of) => filesOf(of).filter(({ bitsPerByte }) => bitsPerByte > UNREADABLE));
  if (without.length === 0) return null;
  const readable = curves.map((of) => {
    const isKept = (file: number): boolean => filesOf(of)[file]!.bitsPerByte <= UNREADABLE;
    return Object.fromEntries(Object.entries(of).map(([arm, curve]) => [arm, ofFiles(curve, isKept)]));
  });
  const { gains, readings } = atMatchedGain(readable, arms);
  return {
    without: without.map(({ id, bytes, bitsPerByte }) => ({ file: id, bytes, bitsPerByte })),
    gains,
    arms: readings,
  };
}

/** Gains at which mean curves are drawn: fifths of the matched one, and on to its triple, as far as an arm reaches. */
function gridUpTo(matched: number): number[] {
  return Array.from({ length: 16 }, (_, i) => (i * matched) / 5);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
