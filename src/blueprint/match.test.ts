import assert from "node:assert/strict";
import { test } from "node:test";
import type { UserError } from "../errors.ts";
import { loadBlueprints, parseBlueprint, type LoadedBlueprint } from "./load.ts";
import { judge, matchBlueprint } from "./match.ts";

const shipped = await loadBlueprints();
const chosen = (parameters: number): string => matchBlueprint(shipped, { parameters }).chosen.blueprint.name;

function recipe(name: string, applies = ""): LoadedBlueprint {
  const yaml = `name: ${name}\ndescription: y\nmethod: full\noptimizer: {learningRate: 1e-3}\n${applies}`;
  return { blueprint: parseBlueprint(yaml, name), file: `${name}.yaml`, sha256: name };
}

test("a body gets the recipe for its size, exactly at the border too", () => {
  assert.equal(chosen(5_900_000), "small-body");
  assert.equal(chosen(49_999_999), "small-body");
  assert.equal(chosen(50_000_000), "medium-body");
  assert.equal(chosen(134_515_008), "medium-body");
});

test("the choice gives its reasons and ranks the others", () => {
  const match = matchBlueprint(shipped, { parameters: 134_515_008 });
  assert.equal(match.reason, "135 M parameters, at least 50 M; 135 M parameters, below 1 B");
  assert.deepEqual(
    match.ranking.map(({ recipe: { file }, applies }) => [file, applies]),
    [
      ["medium-body.yaml", true],
      ["small-body.yaml", false],
    ],
  );
  assert.deepEqual(match.ranking[1]!.reasons, ["135 M parameters, not below 50 M"]);
});

test("of several that apply the narrowest is taken", () => {
  const recipes = [
    recipe("all"),
    recipe("wide", "applies: {parameters: {below: 1e9}}"),
    recipe("narrow", "applies: {parameters: {atLeast: 1e6, below: 1e8}}"),
  ];
  assert.equal(matchBlueprint(recipes, { parameters: 5e6 }).chosen.blueprint.name, "narrow");
  assert.equal(matchBlueprint(recipes, { parameters: 5e5 }).chosen.blueprint.name, "wide");
  assert.equal(matchBlueprint(recipes, { parameters: 5e9 }).chosen.blueprint.name, "all");
  assert.deepEqual(judge(recipes[0]!, { parameters: 1 }).reasons, ["for every body"]);
});

test("a body that no recipe is for is refused with the nearest and what it lacks", () => {
  assert.throws(
    () => matchBlueprint(shipped, { parameters: 7e9 }),
    (error: UserError) => {
      assert.equal(error.code, "unsupported");
      assert.equal(error.message, "no blueprint applies to a body of 7 B parameters");
      assert.match(error.hint!, /^the nearest is medium-body \(.*7 B parameters, not below 1 B\)/);
      return true;
    },
  );
});
