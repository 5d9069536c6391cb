import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision, Journal } from "./journal.ts";
import { createPace } from "./pace.ts";

/** Runs a pace on steps that take a second each; gives the steps made and the learning rate's phases. */
async function walk(budget: { minutes: number; maxSteps?: number }): Promise<{ steps: number; decay: number }> {
  const decisions: Decision[] = [];
  const journal: Journal = {
    decisions,
    record: async (decision) => void decisions.push(await Promise.resolve(decision)),
  };
  let seconds = 0;
  const pace = createPace({
    budget,
    decay: 0.4,
    evaluations: 2,
    journal,
    elapsed: () => seconds,
    checkpointSeconds: 0,
  });
  let steps = 0;
  while (await pace.prepare(steps)) {
    steps += 1;
    seconds += 1;
    pace.took("step", 1);
    assert.ok(steps < 1000, "it ends");
  }
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
