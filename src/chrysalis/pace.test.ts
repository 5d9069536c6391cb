import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision, Journal } from "./journal.ts";
import { createPace, type Budget } from "./pace.ts";

/**
 * Runs a pace on steps that take a second each; gives the steps made and the learning rate's phases. `hastenAt`: the
 * forgetting budget is over after so many steps.
 */
async function walk(
  budget: Budget,
  { hastenAt, decay = 0.4 }: { hastenAt?: number; decay?: number } = {},
): Promise<{ steps: number; decay: number }> {
  const decisions: Decision[] = [];
  const journal: Journal = {
    decisions,
    record: async (decision) => void decisions.push(await Promise.resolve(decision)),
  };
  let seconds = 0;
  const pace = createPace({
    budget,
    decay,
    evaluations: 2,
    journal,
    elapsed: () => seconds,
    checkpointSeconds: 0,
  });
  let steps = 0;
  let hastened = false;
  while (await pace.prepare(steps)) {
    steps += 1;
    seconds += 1;
    pace.took("step", 1);
    assert.ok(steps < 1000, "it ends");
    if (steps === hastenAt) hastened = await pace.hasten(steps);
  }
  assert.equal(
    hastened,
    decisions.some(({ kind }) => kind === "budget"),
  );
  return { steps, decay: pace.length().decay };
}

test("minutes bound a run, and a largest number of steps bounds it before them, each with its decay", async () => {
  const byTime = await walk({ minutes: 2 });
  assert.ok(byTime.steps > 105 && byTime.steps <= 120, `${byTime.steps} steps`);
  assert.ok(byTime.decay > 40 && byTime.decay <= 48, `${byTime.decay} steps of decay`);
  assert.deepEqual(await walk({ minutes: 2, maxSteps: 50 }), { steps: 50, decay: 20 });
  assert.equal((await walk({ minutes: 2, maxSteps: 2 })).steps, 2);
  assert.deepEqual(await walk({ minutes: 2, maxSteps: 500 }), byTime);
});

test("a run that is hastened decays at once, for the same part of its steps; one that decays already goes on", async () => {
  for (const budget of [{ steps: 100 }, { minutes: 2 }]) {
    assert.deepEqual(await walk(budget, { hastenAt: 30 }), { steps: 50, decay: 20 });
    assert.deepEqual(await walk(budget, { hastenAt: 90 }), await walk(budget));
    assert.deepEqual(await walk(budget, { hastenAt: 30, decay: 0 }), { steps: 30, decay: 0 });
  }
});
