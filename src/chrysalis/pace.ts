/** How long a run goes on: a given number of steps, or as many as fit into the given minutes. */

import type { Decision, Journal } from "./journal.ts";

export type Budget =
  | { readonly steps: number }
  /** `maxSteps`: ends the run before the minutes are over, where more steps would do no good. */
  | { readonly minutes: number; readonly maxSteps?: number };

/** Part of a run's minutes that interim evaluations may take. */
const EVALUATION_SHARE = 0.15;
/** Steps after which the speed counts as measured, or this part of the time if that is over sooner. */
const MEASURED_STEPS = 4;
const MEASURED_SHARE = 0.1;
/** Speed is the mean of this many last steps. */
const WINDOW = 16;
/** Allowances for later steps, and for the last evaluation and checkpoint, being slower than those measured. */
const STEP_ALLOWANCE = 1.03;
const RESERVE_ALLOWANCE = 1.1;

export interface Pace {
  /** Takes, and writes down, the decisions that fall due before step `step`; says whether that step is to be made. */
  prepare(step: number): Promise<boolean>;
  /** Ends the run after `step` steps because the time is over. */
  stop(step: number): Promise<void>;
  /**
   * Begins the decay after `step` steps, shortened as the run is (with a decay of 0 the run ends), where it has not begun.
   * Says whether that is when it began.
   */
  hasten(step: number): Promise<boolean>;
  /** Whether the time is over, in the middle of a step. */
  outOfTime(): boolean;
  /** The numbers of the schedule as known by now: `total` is Infinity while undecided. */
  length(): { readonly total: number; readonly decay: number };
  /** The expected number of steps; null while unknown. */
  expected(): number | null;
  /** Whether to evaluate after `step` steps in the midst of a run; the end is always evaluated. */
  evaluationDue(step: number): boolean;
  /** Records how long something took. */
  took(what: "step" | "evaluation" | "checkpoint", seconds: number): void;
  /** Expected seconds to the end; null while unknown. */
  remaining(step: number): number | null;
  /** Seconds a checkpoint takes. */
  checkpointSeconds(): number;
}

export interface PaceOptions {
  readonly budget: Budget;
  /** Part of the steps, or of the minutes, in which the learning rate falls; 0 to 1. */
  readonly decay: number;
  /** Evaluations wished for after the start, the last one at the end included; 0 for none. */
  readonly evaluations: number;
  readonly journal: Journal;
  /** Seconds of the run so far, those before a resume included. */
  readonly elapsed: () => number;
  /** Assumed until one is measured. */
  readonly checkpointSeconds: number;
}

/** The pace of a run; every number that bears on the weights is given or stands in the journal. */
export function createPace(options: PaceOptions): Pace {
  const clock = measure(options.checkpointSeconds);
  return "steps" in options.budget
    ? paceBySteps(options.budget.steps, options, clock)
    : paceByMinutes(options.budget.minutes * 60, options.budget.maxSteps ?? Infinity, options, clock);
}

function paceBySteps(planned: number, { decay, evaluations, journal }: PaceOptions, measured: Measured): Pace {
  const every = evaluations === 0 ? Infinity : Math.max(1, Math.ceil(planned / evaluations));
  const length = () => {
    const early = find(journal, "budget");
    return early === undefined
      ? { total: planned, decay: Math.round(decay * planned) }
      : { total: early.total, decay: early.total - early.step };
  };
  return {
    prepare: (step) => Promise.resolve(step < length().total),
    stop: () => Promise.resolve(),
    async hasten(step) {
      const { total, decay: steps } = length();
      if (step < total - steps) await journal.record({ kind: "budget", step, total: step + shortened(step, decay) });
      return find(journal, "budget")?.step === step;
    },
    outOfTime: () => false,
    length,
    expected: () => length().total,
    evaluationDue: (step) => evaluations > 0 && (step === 0 || step % every === 0),
    took: measured.took,
    remaining: (step) => (measured.step() === null ? null : (length().total - step) * measured.step()!),
    checkpointSeconds: measured.checkpoint,
  };
}

/** The decay of a run whose other steps are `before`, so that it is the same part of the whole. */
function shortened(before: number, decay: number): number {
  return Math.round((before * decay) / (1 - decay));
}

function find<K extends Decision["kind"]>(journal: Journal, kind: K): Extract<Decision, { kind: K }> | undefined {
  return journal.decisions.find((decision): decision is Extract<Decision, { kind: K }> => decision.kind === kind);
}

/**
 * The stable phase lasts until its part of the time is over; then the number of steps still to come is decided from
 * the measured speed, once. Should the machine become slower after that, the run stops in time with the decay cut short.
 */
function paceByMinutes(budget: number, most: number, options: PaceOptions, measured: Measured): Pace {
  const { decay, evaluations, journal, elapsed } = options;
  const reserve = () => RESERVE_ALLOWANCE * (measured.evaluation() + measured.checkpoint());
  const left = () => budget - elapsed() - reserve();

  const decideLength = async (step: number, stepSeconds: number): Promise<void> => {
    const affordable = Math.floor((EVALUATION_SHARE * budget) / Math.max(measured.evaluation(), 1e-9));
    const count = Math.max(1, Math.min(evaluations, affordable));
    const time = left() - (count - 1) * measured.evaluation();
    const total = Math.min(most, step + Math.max(1, Math.floor(time / (STEP_ALLOWANCE * stepSeconds))));
    await journal.record({ kind: "length", step, total, evaluateEvery: Math.ceil(total / count) });
  };
  const decideDecay = async (step: number, stepSeconds: number, evaluateEvery: number): Promise<void> => {
    const each = stepSeconds + measured.evaluation() / evaluateEvery;
    const total = Math.min(most, step + Math.max(1, Math.floor(left() / (STEP_ALLOWANCE * each))));
    await journal.record({ kind: "decay", step, total });
  };
  const descent = () => find(journal, "budget") ?? find(journal, "decay");
  const end = () => Math.min(find(journal, "stop")?.step ?? Infinity, descent()?.total ?? Infinity, most);
  const stop = async (step: number): Promise<void> => {
    if (step < end()) await journal.record({ kind: "stop", step });
  };
  return {
    async prepare(step) {
      if (step >= end()) return false;
      const stepSeconds = measured.step();
      if (stepSeconds === null) return true;
      if (step >= MEASURED_STEPS || elapsed() >= MEASURED_SHARE * budget) {
        if (find(journal, "length") === undefined) await decideLength(step, stepSeconds);
        const late = elapsed() >= (1 - decay) * (budget - reserve()) || step >= (1 - decay) * most;
        const due = decay > 0 && late;
        const length = find(journal, "length")!;
        if (due && descent() === undefined) await decideDecay(step, stepSeconds, length.evaluateEvery);
      }
      if (left() < stepSeconds) await stop(step);
      return step < end();
    },
    stop,
    async hasten(step) {
      if (descent() === undefined) {
        const affordable = Math.floor(left() / (STEP_ALLOWANCE * (measured.step() ?? Infinity)));
        const steps = Math.min(shortened(step, decay), Math.max(0, affordable), most - step);
        await journal.record({ kind: "budget", step, total: step + steps });
      }
      return find(journal, "budget")?.step === step;
    },
    outOfTime: () => left() < 0,
    length() {
      const decided = descent();
      return decided === undefined
        ? { total: Infinity, decay: 0 }
        : { total: decided.total, decay: decided.total - decided.step };
    },
    expected: () => descent()?.total ?? find(journal, "length")?.total ?? null,
    evaluationDue(step) {
      if (evaluations === 0) return false;
      if (step === 0) return true;
      const length = find(journal, "length");
      if (length === undefined || step <= length.step || step % length.evaluateEvery !== 0) return false;
      return left() > measured.evaluation() + (measured.step() ?? 0);
    },
    took: measured.took,
    remaining: () => Math.max(0, budget - elapsed()),
    checkpointSeconds: measured.checkpoint,
  };
}

interface Measured {
  took(what: "step" | "evaluation" | "checkpoint", seconds: number): void;
  /** Mean seconds of the last steps, the first one of the process (which warms up) left out; null before any. */
  step(): number | null;
  /** The longest one so far; 0 before any. */
  evaluation(): number;
  checkpoint(): number;
}

function measure(assumedCheckpoint: number): Measured {
  const steps: number[] = [];
  let seen = 0;
  let evaluation = 0;
  let checkpoint: number | undefined;
  return {
    took(what, seconds) {
      if (what === "evaluation") evaluation = Math.max(evaluation, seconds);
      else if (what === "checkpoint") checkpoint = Math.max(checkpoint ?? 0, seconds);
      else {
        if (seen === 1 || steps.length === WINDOW) steps.shift();
        steps.push(seconds);
        seen += 1;
      }
    },
    step: () => (steps.length === 0 ? null : steps.reduce((sum, value) => sum + value, 0) / steps.length),
    evaluation: () => evaluation,
    checkpoint: () => checkpoint ?? assumedCheckpoint,
  };
}
