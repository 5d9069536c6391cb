import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import { parseBlueprint } from "./load.ts";
import { resolveStages } from "./resolve-stages.ts";

const head = "name: x\ndescription: x\nmethod: full\noptimizer: {learningRate: 1e-4}\n";
const stagesOf = (yaml: string, asking: readonly string[] = []) =>
  resolveStages(parseBlueprint(head + yaml, "x.yaml"), (stage) => asking.includes(stage)).value;

test("a recipe without stages has one, whose objective follows from what it reads", () => {
  assert.deepEqual(stagesOf(""), [{ name: "all", objective: "clm", share: 1 }]);
  assert.deepEqual(stagesOf("", ["all"]), [{ name: "all", objective: "sft", share: 1 }]);
});

test("open shares are what the given ones leave, open objectives follow from what the stage reads", () => {
  assert.deepEqual(stagesOf("stages: [{name: a, share: 0.5}, {name: b}, {name: c, objective: clm}]\n", ["b", "c"]), [
    { name: "a", objective: "clm", share: 0.5 },
    { name: "b", objective: "sft", share: 0.25 },
    { name: "c", objective: "clm", share: 0.25 },
  ]);
});

test("stages that contradict themselves, and rules for stages that there are not, name the line", () => {
  for (const [yaml, message] of [
    ["stages: [{name: a}, {name: a}]\n", /x\.yaml:5: stages: names a stage twice/],
    ["stages: [{name: a, share: 0.5}, {name: b, share: 0.6}]\n", /x\.yaml:5: stages: the shares must add up to 1/],
    ["stages: [{name: a, share: 1}, {name: b}]\n", /leave something/],
    [
      'epigenome:\n  rules:\n    - {match: "**", stage: b}\n',
      /x\.yaml:7: .*there is no stage "b"; the recipe has no stages/,
    ],
    ['stages: [{name: a}]\nepigenome: {rules: [{match: "**", stage: b}]}\n', /there is no stage "b"; stages are a/],
    ["stages: [{name: a, objective: dpo}]\n", /objective/],
  ] as const) {
    assert.throws(
      () => stagesOf(yaml),
      (error) => error instanceof UserError && error.code === "invalid" && message.test(error.message),
      yaml,
    );
  }
});
