import assert from "node:assert/strict";
import { test } from "node:test";
import { trialScore } from "./trial-score.ts";

test("what is forgotten counts against what is learned, what the parent gains in general does not", () => {
  const parent = { retention: 1.5 };
  assert.ok(Math.abs(trialScore({ heldOut: 1.2, retention: 1.6 }, parent) - 1.3) < 1e-12);
  assert.equal(trialScore({ heldOut: 1.2, retention: 1.4 }, parent), 1.2);
});
