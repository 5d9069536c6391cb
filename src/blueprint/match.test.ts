import assert from "node:assert/strict";
import { test } from "node:test";
import type { UserError } from "../errors.ts";
import type { ModelConfig } from "../models/config.ts";
import { qwen3Small, smolLm2 } from "./known-bodies.ts";
import { type LoadedBlueprint, loadBlueprints } from "./load.ts";
import { type Match, type MatchOptions, matchRecipes } from "./match.ts";
import { smallLlama, testRecipe } from "./testing.ts";

const shipped = await loadBlueprints();
const machine = { cores: 2, memoryBytes: 16e9, diskBytes: 100e9 };
/** 29 layers of this have 1.02 billion parameters. */
const large: ModelConfig = { ...qwen3Small, hiddenSize: 1536, intermediateSize: 4096 };

function match(config: ModelConfig, options: Partial<MatchOptions> = {}, recipes = shipped): Match {
  const rest = { genome: undefined, machine, given: {}, replay: "given" as const, copiesParent: false };
  return matchRecipes(recipes, { ...rest, ...options, config });
}

const chosenName = (of: Match): string => of.chosen.recipe.blueprint.name;
const names = (of: Match): string[] => of.ranking.map(({ recipe }) => recipe.blueprint.name);

test("each size of body gets its recipe, on a small machine and a large one", () => {
  for (const place of [machine, { cores: 64, memoryBytes: 500e9, diskBytes: 1e12 }]) {
    assert.equal(chosenName(match(smallLlama, { machine: place })), "small-body");
    assert.equal(chosenName(match(smolLm2, { machine: place })), "medium-body");
    assert.equal(chosenName(match(qwen3Small, { machine: place })), "medium-body");
    assert.equal(chosenName(match(large, { machine: place })), "large-body");
  }
});

test("a body that fits nowhere still gets its recipe, and it is said", () => {
  const { chosen } = match(qwen3Small, { machine: { ...machine, memoryBytes: 1e9 } });
  assert.deepEqual([chosen.recipe.blueprint.name, chosen.fits], ["medium-body", false]);
  assert.ok(chosen.reasons.includes("does not fit into the memory"), chosen.reasons.join("; "));
});

test("the ranking holds every recipe, those that apply first, the others with what they lack", () => {
  const of = match(smolLm2);
  assert.deepEqual(names(of).slice(0, 2), ["medium-body", "full-body"]);
  assert.equal(of.ranking.length, shipped.length);
  const failed = new Map(of.ranking.map((one) => [one.recipe.blueprint.name, [one.applicable, ...one.failed]]));
  assert.deepEqual(failed.get("medium-body"), [true]);
  assert.deepEqual(failed.get("full-body"), [true]);
  assert.deepEqual(failed.get("large-body"), [false, "135 M parameters, not at least 1 B"]);
  assert.deepEqual(failed.get("small-body"), [false, "135 M parameters, not below 50 M"]);
  assert.deepEqual(failed.get("dialogue"), [false, "chosen by name only"]);
  for (const { score, predicted } of of.ranking) {
    const { total, method, tokens, memory, purpose } = score;
    const parts = [method, tokens, memory, purpose];
    assert.ok(Math.abs(parts.reduce((sum, { weight }) => sum + weight, 0) - 1) < 1e-12);
    assert.ok(Math.abs(parts.reduce((sum, { weight, value }) => sum + weight * value, 0) - total) < 1e-12);
    assert.ok(parts.every(({ value }) => value >= 0 && value <= 1));
    assert.ok(predicted.tokensPerSecond > 10 && predicted.memoryBytes > 1e9 && predicted.minutes > 0);
  }
  assert.deepEqual(match(smolLm2), of, "twice the same");
});

test("the choice says what would change it: sizes, and time that was really looked at", () => {
  const slow = match(smolLm2).chosen.reasons;
  assert.ok(slow.includes("below 50 M parameters small-body would be chosen"), slow.join("; "));
  assert.ok(slow.includes("from 1 B parameters on large-body would be chosen"), slow.join("; "));
  assert.ok(!slow.some((reason) => reason.includes("full-body")));

  const fast = { machine: { cores: 64, memoryBytes: 100e9, diskBytes: 1e12 } };
  const said = match(smolLm2, fast).chosen.reasons.find((reason) => reason.includes("full-body"));
  const hours = Number(/^with (\d+) hours of training full-body would be chosen$/.exec(said ?? "")?.[1]);
  assert.equal(chosenName(match(smolLm2, { ...fast, given: { minutes: 61 * hours } })), "full-body");
  assert.equal(chosenName(match(smolLm2, { ...fast, given: { minutes: 29 * hours } })), "medium-body");
});

test("time is of no use without text: a small genome keeps the adapter", () => {
  const genome = { bytes: 1e6, kinds: { prose: 1e6 } };
  const of = match(smolLm2, { genome, machine: { ...machine, cores: 64 }, given: { minutes: 1e5 } });
  assert.equal(chosenName(of), "medium-body");
  const tokens = of.chosen.predicted.tokens * 0.9;
  assert.ok(Math.abs(tokens / (4 * (1e6 / 3.3)) - 1) < 0.01, `four passes and a tenth of replay: ${tokens}`);
  assert.ok(of.ranking[1]!.failed.length > 0);
});

test("a measured rate takes the place of the nominal one", () => {
  const nominal = match(smolLm2).chosen.predicted;
  const probed = match(smolLm2, { probe: { flopsPerSecond: 180e9 } }).chosen.predicted;
  assert.ok(Math.abs(probed.tokensPerSecond / nominal.tokensPerSecond - 2) < 1e-9);
});

test("of equal recipes the first by name is taken, of an adapter and all weights what suits the size", () => {
  assert.deepEqual(names(match(smallLlama, {}, [testRecipe("b"), testRecipe("a")])), ["a", "b"]);
  const both = [testRecipe("all", "", "full"), testRecipe("adapter", "", "lora")];
  assert.equal(chosenName(match(smallLlama, {}, both)), "all");
  assert.equal(chosenName(match(smolLm2, {}, both)), "adapter");
});

test("a recipe for a kind of text goes before a general one where there is much of it", () => {
  const code = testRecipe("code", "applies: {genome: {kinds: {code: {atLeast: 0.3}}}}");
  const recipes = [testRecipe("any"), code];
  const chosen = (kinds: { code: number; prose: number }): string =>
    chosenName(match(smallLlama, { genome: { bytes: kinds.code + kinds.prose, kinds } }, recipes));
  assert.equal(chosen({ code: 9e5, prose: 1e5 }), "code");
  assert.equal(chosen({ code: 4e5, prose: 6e5 }), "any");
});

test("a body that no recipe is for is refused with the nearest and what it lacks", () => {
  const refused = (config: ModelConfig, recipes: readonly LoadedBlueprint[], memoryBytes = 16e9): UserError => {
    try {
      match(config, { machine: { ...machine, memoryBytes } }, recipes as LoadedBlueprint[]);
    } catch (error) {
      return error as UserError;
    }
    assert.fail("it was matched");
  };
  const sizes = shipped.filter(({ blueprint }) => blueprint.name !== "large-body");
  const size = refused(large, sizes);
  assert.equal(size.code, "unsupported");
  assert.match(
    size.message,
    /^no blueprint applies to a qwen3 body of 1\.\d+ B parameters; medium-body fails on: 1\.\d+ B parameters, not below 1 B$/,
  );
  assert.match(size.hint!, /^medium-body is the nearest: name it with --blueprint/);
  const others = [
    testRecipe("other", "applies: {architecture: [llama]}"),
    testRecipe("near", "applies: {memory: {atLeast: 32e9}}"),
  ];
  assert.match(
    refused(qwen3Small, others).message,
    /near fails on: 16 GB of memory free, not at least 32 GB of memory free$/,
  );
  assert.match(refused(smolLm2, []).message, /^there is no blueprint for a llama body of 135 M parameters$/);
});
