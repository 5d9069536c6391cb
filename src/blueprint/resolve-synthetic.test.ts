import assert from "node:assert/strict";
import { test } from "node:test";
import { smolLm2 } from "./known-bodies.ts";
import { loadBlueprint, parseBlueprint } from "./load.ts";
import { resolveOwnReplay, resolveQuestions, syntheticSeconds } from "./resolve-synthetic.ts";
import type { ReplayFrom } from "./resolve-synthetic.ts";
import { smallLlama } from "./testing.ts";
import { workloadOf } from "./workload.ts";

const small = (await loadBlueprint("small-body")).blueprint;
const medium = (await loadBlueprint("medium-body")).blueprint;
const written = (more: string) =>
  parseBlueprint(`name: bare\ndescription: x\nmethod: lora\noptimizer: {learningRate: 1e-4}\n${more}`, "bare.yaml");

function load(blueprint: typeof small, replay: ReplayFrom, config = smallLlama, minutes = 3) {
  const machine = { cores: 2, memoryBytes: 8e9, diskBytes: 50e9 };
  const rest = { corpusTokens: 1e9, genomeBytes: 1e6, copiesParent: false };
  return workloadOf(blueprint, { config, machine, replay, given: { minutes }, ...rest });
}

test("without a replay text the parent writes what its time allows, and no more than is seen", () => {
  for (const [blueprint, config] of [
    [small, smallLlama],
    [medium, smolLm2],
  ] as const) {
    const of = load(blueprint, "own", config);
    assert.equal(of.replay.value, blueprint.replay, "the share is the recipe's");
    const { value, origin } = resolveOwnReplay(blueprint, "own", of);
    const seen = of.replay.value * of.steps * of.tokensPerStep;
    assert.ok(value!.tokens <= seen && value!.tokens >= seen / 4, `${value!.tokens} of ${seen}: four passes at most`);
    assert.ok(syntheticSeconds(of.speed, value, null) <= 0.151 * 180);
    assert.deepEqual([value!.longest, origin], [511, "derived"]);
  }
  const measured = { ...load(small, "own"), steps: 1, tokensPerSecond: 1 };
  assert.deepEqual(
    resolveOwnReplay(small, "own", measured),
    resolveOwnReplay(small, "own", load(small, "own")),
    "how busy the machine was does not count",
  );
  const short = written("replay: 0.01");
  const of = load(short, "own");
  const { value } = resolveOwnReplay(short, "own", of);
  assert.equal(value!.tokens, Math.ceil(0.01 * of.steps * of.tokensPerStep), "little replay is passed once");
});

test("with little time replay is less, then none; with a text, or none wanted, the parent writes none", () => {
  const hurried = load(written("replay: 0.2\nsynthetic: {time: 0.05}"), "own");
  assert.ok(hurried.replay.value > 0.05 && hurried.replay.value < 0.2);
  assert.equal(hurried.replay.origin, "derived");
  const rushed = written("replay: 0.2\nsynthetic: {time: 0.001}");
  assert.equal(load(rushed, "own").replay.value, 0);
  assert.equal(resolveOwnReplay(rushed, "own", load(rushed, "own")).value, null);
  assert.equal(resolveOwnReplay(small, "given", load(small, "given")).value, null);
  assert.equal(load(small, "given").replay.value, 0.3);
  assert.equal(resolveOwnReplay(small, "none", load(small, "none")).value, null);
  assert.equal(load(small, "none").replay.value, 0);
});

test("where the recipe is silent small bodies get more replay", () => {
  assert.equal(load(written(""), "given").replay.value, 0.25);
  assert.equal(load(written(""), "given", smolLm2).replay.value, 0.05);
});

test("passages to ask about: the least of what time, files and bytes allow", () => {
  const of = load(small, "given", smallLlama, 60);
  const plan = (files: number, trainedBytes: number, blueprint = small) =>
    resolveQuestions(blueprint, { files, trainedBytes }, of);
  assert.equal(plan(0, 1e6).value, null);
  assert.deepEqual(plan(3, 1e6).value, { passages: 12, perFile: 4, bytes: 100_000 });
  assert.equal(plan(1e6, 1e4).value!.passages, 10);
  const byTime = plan(1e6, 1e9);
  assert.match(byTime.reason, /0\.15 of the training time/);
  assert.ok(syntheticSeconds(of.speed, null, byTime.value) <= 0.15 * 3600);
  const own = written("synthetic: {pairsPerFile: 1, pairsShare: 0.5}");
  assert.deepEqual(plan(3, 1e6, own).value, { passages: 3, perFile: 1, bytes: 500_000 });
  assert.equal(
    resolveQuestions(small, { files: 9, trainedBytes: 1e6 }, load(small, "given", smolLm2, 0.01)).value,
    null,
  );
});
