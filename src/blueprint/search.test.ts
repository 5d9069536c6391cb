import assert from "node:assert/strict";
import { test } from "node:test";
import { candidatesOf, roundsOf, successiveHalving, type TrialResult } from "./search.ts";
import { testRecipe } from "./testing.ts";

const recipes = ["a", "b", "c"].map((name) => testRecipe(name));
const parent = { heldOut: 2, retention: 1.5 };

function trial(heldOut: number, retention: number | null = 1.5): TrialResult {
  return { steps: 9, parent, trained: { heldOut, retention } };
}

test("recipes are tried in the order given, then the first one at other learning rates", () => {
  const named = (count: number): string[] =>
    candidatesOf(recipes.slice(0, 2), count).map(({ recipe, multiple }) => `${recipe.blueprint.name} ${multiple}`);
  assert.deepEqual(named(5), ["a 1", "b 1", "a 2", "a 0.5", "a 4"]);
  assert.deepEqual(candidatesOf(recipes, 2).length, 2);
});

test("the better half goes on with twice the operations, all of a round with as many, all together with those allowed", async () => {
  assert.deepEqual([roundsOf(2), roundsOf(5), roundsOf(8)], [[2], [5, 3, 2], [8, 4, 2]]);
  const spent: number[] = [];
  const scores = [1.9, 1.7, 1.8, 1.6];
  const candidates = candidatesOf(recipes, 4);
  const { chosen, record } = await successiveHalving(candidates, {
    flops: 800,
    runTrial: async (candidate, flops) => {
      spent.push(flops);
      return trial(scores[candidates.indexOf(candidate)]!);
    },
  });
  assert.deepEqual(spent, [100, 100, 100, 100, 200, 200]);
  assert.equal(chosen, candidates[3]);
  assert.deepEqual(
    record.rounds.map(({ trials }) => trials.map(({ recipe, multiple }) => `${recipe} ${multiple}`)),
    [
      ["a 2", "b 1", "c 1", "a 1"],
      ["a 2", "b 1"],
    ],
  );
  assert.deepEqual(record.parent, parent);
});

test("what is forgotten counts, and without general text nothing does", async () => {
  const run = async (retention: (name: string) => number | null): Promise<string> => {
    const { chosen } = await successiveHalving(candidatesOf(recipes, 2), {
      flops: 1,
      runTrial: async ({ recipe: { blueprint } }) =>
        trial(blueprint.name === "a" ? 1.6 : 1.7, retention(blueprint.name)),
    });
    return chosen.recipe.blueprint.name;
  };
  assert.equal(await run(() => 1.5), "a");
  assert.equal(await run((name) => (name === "a" ? 1.65 : 1.5)), "b");
  assert.equal(await run(() => null), "a");
});

test("a trial that diverges is the worst; where all do, there is nothing to choose", async () => {
  const diverged: TrialResult = { steps: 9, parent, trained: null };
  const { chosen, record } = await successiveHalving(candidatesOf(recipes, 2), {
    flops: 1,
    runTrial: async ({ recipe }) => (recipe === recipes[0] ? diverged : trial(3)),
  });
  assert.equal(chosen.recipe, recipes[1]);
  assert.deepEqual(record.rounds[0]!.trials[1]!.score, null);
  const all = successiveHalving(candidatesOf(recipes, 3), { flops: 1, runTrial: async () => diverged });
  await assert.rejects(all, { code: "diverged" });
});
