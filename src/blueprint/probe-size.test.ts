import assert from "node:assert/strict";
import { test } from "node:test";
import { qwen3Small, smolLm2 } from "./known-bodies.ts";
import { probeSize } from "./probe-size.ts";
import { smallLlama } from "./testing.ts";

const full = { method: "full", lora: null, optimizer: "adamw", microBatch: 4, sequence: 512 } as const;
const lora = { ...full, method: "lora", lora: { rank: 16, alpha: 32, targets: ["q_proj"], rslora: false } } as const;

test("a small body is probed in the shape that it is trained in, a large one in short windows", () => {
  const small = probeSize(smallLlama, full, 33);
  assert.deepEqual([small.B, small.T, small.flopsPerToken], [4, 512, small.flopsPerPlannedToken]);
  assert.ok(small.steps >= 3 && small.steps <= 8, `${small.steps}`);
  const [smol, qwen] = [probeSize(smolLm2, lora, 33), probeSize(qwen3Small, lora, 33)];
  assert.deepEqual([smol.B, smol.T, qwen.B, qwen.T, qwen.steps], [1, 128, 1, 128, 3]);
  assert.ok(qwen.flopsPerToken < qwen.flopsPerPlannedToken, "attention over fewer positions");
});

test("as many repositories are scored as the body can read in seconds, the more of each the fewer there are", () => {
  const [small, smol, qwen] = [smallLlama, smolLm2, qwen3Small].map((config) => probeSize(config, lora, 33));
  assert.equal(small!.repositories, 33);
  assert.ok(smol!.repositories > qwen!.repositories && qwen!.repositories >= 1);
  assert.equal(qwen!.tokensOfRepository, 128);
  assert.equal(probeSize(smallLlama, full, 1).tokensOfRepository, 2048);
});
