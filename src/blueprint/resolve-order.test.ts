import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveOrder } from "./resolve-order.ts";
import { testRecipe } from "./testing.ts";

const orderOf = (more: string) => resolveOrder(testRecipe("x", more).blueprint);

test("a recipe that says nothing of order shuffles; easy to hard is a warm-up unless it says more", () => {
  assert.deepEqual(orderOf("").value, { by: "shuffle", part: 0, repeatHard: null, imports: false });
  assert.equal(orderOf("").origin, "default");
  assert.deepEqual(orderOf("order: {by: loss}").value, { by: "loss", part: 0.2, repeatHard: null, imports: false });
  assert.match(orderOf("order: {by: loss}").reason, /a warm-up, by default/);
  assert.deepEqual(orderOf("order: {by: compressibility, part: 1}"), {
    value: { by: "compressibility", part: 1, repeatHard: null, imports: false },
    origin: "recipe",
    reason: "x",
  });
  assert.deepEqual(orderOf("order: {repeatHard: {part: 0.2, times: 2}}").value, {
    by: "shuffle",
    part: 0,
    repeatHard: { part: 0.2, times: 2 },
    imports: false,
  });
  assert.deepEqual(orderOf("order: {imports: true}").value, {
    by: "shuffle",
    part: 0,
    repeatHard: null,
    imports: true,
  });
});

test("what contradicts itself or leads nowhere is refused", () => {
  for (const order of [
    "{part: 0.2}",
    "{by: size}",
    "{by: loss, part: 0}",
    "{repeatHard: {part: 1, times: 1}}",
    "{repeatHard: {part: 0.1}}",
    "{by: loss, imports: true}",
    "{repeatHard: {part: 0.1, times: 1}, imports: true}",
  ])
    assert.throws(() => orderOf(`order: ${order}`), { code: "invalid" }, order);
});
