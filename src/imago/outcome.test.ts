import assert from "node:assert/strict";
import { test } from "node:test";
import type { EvaluationAt } from "../chrysalis/events.ts";
import { blendPoints, candidateText, outcomeNotes, outcomeOf } from "./outcome.ts";
import type { Training } from "./report.ts";

const at = (step: number, heldOut: number, retention: number): EvaluationAt => ({ step, heldOut, retention });
const evaluations = [at(0, 2, 1), at(10, 1.8, 1.01), at(20, 1.5, 1.05)];
const kept = (i: number): Training["best"] => ({ ...evaluations[i]!, checkpoint: i === 0 ? null : `step-${i}` });
const training = (best: number, lowest: number): Training => ({
  steps: 20,
  tokens: 1,
  tokensPerSecond: 1,
  seconds: 1,
  evaluations,
  best: kept(best),
  lowest: kept(lowest),
  marks: null,
});
const budget = { kl: null, retention: 0.02 };

test("without a blend the best checkpoint inside the budget emerges, and the better one outside is named", () => {
  const free = outcomeOf(training(2, 2), null, null);
  assert.deepEqual([free.emerged.step, free.givenUp, free.blends, outcomeNotes(free)], [20, null, [], []]);
  const held = outcomeOf(training(1, 2), budget, null);
  assert.deepEqual([held.emerged.step, held.givenUp?.step], [10, 20]);
  assert.match(
    outcomeNotes(held).join(),
    /budget was retention \+2\.0 %: step 20, .* \(retention \+5\.0 % of at most \+2\.0 %\)/,
  );
  const none = outcomeOf(training(0, 2), { kl: null, retention: 0 }, null);
  assert.deepEqual([none.emerged.checkpoint, none.emerged.step, none.givenUp?.step], [null, 0, 20]);
  assert.match(outcomeNotes(none).join(), /nothing better than the parent is inside/);
  const worse = outcomeOf(training(0, 0), budget, null);
  assert.match(outcomeNotes(worse).join(), /^no evaluation was better than the parent's/);
});

test("blends are of what learned most, and of the best inside at their last alpha", () => {
  const points = (of: Training, alphas: readonly number[]) =>
    blendPoints(of, alphas).map(({ of: { step }, alpha }) => [step, alpha]);
  assert.deepEqual(points(training(2, 2), [0.5, 1]), [
    [20, 0.5],
    [20, 1],
  ]);
  assert.deepEqual(points(training(1, 2), [0.25, 0.5]), [
    [20, 0.25],
    [20, 0.5],
    [10, 0.5],
  ]);
  assert.deepEqual(points(training(0, 2), [0.5]), [[20, 0.5]]);
  assert.deepEqual(points(training(0, 0), [0.5]), []);
});

test("of blends the lowest inside the budget emerges; the parent where none is better", () => {
  const of = training(1, 2);
  const measure = (...figures: readonly (readonly [number, number])[]) =>
    outcomeOf(
      of,
      budget,
      blendPoints(of, [0.5, 1]).map((point, i) => ({
        ...point,
        figures: { heldOut: figures[i]![0], retention: figures[i]![1] },
      })),
    );
  const between = measure([1.7, 1.015], [1.5, 1.05], [1.8, 1.01]);
  assert.deepEqual(
    [candidateText(between.emerged), candidateText(between.givenUp!)],
    ["step 20 at alpha 0.5", "step 20"],
  );
  assert.ok(Math.abs(between.emerged.retentionRise! - 0.015) < 1e-9);
  assert.equal(between.blends.length, 3);
  assert.equal(candidateText(measure([1.9, 1.03], [1.5, 1.05], [1.8, 1.01]).emerged), "step 10");
  const worse = measure([2.1, 1], [2.2, 1], [2.3, 1]);
  assert.deepEqual([candidateText(worse.emerged), worse.givenUp], ["the parent", null]);
  // A blend alone, without the checkpoints, is what the recipe asks for.
  const fixed = outcomeOf(training(2, 2), null, [{ of: kept(2), alpha: 0.5, figures: { heldOut: 1.7 } }]);
  assert.equal(candidateText(fixed.emerged), "step 20 at alpha 0.5");
});
