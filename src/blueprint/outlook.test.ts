import assert from "node:assert/strict";
import { test } from "node:test";
import { qwen3Small, smolLm2 } from "./known-bodies.ts";
import { loadBlueprints } from "./load.ts";
import { outlookOf } from "./outlook.ts";

const recipes = await loadBlueprints();
const machine = { cores: 2, memoryBytes: 6e9, diskBytes: 100e9 };
/** FLOP/s beside which the figures below were measured, each on two cores of an AMD EPYC (Zen 4); docs/log.md. */
const measured = [
  { method: "lora", tokensPerSecond: 187.6, matrixRate: 152.7e9 },
  { method: "full", tokensPerSecond: 111, matrixRate: 126e9 },
] as const;

test("predictions from the matrix rate are within 15 % of what training SmolLM2-135M reached", () => {
  for (const { method, tokensPerSecond, matrixRate } of measured) {
    const row = outlookOf({ smol: smolLm2 }, recipes, machine, matrixRate).find((of) => of.method === method)!;
    assert.ok(Math.abs(row.tokensPerSecond / tokensPerSecond - 1) < 0.15, `${method}: ${row.tokensPerSecond}`);
  }
});

test("both methods of each body, the recipe that would be chosen, and what fits", () => {
  const rows = outlookOf({ smol: smolLm2, qwen: qwen3Small }, recipes, machine, 150e9);
  assert.deepEqual(
    rows.map(({ model, method, fits, recipe }) => [model, method, fits, recipe]),
    [
      ["smol", "lora", true, "medium-body"],
      ["smol", "full", true, "medium-body"],
      ["qwen", "lora", false, "medium-body"],
      ["qwen", "full", false, "medium-body"],
    ],
  );
});
