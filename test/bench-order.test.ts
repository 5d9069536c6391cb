/** What the claims about order, selection and emphasis rest on: equal operations, and placebos that differ in nothing else. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { orderArms, permutedDifficulty, permutedEmphasis, stepsOf } from "../bench/epigenome/order-arms.ts";
import { measuresOf } from "../src/epigenome/order.ts";
import { tokenClasses } from "../src/epigenome/token-classes.ts";

const armOf = (name: string) => orderArms.find((arm) => arm.name === name)!;
const costs = { train: 3, score: 1, tokensPerStep: 100, corpusTokens: 900 };

test("no arm costs more than the shuffle, what the parent reads and what selects included", () => {
  assert.equal(stepsOf(armOf("shuffle"), 40, costs), 40);
  assert.equal(stepsOf(armOf("compressibility"), 40, costs), 40);
  assert.equal(stepsOf(armOf("loss"), 40, costs), 37);
  assert.equal(stepsOf(armOf("excess"), 40, costs), Math.floor((40 * 300 - 900) / 400));
  for (const arm of orderArms) {
    const steps = stepsOf(arm, 40, costs);
    const own = steps * 100 * (arm.select === null ? 3 : 4) + (arm.readsParent ? 900 : 0);
    assert.ok(own <= 40 * 300 && own > 40 * 300 - 400, arm.name);
    if (measuresOf(arm.order).includes("loss") || arm.select !== null) assert.ok(arm.readsParent, arm.name);
  }
});

test("every mechanism has a placebo that runs it on noise for as many steps", () => {
  const mechanisms = orderArms.filter(({ placeboOf, name }) => placeboOf === null && name !== "shuffle");
  for (const arm of mechanisms) {
    const placebos = orderArms.filter(({ placeboOf }) => placeboOf === arm.name);
    assert.equal(placebos.length, 1, arm.name);
    const { name, label, placeboOf, ...own } = placebos[0]!;
    assert.deepEqual({ ...arm, name, label, placeboOf }, { ...own, name, label, placeboOf });
    assert.equal(stepsOf(placebos[0]!, 40, costs), stepsOf(arm, 40, costs));
  }
});

test("noise is the same values elsewhere", () => {
  const difficulty = { loss: [1, null, 3, 4, 5, 6, 7, 8], compressibility: [8, 7, 6, 5, 4, 3, 2, 1] };
  const permuted = permutedDifficulty(difficulty, 1);
  assert.notDeepEqual(permuted.loss, difficulty.loss);
  assert.deepEqual(new Set(permuted.loss), new Set(difficulty.loss));
  const emphasis = { path: 1, number: 2, identifier: 1.5, prose: 0.8 };
  for (const seed of [1, 2, 3]) {
    const moved = permutedEmphasis(emphasis, seed);
    assert.deepEqual(new Set(Object.values(moved)), new Set(Object.values(emphasis)));
    for (const name of tokenClasses) assert.notEqual(moved[name], emphasis[name], `${seed} ${name}`);
  }
});
