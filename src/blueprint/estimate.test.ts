import assert from "node:assert/strict";
import { test } from "node:test";
import { estimate, type EstimateOptions, refuseUnfit } from "./estimate.ts";
import { smolLm2 } from "./known-bodies.ts";
import { LINEAR_MODULES } from "./schema.ts";
import { smallLlama } from "./testing.ts";

const lora: EstimateOptions = {
  method: "lora",
  lora: { rank: 16, targets: LINEAR_MODULES },
  optimizer: "adamw",
  B: 1,
  T: 512,
  corpusTokens: 0,
  genomeBytes: 0,
  copiesParent: false,
};
const full: EstimateOptions = { ...lora, method: "full", lora: undefined };

test("operations and trainable parameters of SmolLM2-135M with rank 16 on all linears", () => {
  const needs = estimate(smolLm2, lora);
  assert.equal(needs.parameters, 134_515_008);
  assert.equal(needs.trainable, 4_884_480);
  assert.ok(Math.abs(needs.flopsPerToken / 0.62e9 - 1) < 0.005, `${needs.flopsPerToken}`);
  assert.ok(Math.abs(needs.memoryBytes / 2.2e9 - 1) < 0.4, `${needs.memoryBytes}`); // 1.9 to 2.6 GB were measured
});

test("scoring costs a third of full training, an adapter saves the frozen weights' gradients", () => {
  const needs = estimate(smolLm2, full);
  assert.equal(needs.flopsPerScoredToken * 3, needs.flopsPerToken);
  assert.ok(needs.flopsPerToken > 1.2 * estimate(smolLm2, lora).flopsPerToken);
});

test("full training holds gradients and two moments of every weight; Muon one of a matrix", () => {
  const adamw = estimate(smallLlama, full);
  assert.equal(adamw.trainable, adamw.parameters);
  assert.equal(adamw.memory.gradients, 4 * adamw.parameters);
  assert.equal(adamw.memory.moments, 8 * adamw.parameters);
  const muon = estimate(smallLlama, { ...full, optimizer: "muon" });
  assert.ok(muon.memory.moments < adamw.memory.moments && muon.memory.moments > adamw.memory.moments / 2);
});

test("memory grows with sequences and texts, disk with the parent's copy", () => {
  const one = estimate(smolLm2, lora);
  assert.ok(
    estimate(smolLm2, { ...lora, B: 4 }).memoryBytes > 2 * one.memoryBytes - one.memory.weights - one.memory.process,
  );
  assert.equal(estimate(smolLm2, { ...lora, corpusTokens: 1e9 }).memory.texts, 4e9);
  assert.equal(estimate(smolLm2, { ...lora, copiesParent: true }).diskBytes - one.diskBytes, 4 * one.parameters);
});

test("what does not fit is refused with both figures", () => {
  const needs = estimate(smolLm2, lora);
  const enough = { cores: 2, memoryBytes: needs.memoryBytes, diskBytes: needs.diskBytes };
  refuseUnfit(needs, enough, "out");
  assert.throws(() => refuseUnfit(needs, { ...enough, memoryBytes: 512 * 2 ** 20 }, "out"), {
    code: "memory",
    message: /^training needs about [\d,]+ MiB of memory, 512 MiB are available$/,
  });
  assert.throws(() => refuseUnfit(needs, { ...enough, diskBytes: 2 ** 20 }, "the/nest"), {
    code: "disk",
    message: /the\/nest has 1 MiB free$/,
  });
});
