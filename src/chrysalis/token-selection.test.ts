import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { blankBatch, type Batch } from "../models/batch.ts";
import { selectByExcess } from "./token-selection.ts";

/** A batch of one row with these losses of the reference; NaN for what has none. */
function batch(reference: readonly number[], weights: readonly number[] = reference.map(() => 1)): Batch {
  const blank = blankBatch(1, reference.length, 0);
  blank.weights.set(weights);
  return { ...blank, reference: Float32Array.from(reference) };
}

/** Gives the losses in turn, one array for each batch. */
const model = (...losses: readonly (readonly number[])[]) => {
  const left = [...losses];
  return { evaluate: () => Promise.resolve(Float32Array.from(left.shift()!)) };
};
const weightsOf = (batches: readonly Batch[] | undefined): number[][] => batches!.map(({ weights }) => [...weights]);

test("the tokens with the highest loss above the reference count, over all micro-batches, with the weight of all", async () => {
  const given = [batch([1, 2, 3, 4]), batch([5, 5, 5, 5])];
  const losses = [
    [1.5, 2, 2, 4.1],
    [7, 4, 5, 5],
  ];
  const chosen = await selectByExcess(model(...losses), given, { share: 0.25 });
  assert.deepEqual(weightsOf(chosen), [
    [4, 0, 0, 0],
    [4, 0, 0, 0],
  ]);
  assert.deepEqual([...given[0]!.weights], [1, 1, 1, 1], "what was given is as it was");
});

test("what equals the last that counts, counts too: while the model is its parent, everything is trained as without", async () => {
  const given = [batch([1, 2, 3, 4])];
  assert.equal(await selectByExcess(model([1, 2.0001, 2.9999, 4]), given, { share: 0.25 }), given);
  const chosen = await selectByExcess(model([2, 3, 3, 4]), given, { share: 0.25 });
  assert.deepEqual(weightsOf(chosen), [[2, 2, 0, 0]]);
});

test("what has no weight or no reference is left alone", async () => {
  const given = [batch([1, Number.NaN, 1, 1, Number.NaN], [2, 1, 0, 1, 3])];
  const chosen = await selectByExcess(model([5, 0, 0, 1, 9]), given, { share: 0.5 });
  assert.deepEqual(weightsOf(chosen), [[3, 1, 0, 0, 3]]);
  const bare = [blankBatch(1, 3, 0)];
  assert.equal(await selectByExcess(model([1, 2, 3]), bare, { share: 0.5 }), bare);
});

test("a share of 1 asks the model nothing, and a step is abandoned where the time is over", async () => {
  const given = [batch([1, 2])];
  const never = { evaluate: () => Promise.reject(new Error("asked")) };
  assert.equal(await selectByExcess(never, given, { share: 1 }), given);
  assert.equal(await selectByExcess(never, given, { share: 0.5, stopped: () => true }), undefined);
});

test("at least the share counts, never less, and the sum of weights stays", async () => {
  const cell = fc.record({
    reference: fc.double({ min: 0, max: 9, noNaN: true }),
    loss: fc.double({ min: 0, max: 9, noNaN: true }),
    weight: fc.constantFrom(0, 0.5, 1, 2),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(cell, { minLength: 1, maxLength: 40 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      async (cells, share) => {
        const given = batch(
          cells.map(({ reference }) => reference),
          cells.map(({ weight }) => weight),
        );
        const step = model(cells.map(({ loss }) => loss));
        const [chosen] = (await selectByExcess(step, [given], { share }))!;
        const count = (of: Float32Array): number => of.filter((weight) => weight > 0).length;
        assert.ok(count(chosen!.weights) >= Math.ceil(share * count(given.weights)) - 1e-9);
        const sum = (of: Float32Array): number => of.reduce((a, b) => a + b, 0);
        assert.ok(Math.abs(sum(chosen!.weights) - sum(given.weights)) < 1e-4 * (1 + sum(given.weights)));
        const excess = cells.map(({ loss, reference }) => Math.fround(loss) - Math.fround(reference));
        const out = excess.filter((_, i) => given.weights[i]! > 0 && chosen!.weights[i] === 0);
        const inside = excess.filter((_, i) => chosen!.weights[i]! > 0);
        assert.ok(Math.max(...out) <= Math.min(...inside));
      },
    ),
  );
});
