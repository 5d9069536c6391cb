/** The verbs of blueprints and `doctor` as a user types them. */

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { qwen3Small, smolLm2 } from "../blueprint/known-bodies.ts";
import { packageRoot } from "../formats/package-root.ts";
import { buildGenome } from "../genome/build.ts";
import { makeRepository } from "../genome/testing.ts";
import { configJsonFor } from "../models/config.ts";
import { chrysalis, writeTinyModel } from "./testing.ts";

describe("chrysalis blueprint and doctor", () => {
  let folder = "";
  const run = (...args: string[]) => chrysalis(args, { cwd: folder });
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(...args, "--json");
    assert.deepEqual([code, stderr], [0, ""]);
    return JSON.parse(stdout);
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "blueprint-verbs-"));
    for (const [name, config] of Object.entries({ qwen: qwen3Small, smol: smolLm2 })) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, "config.json"), JSON.stringify(configJsonFor(config)));
    }
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("match ranks for a config.json alone, and differs between the larva and real models", async () => {
    const larva = await json("blueprint", "match");
    const qwen = await json("blueprint", "match", "--model", "qwen");
    assert.deepEqual([larva.chosen, qwen.chosen], ["small-body", "medium-body"]);
    assert.deepEqual([qwen.probed, qwen.genome], [false, null]);
    assert.equal(qwen.model.parameters, 596_049_920);
    const ranking: { recipe: string; score: number; reasons: string[]; predicted: { memoryBytes: number } }[] =
      qwen.ranking;
    assert.equal(ranking.length, 8);
    for (const name of ["full-body", "large-body", "medium-body", "small-body", "dialogue"]) {
      assert.ok(ranking.some(({ recipe }) => recipe === name));
    }
    assert.ok(ranking.every(({ score, reasons }) => score > 0 && score < 1 && reasons.length > 2));
    assert.ok(ranking[0]!.predicted.memoryBytes > 2.4e9);
  });

  test("match knows a genome's text by kind", async () => {
    await makeRepository(join(folder, "notes"), [
      [
        { path: "a.md", content: "The sea is wide and the shore is far away.\n" },
        { path: "copy/a.md", content: "The sea is wide and the shore is far away.\n" },
        { path: "b.ts", content: "export const answer = 42;\n" },
      ],
    ]);
    await buildGenome({ sources: [join(folder, "notes")], out: join(folder, "genome") });
    const matched = await json("blueprint", "match", "--model", "smol", "--genome", "genome");
    assert.deepEqual(matched.genome, { bytes: 69, kinds: { prose: 43, code: 26 } });
    const ranking: { recipe: string; failed: string[] }[] = matched.ranking;
    const full = ranking.find(({ recipe }) => recipe === "full-body");
    assert.deepEqual(full!.failed, ["69 B of distinct text, not at least 10 MB"]);
  });

  test("match tells what each body would read: more of a larger time budget, nothing beside the best of a small one", async () => {
    const dull = (i: number): string => Array.from({ length: 900 }, (_, j) => `${i} ${j} ${(i * j) % 97}\n`).join("");
    await makeRepository(join(folder, "mixed"), [
      [
        ...Array.from({ length: 12 }, (_, i) => ({ path: `${i}.md`, content: `The sea.\n${dull(i)}` })),
        ...Array.from({ length: 12 }, (_, i) => ({ path: `${i}.csv`, content: `a b c\n${dull(i + 20)}` })),
      ],
    ]);
    await buildGenome({ sources: [join(folder, "mixed")], out: join(folder, "mixed-genome") });
    const of = (...args: string[]) => json("blueprint", "match", "--genome", "mixed-genome", ...args);
    const [larva, qwen, long] = [
      await of(),
      await of("--model", "qwen"),
      await of("--model", "qwen", "--minutes", "300"),
    ];
    assert.deepEqual(Object.keys(larva.diet.tokensByKind).sort(), ["data", "prose"]);
    assert.deepEqual([larva.diet.probed, qwen.diet.probed], [true, false]);
    assert.deepEqual(Object.keys(qwen.diet.tokensByKind), ["prose"], qwen.diet.limitedBy);
    assert.ok(qwen.diet.bytes <= qwen.diet.capacity && qwen.diet.capacity < 100_000);
    assert.deepEqual(long.diet.bytesByKind, larva.diet.bytesByKind);
    assert.deepEqual(qwen.diet, qwen.ranking[0].diet);
    assert.equal(qwen.ranking.find(({ applicable }: { applicable: boolean }) => !applicable).diet, null);
    assert.equal((await json("blueprint", "match")).diet, null);
  });

  test("match --probe lets the model read the genome, and ranks by the measured rate", async () => {
    await writeTinyModel(join(folder, "tiny"));
    const of = ["--model", "tiny", "--genome", "mixed-genome", "--probe"];
    const { probed, probe, ranking } = await json("blueprint", "match", ...of);
    assert.deepEqual([probed, probe.origin, probe.perRepository[0].repository], [true, "measured", "mixed"]);
    assert.ok(probe.bitsPerByte > 0.5 && probe.deflatedBits < probe.byteEntropy && probe.bytesPerToken >= 1);
    assert.ok(Math.abs(ranking[0].predicted.tokensPerSecond / probe.tokensPerSecond - 1) < 1e-9);
    const { code, stderr } = await run("blueprint", "match", "--probe");
    assert.equal(code, 2);
    assert.match(stderr, /--probe is given without --genome/);
  });

  test("match tells people the choice, the reasons and what would change it", async () => {
    const { code, stdout } = await run("blueprint", "match", "--model", "smol");
    assert.equal(code, 0);
    assert.match(stdout, /^llama body of 134,515,008 parameters; the genome is not known/);
    assert.match(stdout, /^\* medium-body {2}0\.\d\d/m);
    assert.match(stdout, /^ {4}below 50 M parameters small-body would be chosen$/m);
    assert.match(stdout, /^ {2}small-body .*does not apply\n {4}135 M parameters, not below 50 M$/m);
  });

  test("list names all, show gives one as written", async () => {
    const { stdout } = await run("blueprint", "list");
    assert.match(stdout, /^small-body +full +below 50 M parameters$/m);
    const shown = await run("blueprint", "show", "medium-body");
    assert.equal(shown.stdout, await readFile(join(packageRoot(), "blueprints/medium-body.yaml"), "utf8"));
  });

  test("lint names file and line, and fails on errors", async () => {
    const good = "name: good\ndescription: y\nmethod: full\noptimizer: {learningRate: 1e-2}\n";
    await writeFile(join(folder, "good.yaml"), good);
    await writeFile(join(folder, "bad.yaml"), `${good}replays: 1\n`);
    const { code, stdout } = await run("blueprint", "lint", "good.yaml", "bad.yaml");
    assert.equal(code, 1);
    assert.match(stdout, /^good\.yaml:4: warning: optimizer\.learningRate is 0\.01, /);
    assert.match(stdout, /^bad\.yaml:5: error: unknown key "replays" \(the nearest known key is replay; /m);
    assert.match(stdout, /^2 files: 1 error, 1 warning$/m);
  });

  test("doctor measures, predicts for three bodies, and finds nothing missing here", async () => {
    const found = await json("doctor", "--seconds", "0.1");
    assert.deepEqual(found.problems, []);
    assert.ok(found.matrixFlopsPerSecond > 1e9);
    assert.match(found.git.version, /^\d+\.\d+/);
    assert.equal(found.outlook.length, 6);
  });

  test("doctor without git names it and ends with 1", async () => {
    const { code, stdout } = await chrysalis(["doctor", "--seconds", "0.1"], { cwd: folder, env: { PATH: folder } });
    assert.equal(code, 1);
    assert.match(stdout, /^git +not found$/m);
    assert.match(stdout, /^Problem: git is not installed, or not on the PATH\.$/m);
  });
});
