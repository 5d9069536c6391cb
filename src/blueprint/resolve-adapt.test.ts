import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveAdapt } from "./resolve-adapt.ts";
import { testRecipe } from "./testing.ts";

const adaptOf = (more: string, budget: { minutes: number } | { steps: number } = { minutes: 3 }) =>
  resolveAdapt(testRecipe("x", more).blueprint, budget);

test("marks stay unless a recipe says otherwise; what it leaves out is off, and a budget in steps has no environment", () => {
  assert.equal(adaptOf("").value, null);
  assert.equal(adaptOf("").origin, "default");
  assert.deepEqual(adaptOf("adapt: {diet: true}"), {
    value: { diet: true, stress: false, environment: false, least: 0.1, cost: 0.1 },
    origin: "recipe",
    reason: "x",
  });
  const all = "adapt: {stress: true, environment: true, least: 0.2, cost: 0.05}";
  assert.deepEqual(adaptOf(all).value, { diet: false, stress: true, environment: true, least: 0.2, cost: 0.05 });
  assert.equal(adaptOf(all, { steps: 10 }).value?.environment, false);
  assert.match(adaptOf(all, { steps: 10 }).reason, /a budget in steps sets no time/);
});

test("what does nothing, is out of range or contradicts the rest of the recipe is refused", () => {
  for (const recipe of [
    "adapt: {}",
    "adapt: {diet: false}",
    "adapt: {diet: true, least: 0}",
    "adapt: {diet: true, cost: 0.2}",
    "adapt: {diets: true}",
    "adapt: {diet: true}\norder: {by: loss}",
    "adapt: {diet: true}\norder: {repeatHard: {part: 0.2, times: 2}}",
    "adapt: {diet: true}\nstages: [{name: a}, {name: b}]",
  ])
    assert.throws(() => adaptOf(recipe), { code: "invalid" }, recipe);
  assert.ok(adaptOf("adapt: {diet: true}\nstages: [{name: a}]\norder: {by: shuffle}").value);
});
