import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { packageRoot } from "../formats/package-root.ts";
import { lintBlueprint, type Linted } from "./lint.ts";
import { BLUEPRINTS, loadBlueprints } from "./load.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "lint-"));
});
after(() => rm(folder, { recursive: true }));

async function lint(yaml: string, file = "x.yaml"): Promise<Linted> {
  await writeFile(join(folder, file), yaml);
  return lintBlueprint(join(folder, file), file);
}

const start = "name: x\ndescription: y\nmethod: full\noptimizer: {learningRate: 1.5e-5}\n";

test("the recipes that ship have neither errors nor warnings", async () => {
  for (const { file } of await loadBlueprints()) {
    const { errors, warnings } = await lintBlueprint(join(BLUEPRINTS, file), file);
    assert.deepEqual([errors, warnings], [[], []], file);
  }
});

test("the example of docs/blueprints.md is a blueprint that the evidence speaks for", async () => {
  const text = await readFile(join(packageRoot(), "docs", "blueprints.md"), "utf8");
  const { errors, warnings } = await lint(/```yaml\n([\s\S]*?)```/.exec(text)![1]!, "mine.yaml");
  assert.deepEqual([errors, warnings], [[], []]);
});

test("all errors are found, each with its line, unknown keys with the nearest known one", async () => {
  const { errors } = await lint(
    `${start.replace("full", "ful")}replays: 0.1\nseed: -1\napplies:\n  memory: {atleast: 5}\n`,
  );
  assert.deepEqual(
    errors.map(({ line }) => line),
    [3, 5, 6, 8, 8],
  );
  const text = errors.map(({ message, hint }) => `${message} ${hint ?? ""}`).join("\n");
  assert.match(text, /unknown key "replays" the nearest known key is replay;/);
  assert.match(text, /unknown key "atleast" in applies\.memory the nearest known key is atLeast;/);
  assert.match(text, /applies\.memory\.atLeast is missing/);
});

test("a predicate that no body can meet is an error", async () => {
  const { errors } = await lint(`${start}applies:\n  parameters:\n    atLeast: 5\n    below: 5\n`);
  assert.deepEqual(errors, [{ line: 7, message: "applies.parameters: atLeast must be less than below" }]);
  const kinds = await lint(`${start}applies: {genome: {kinds: {kode: {atLeast: 1}}}}\n`);
  assert.match(kinds.errors[0]!.hint!, /^the nearest known key is code; /);
});

test("what is no YAML, or would grow without end, is an error and no crash", async () => {
  assert.match((await lint("name: [x\n")).errors[0]!.message, /^not valid YAML: /);
  assert.match((await lint("name: *nowhere\n")).errors[0]!.message, /^not valid YAML: /);
  const bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 9; i++) bomb.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(", ")}]`);
  assert.match((await lint(bomb.join("\n"))).errors[0]!.message, /^not valid YAML: .*alias/i);
});

test("values outside the evidence are warned of with line and source, and only they", async () => {
  const { errors, warnings } = await lint(
    "name: x\ndescription: y\nmethod: lora\nlora:\n  rank: 4\n  targets: [q_proj, v_proj]\noptimizer:\n  learningRate: 1e-5\n" +
      "replay: 0.001\nepochs: {max: 10}\nschedule: {decay: 0.9}\nadapt: {diet: true}\n",
  );
  assert.deepEqual(errors, []);
  assert.deepEqual(
    warnings.map(({ line }) => line),
    [5, 6, 8, 9, 10, 11, 12],
  );
  assert.match(warnings[0]!.message, /^lora\.rank is 4, the evidence is for 16 to 64: .*thinkingmachines/);
  assert.match(warnings[1]!.message, /leaves the MLP out/);
  assert.match(warnings[6]!.message, /^adapt was measured to do worse/);
  assert.deepEqual((await lint(start)).warnings, []);
});

test("the right rate of full training depends on the size that the recipe is for; Muon's is not judged", async () => {
  const small = `${start}applies: {parameters: {below: 50e6}}\n`;
  assert.match(
    (await lint(small)).warnings[0]!.message,
    /learningRate is 0\.000015, the evidence is for 0\.00035 to 0\.001/,
  );
  assert.deepEqual((await lint(small.replace("1.5e-5", "5e-4"))).warnings, []);
  assert.match((await lint(start.replace("1.5e-5", "5e-4"))).warnings[0]!.message, /0\.00001 to 0\.00002/);
  assert.deepEqual((await lint(start.replace("{learn", "{name: muon, learn").replace("1.5e-5", "0.02"))).warnings, []);
});

test("easy to hard is warned of but as a warm-up of small bodies", async () => {
  const recipe = (below: string, order: string) =>
    `${start}applies: {parameters: {below: ${below}}}\norder: {${order}}\n`;
  const about = async (yaml: string): Promise<string[]> =>
    (await lint(yaml)).warnings.filter(({ message }) => message.startsWith("order.")).map(({ message }) => message);
  assert.deepEqual(await about(recipe("300e6", "by: loss")), []);
  assert.deepEqual(await about(recipe("1e9", "repeatHard: {part: 0.1, times: 1}")), []);
  assert.match((await about(recipe("1e9", "by: loss")))[0]!, /below 300 million/);
  assert.match((await about(recipe("50e6", "by: loss, part: 1")))[0]!, /in the whole first pass/);
});

test("a name that is not its file's is warned of", async () => {
  const { warnings } = await lint(start, "y.yaml");
  assert.deepEqual(warnings, [
    { line: 1, message: "name is x, the file's is y: recipes are found by the name of their file" },
  ]);
});
