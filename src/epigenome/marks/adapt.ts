/** How marks follow from what was measured: by diet, by stress, by the time that is left. Pure; measuring is elsewhere. */
import { invariant } from "../../errors.ts";

/** What may change marks during a training. */
export interface Adapt {
  /** Groups by their held-out gain per trained token. */
  readonly diet: boolean;
  /** Groups whose gradient points against that of the retention text. */
  readonly stress: boolean;
  /** Groups that cost the most time for their gain, where time runs out. */
  readonly environment: boolean;
  /** Lowest mark that diet and stress may give. */
  readonly least: number;
  /** Measuring gradients may cost this part of what training costs. */
  readonly cost: number;
}

/** How a group stands; its mark is the product of the factors, and 0 once it is stopped. */
export interface Standing {
  readonly diet: number;
  readonly stress: number;
  readonly stopped: boolean;
}

/** A mean of cosines and its standard error. */
export interface Cosine {
  readonly mean: number;
  readonly error: number;
}

/** What is known of a group since the evaluation before. */
export interface Observation {
  /** Decrease of its held-out bits per byte; null where none of its files is held out, or none was trained. */
  readonly gain: number | null;
  /** Predictions trained. */
  readonly tokens: number;
  /** Seconds that they took. */
  readonly seconds: number;
  /** Between its gradient and that of the retention text; null where it was not measured now. */
  readonly cosine: Cosine | null;
  /** Sequences that its pass under way has not come to. */
  readonly unread: number;
}

export interface Decided extends Standing {
  readonly mark: number;
  /** Why its mark is another one than before; empty where it is the same. */
  readonly reasons: readonly ("diet" | "stress" | "environment")[];
}

export const untouched: Standing = { diet: 1, stress: 1, stopped: false };

/** The largest change of a factor at once. */
const STRIDE = 2;
/** Standard errors by which a cosine must be below 0 to dim a group, and above it to brighten a dimmed one. */
const ERRORS = 2;

export function markOf({ diet, stress, stopped }: Standing, { least }: Pick<Adapt, "least">): number {
  return stopped ? 0 : clip(diet * stress, least);
}

/**
 * The marks after an evaluation, group by group.
 *
 * @param left sequences of the corpus that the time left has room for; null where no time is set
 */
export function decideMarks(
  standings: readonly Standing[],
  observations: readonly Observation[],
  { adapt, left }: { readonly adapt: Adapt; readonly left: number | null },
): Decided[] {
  invariant(standings.length === observations.length, "an observation of every group");
  const diet = adapt.diet ? byDiet(standings, observations, adapt.least) : standings.map((of) => of.diet);
  const stress = adapt.stress ? byStress(standings, observations, adapt.least) : standings.map((of) => of.stress);
  const next = standings.map(({ stopped }, i) => ({ diet: diet[i]!, stress: stress[i]!, stopped }));
  const stopped =
    adapt.environment && left !== null ? byEnvironment(next, observations, { adapt, left }) : new Set<number>();
  return next.map((standing, i) => {
    const decided = { ...standing, stopped: standing.stopped || stopped.has(i) };
    const before = standings[i]!;
    const mark = markOf(decided, adapt);
    if (mark === markOf(before, adapt)) return { ...decided, mark, reasons: [] };
    const reasons: Decided["reasons"][number][] = [];
    if (stopped.has(i)) reasons.push("environment");
    else {
      if (decided.diet !== before.diet) reasons.push("diet");
      if (decided.stress !== before.stress) reasons.push("stress");
    }
    return { ...decided, mark, reasons };
  });
}

/**
 * A group's gain per token over that of all measured groups together (their gains over their tokens), at most a factor of
 * two at once. Where all together have gained nothing there is nothing to compare with.
 */
function byDiet(standings: readonly Standing[], observations: readonly Observation[], least: number): number[] {
  const measured = observations.filter(({ gain, tokens }) => gain !== null && tokens > 0);
  const gained = measured.reduce((sum, { gain }) => sum + gain!, 0);
  const mean = gained / measured.reduce((sum, { tokens }) => sum + tokens, 0);
  return standings.map(({ diet }, i) => {
    const { gain, tokens } = observations[i]!;
    if (gain === null || tokens === 0 || !(mean > 0)) return diet;
    return clip(diet * Math.min(STRIDE, Math.max(1 / STRIDE, gain / tokens / mean)), least);
  });
}

/** Dims what points against the retention text beyond its noise, and brightens again what points with it. */
function byStress(standings: readonly Standing[], observations: readonly Observation[], least: number): number[] {
  const squares = observations.flatMap(({ cosine }) => (cosine === null ? [] : [cosine.error ** 2]));
  // The error of a single group comes from so few sequences that it may be small by chance.
  const error = Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / Math.max(1, squares.length));
  return standings.map(({ stress }, i) => {
    const { cosine } = observations[i]!;
    if (cosine === null || Math.abs(cosine.mean) <= ERRORS * error) return stress;
    return clip(cosine.mean < 0 ? stress / STRIDE : stress * STRIDE, least);
  });
}

/**
 * Where the time left does not suffice for the rest of the pass of all groups, those stop that cost the most seconds
 * for their gain, until it does. Groups of unknown gain stay, and so does the last one.
 */
function byEnvironment(
  standings: readonly Standing[],
  observations: readonly Observation[],
  { adapt, left }: { readonly adapt: Adapt; readonly left: number },
): Set<number> {
  const active = new Set(standings.flatMap(({ stopped }, i) => (stopped ? [] : [i])));
  const needOf = (i: number): number => observations[i]!.unread * markOf(standings[i]!, adapt);
  let need = [...active].reduce((sum, i) => sum + needOf(i), 0);
  const costOf = (i: number): number => {
    const { gain, seconds } = observations[i]!;
    return gain! > 0 ? seconds / gain! : Infinity;
  };
  const costliest = [...active]
    .filter((i) => observations[i]!.gain !== null && observations[i]!.tokens > 0)
    .map((i) => ({ i, cost: costOf(i) }))
    .sort((a, b) => (a.cost === b.cost ? a.i - b.i : b.cost - a.cost));
  const stopped = new Set<number>();
  for (const { i } of costliest) {
    if (need <= left || stopped.size === active.size - 1) break;
    stopped.add(i);
    need -= needOf(i);
  }
  return stopped;
}

function clip(value: number, least: number): number {
  return Math.min(1, Math.max(least, value));
}
