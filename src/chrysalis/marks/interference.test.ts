import assert from "node:assert/strict";
import { test } from "node:test";
import { BIGRAM, bigramStep } from "../../../test/bigram.ts";
import type { Batch } from "../../models/batch.ts";
import { interference } from "./interference.ts";

/** One sequence in which `from` is always followed by `to`. */
function pairs(from: number, to: number): Batch {
  const { T } = BIGRAM;
  return {
    B: 1,
    T,
    ids: new Int32Array(T).fill(from),
    targets: new Int32Array(T).fill(to),
    weights: new Float32Array(T).fill(1),
    positions: Int32Array.from({ length: T }, (_, t) => t),
    documents: new Int32Array(T),
  };
}

test("a text points with itself, and against one that teaches the opposite; the weights stay", async () => {
  const step = bigramStep();
  const before = step.parameters.map(({ data }) => data.slice());
  const reference = [[pairs(3, 4)], [pairs(3, 4), pairs(3, 4)]];
  const [same, opposite, mixed] = await interference(step, reference, [
    [[pairs(3, 4)], [pairs(3, 4)]],
    [[pairs(3, 5)], [pairs(3, 5)]],
    [[pairs(3, 4)], [pairs(3, 5)]],
  ]);
  assert.ok(Math.abs(same!.mean - 1) < 1e-6 && same!.error < 1e-6, JSON.stringify(same));
  assert.ok(opposite!.mean < -0.05 && opposite!.error < 1e-6, JSON.stringify(opposite));
  assert.ok(Math.abs(mixed!.mean - (same!.mean + opposite!.mean) / 2) < 1e-6);
  // Two parts that differ by d have a mean with the standard error d / 2.
  assert.ok(Math.abs(mixed!.error - (same!.mean - opposite!.mean) / 2) < 1e-6);
  assert.deepEqual(
    step.parameters.map(({ data }) => data),
    before,
  );
  assert.ok(step.parameters.every(({ gradient }) => gradient.every((value) => value === 0)));
});

test("both sides add to the error, and a gradient of nothing is at right angles to all", async () => {
  const step = bigramStep();
  const blank = { ...pairs(0, 0), weights: new Float32Array(BIGRAM.T) };
  const [same, nothing] = await interference(
    step,
    [[pairs(3, 4)], [pairs(3, 5)]],
    [
      [[pairs(3, 4)], [pairs(3, 4)]],
      [[blank], [blank]],
    ],
  );
  assert.ok(same!.error > 0.1);
  assert.deepEqual(nothing, { mean: 0, error: 0 });
});
