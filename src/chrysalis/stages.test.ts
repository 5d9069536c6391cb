import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision, Journal } from "./journal.ts";
import type { Budget } from "./pace.ts";
import { createStageClock } from "./stages.ts";

function journalOf(decisions: Decision[] = []): Journal & { readonly decisions: Decision[] } {
  return { decisions, record: async (decision) => void decisions.push(await Promise.resolve(decision)) };
}

interface Walk {
  readonly budget: Budget;
  readonly journal: Journal;
  readonly from?: number;
  readonly steps: number;
  readonly secondsOf?: (step: number) => number;
}

async function walk({ budget, journal, from = 0, steps, secondsOf = (step) => step }: Walk) {
  const begun: [number, number][] = [];
  const told: [number, number][] = [];
  let step = from;
  const clock = createStageClock(
    { shares: [0.5, 0.3, 0.2], begin: (stage, at) => void begun.push([stage, at]) },
    { budget, journal, elapsed: () => secondsOf(step) },
  );
  for (; step < steps; step++) {
    const stage = await clock.prepare(step);
    if (stage !== undefined) told.push([stage, step]);
  }
  return { begun, told };
}

test("stages begin at their parts of the steps, written down before", async () => {
  const journal = journalOf();
  const { begun, told } = await walk({ budget: { steps: 10 }, journal, steps: 10 });
  assert.deepEqual(begun, [
    [0, 0],
    [1, 5],
    [2, 8],
  ]);
  assert.deepEqual(told, [
    [1, 5],
    [2, 8],
  ]);
  assert.deepEqual(journal.decisions, [
    { kind: "stage", step: 5, stage: 1 },
    { kind: "stage", step: 8, stage: 2 },
  ]);
});

test("in minutes the clock decides, or the largest number of steps where that is sooner", async () => {
  const byTime = await walk({ budget: { minutes: 1 }, journal: journalOf(), steps: 60 });
  assert.deepEqual(byTime.told, [
    [1, 30],
    [2, 48],
  ]);
  const bySteps = await walk({ budget: { minutes: 1, maxSteps: 20 }, journal: journalOf(), steps: 20 });
  assert.deepEqual(bySteps.told, [
    [1, 10],
    [2, 16],
  ]);
});

test("a resumed run repeats what was decided, whatever its clock says now", async () => {
  const journal = journalOf();
  await walk({ budget: { minutes: 1 }, journal, steps: 40 });
  const { begun, told } = await walk({ budget: { minutes: 1 }, journal, from: 25, steps: 60, secondsOf: () => 0 });
  assert.deepEqual(begun, [
    [0, 0],
    [1, 30],
  ]);
  assert.deepEqual(told, [[1, 30]], "said again: the log was cut at the checkpoint");
  assert.equal(journal.decisions.length, 1);
});
