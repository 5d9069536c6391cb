import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { UserError } from "../errors.ts";
import { loadBlueprint, loadBlueprints, parseBlueprint } from "./load.ts";
import { nearest } from "./nearest.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "blueprints-"));
});
after(() => rm(folder, { recursive: true }));

const minimal = "name: x\ndescription: y\nmethod: full\noptimizer: {learningRate: 1e-3}\n";

const refusal = (yaml: string): { message: string; hint: string | undefined } => {
  try {
    parseBlueprint(yaml, "x.yaml");
  } catch (error) {
    assert.ok(error instanceof UserError && error.code === "invalid");
    return { message: error.message, hint: error.hint };
  }
  assert.fail("it was accepted");
};

test("the recipes that ship are valid and called as their files", async () => {
  const recipes = await loadBlueprints();
  assert.deepEqual(
    recipes.map(({ file }) => file),
    ["change-aware", "dialogue", "fill-in-the-middle", "full-body"]
      .concat(["instruct-repair", "large-body", "medium-body", "small-body"])
      .map((name) => `${name}.yaml`),
  );
  for (const { blueprint, file } of recipes) assert.equal(`${blueprint.name}.yaml`, file);
});

const rules = `${minimal}epigenome:\n  rules:\n`;

test("an unknown key is named with its line and the nearest known one, at any depth", () => {
  const top = refusal(`${minimal}replays: 0.1\n`);
  assert.equal(top.message, 'x.yaml:5: unknown key "replays"');
  assert.match(top.hint!, /^the nearest known key is replay; known are name, description, /);
  const nested = refusal(minimal.replace("{learningRate: 1e-3}", "\n  learningRate: 1e-3\n  weight_decay: 0"));
  assert.equal(nested.message, 'x.yaml:6: unknown key "weight_decay" in optimizer');
  assert.match(nested.hint!, /nearest known key is weightDecay; known are name, learningRate/);
  const listed = refusal(`${rules}    - match: a\n      share: 1\n    - math: b\n      share: 1\n`);
  assert.equal(listed.message, 'x.yaml:9: unknown key "math" in epigenome.rules.1');
  assert.match(listed.hint!, /nearest known key is match; known are name, match, mark, share, /);
  const matched = refusal(`${rules}    - match: {kinds: log}\n      mark: 0\n`);
  assert.equal(matched.message, 'x.yaml:7: unknown key "kinds" in epigenome.rules.0.match');
  assert.match(matched.hint!, /nearest known key is kind; known are repository, path, kind/);
  const deep = refusal(`${minimal}applies:\n  parameters:\n    bellow: 5\n`);
  assert.match(deep.hint!, /nearest known key is below; known are atLeast, below$/);
});

test("a wrong value is named with its line and what is expected", () => {
  assert.match(refusal(minimal.replace("full", "ful")).message, /^x\.yaml:3: method: .*"full"/);
  assert.match(refusal(minimal.replace("1e-3", "fast")).message, /^x\.yaml:4: optimizer\.learningRate: .*number/);
  assert.equal(
    refusal(minimal.replace("1e-3", "")).message,
    "x.yaml:4: optimizer.learningRate: Invalid input: expected number, received null",
  );
  assert.equal(refusal(`${rules}    - share: 1\n`).message, "x.yaml:7: epigenome.rules.0.match is missing");
  assert.match(refusal(`${rules}    - {match: a, share: 1.5}\n`).message, /^x\.yaml:7: epigenome\.rules\.0\.share: /);
  assert.match(
    refusal(`${rules}    - match: {kind: [logs]}\n      mark: 0\n`).message,
    /^x\.yaml:7: epigenome\.rules\.0\.match\.kind.*"log"/,
  );
  assert.match(refusal(`${minimal}budget: {minutes: 1, steps: 2}\n`).message, /budget: needs either minutes or steps/);
  assert.match(refusal(`${minimal}lora: {rank: 8}\n`).message, /^x\.yaml:5: lora: needs method: lora/);
  assert.match(refusal("- a\n- b\n").message, /^x\.yaml:1: the blueprint: .*object/);
  assert.match(refusal("").message, /^x\.yaml:1: the blueprint: .*object/);
  assert.match(refusal("name: [x\n").message, /^x\.yaml:\d: not valid YAML: /);
  assert.match(refusal(`${minimal}name: z\n`).message, /^x\.yaml:5: not valid YAML: .*unique/i);
});

test("a file is read by path, a recipe by name; comments do not change its hash", async () => {
  await writeFile(join(folder, "x.yaml"), minimal);
  await writeFile(join(folder, "y.yaml"), `# why\n${minimal.split("\n").toReversed().join("\n")}`);
  const [x, y] = [await loadBlueprint("x", folder), await loadBlueprint(join(folder, "y.yaml"), folder)];
  assert.equal(x.sha256, y.sha256);
  assert.deepEqual(x.blueprint, y.blueprint);
  await assert.rejects(loadBlueprint("small-bodi"), (error: UserError) => {
    assert.equal(error.code, "not-found");
    assert.match(error.hint!, /the nearest is small-body/);
    return true;
  });
  await assert.rejects(loadBlueprint(join(folder, "none.yaml")), { code: "not-found" });
});

test("nearest goes by edit distance, whatever the case", () => {
  assert.equal(nearest("batchsize", ["checkpoint", "batch", "seed"]), "batch");
  assert.equal(nearest("SEED", ["select", "seed"]), "seed");
  assert.equal(nearest("x", []), undefined);
});
