import assert from "node:assert/strict";
import { test } from "node:test";
import { qwen3Small, smolLm2 } from "./known-bodies.ts";
import { parseBlueprint } from "./load.ts";
import { resolveEpigenome } from "./resolve-epigenome.ts";
import { smallLlama } from "./testing.ts";
import { type Given, workloadOf } from "./workload.ts";

const machine = { cores: 2, memoryBytes: 24e9, diskBytes: 50e9 };

function capacityOf(config: typeof smolLm2, yaml = "", given: Given = {}, measured = {}) {
  const method = config === smallLlama ? "full" : "lora";
  const head = `name: x\ndescription: x\nmethod: ${method}\noptimizer: {learningRate: 1e-4}\n`;
  const blueprint = parseBlueprint(head + yaml, "x.yaml");
  const load = workloadOf(blueprint, {
    config,
    given,
    machine,
    corpusTokens: undefined,
    replay: "none",
    genomeBytes: 0,
    copiesParent: false,
    ...measured,
  });
  return { ...resolveEpigenome(blueprint, load, given).capacity, load };
}

test("one pass holds what the weights can hold, or four times what the time will see, whichever is less", () => {
  const long = capacityOf(smallLlama, "", { minutes: 60 });
  assert.equal(long.value, Math.round(1.6 * long.load.needs.trainable));
  assert.match(long.reason, /^1\.6 bytes for each of [\d,]+ trained parameters$/);
  const [smol, qwen] = [capacityOf(smolLm2), capacityOf(qwen3Small)];
  assert.equal(smol.value, Math.round(4 * 3.3 * smol.load.nominalRate * 180));
  assert.match(smol.reason, /^4 times the [\d,]+ tokens of the genome that 3 minutes at an estimated 1\d\d tokens\/s /);
  assert.ok(smol.value > 3 * qwen.value! && qwen.value! > 64 * 1024, `${smol.value} and ${qwen.value}`);
  assert.equal(capacityOf(qwen3Small, "", { minutes: 0.1 }).value, 64 * 1024, "files come whole");
});

test("a recipe may set both limits, and express all lifts those it does not set", () => {
  const written = capacityOf(smolLm2, "budget: {steps: 100}\nepigenome: {budgetMultiple: 1}\n");
  assert.deepEqual([written.value, written.origin], [Math.round(100 * 2048 * 3.3), "recipe"]);
  assert.equal(written.reason, "1 times the 204,800 tokens of the genome that 100 steps train (x)");
  assert.equal(capacityOf(smolLm2, "", { express: "all" }).value, null);
  const weights = capacityOf(smolLm2, "epigenome: {bytesPerParameter: 0.01}\n", { express: "all" });
  assert.equal(weights.value, Math.round(0.01 * weights.load.needs.trainable));
});

test("a measured rate does not move the limit: a plan is the same on a busy machine", () => {
  assert.equal(capacityOf(smolLm2, "", {}, { tokensPerSecond: 7 }).value, capacityOf(smolLm2).value);
});
