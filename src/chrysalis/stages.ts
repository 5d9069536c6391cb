/** When the stages of a run begin: at their part of its steps, or of its minutes, and then it is written down first. */
import { invariant } from "../errors.ts";
import type { Journal } from "./journal.ts";
import type { Budget } from "./pace.ts";

export interface StagesOptions {
  /** Parts of the run, which add up to 1. */
  readonly shares: readonly number[];
  /** Hears once per process from which step on a stage is trained, the first one's 0 included. */
  readonly begin: (stage: number, step: number) => void;
}

export interface StageClock {
  /** Takes the decision that falls due before step `step`, if any; gives the stage that begins with it, if one does. */
  prepare(step: number): Promise<number | undefined>;
}

/** Starts with what the journal holds already: a resumed run repeats it. */
export function createStageClock(
  { shares, begin }: StagesOptions,
  { budget, journal, elapsed }: { readonly budget: Budget; readonly journal: Journal; readonly elapsed: () => number },
): StageClock {
  invariant(shares.length > 0, "a run has a stage");
  // Where stage k + 1 begins, as a part of the run.
  const ends = shares.map((_, k) => shares.slice(0, k + 1).reduce((sum, share) => sum + share, 0));
  const progress = (step: number): number => {
    if ("steps" in budget) return step / budget.steps;
    return Math.max(elapsed() / (60 * budget.minutes), step / (budget.maxSteps ?? Infinity));
  };
  let current = 0;
  begin(0, 0);
  for (const decision of journal.decisions) {
    if (decision.kind !== "stage") continue;
    current = decision.stage;
    begin(current, decision.step);
  }
  return {
    async prepare(step) {
      const known = journal.decisions.findLast((decision) => decision.kind === "stage");
      if (known !== undefined && known.step >= step) return known.step === step ? current : undefined;
      let next = current;
      while (next < shares.length - 1 && progress(step) >= ends[next]! - 1e-9) next += 1;
      if (next === current) return undefined;
      await journal.record({ kind: "stage", step, stage: next });
      begin(next, step);
      current = next;
      return next;
    },
  };
}
