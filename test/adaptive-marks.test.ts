/** Adaptive marks in whole runs, and the gradients that they are steered by. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createProbeStep } from "../src/chrysalis/marks/probe-step.ts";
import type { MarksLine } from "../src/chrysalis/marks/marks-log.ts";
import type { RunRequest } from "../src/cli/pipeline/nest.ts";
import { resumeRun, startRun } from "../src/cli/pipeline/pipeline.ts";
import { writeTinyModel } from "../src/cli/testing.ts";
import { sha256OfFile } from "../src/formats/files.ts";
import { hash32, normal, uniform } from "../src/formats/random.ts";
import { makeRepository } from "../src/genome/testing.ts";
import type { Batch } from "../src/models/batch.ts";
import { loadBody } from "../src/models/load.ts";
import { compileStep } from "../src/models/step.ts";

let folder: string;
let request: RunRequest;
const at = (name: string): string => join(folder, name);

const recipe = (adapt: string): string => `
name: tiny
description: a few steps
method: full
optimizer: { learningRate: 1e-2 }
batch: { tokens: 128, sequence: 64 }
evaluation: { times: 3 }
checkpoint: { steps: 7 }
budget: { steps: 60 }
epochs: { max: 1000 }
epigenome: { bytesPerParameter: 100 }
heldOut: { share: 0.2, minFiles: 8 }
${adapt}`;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "adaptive-"));
  const words = "the sea and shore ship of a wide land where waves come home".split(" ");
  const text = (name: string, lines: number): string =>
    Array.from({ length: lines }, (_, line) =>
      Array.from({ length: 12 }, (_, i) => words[hash32(1, `${name} ${line}`, i, 0) % words.length]!).join(" "),
    ).join("\n");
  const files = (count: number, nameOf: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => ({ path: nameOf(i), content: `${text(nameOf(i), 6)}\n` }));
  await makeRepository(at("library"), [files(40, (i) => `page-${i}.md`)]);
  await makeRepository(at("archive"), [files(15, (i) => `note-${i}.md`)]);
  await writeTinyModel(at("base"));
  await writeFile(at("adaptive.yaml"), recipe("adapt: { diet: true, stress: true }"));
  await writeFile(at("fixed.yaml"), recipe(""));
  await writeFile(at("retention.txt"), text("retention", 60));
  const sources = [at("library"), at("archive")];
  request = { sources, model: at("base"), retention: at("retention.txt"), mergeDtype: "parent" };
});
after(() => rm(folder, { recursive: true, force: true }));

const { signal } = new AbortController();
const weights = (nest: string) => sha256OfFile(join(nest, "imago", "model.safetensors"));
const lines = async (nest: string): Promise<MarksLine[]> =>
  (await readFile(join(nest, "chrysalis", "marks.jsonl"), "utf8"))
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as MarksLine);

test("a run with adaptive marks says what changed and what it cost, and stopped it ends as one that was not", async () => {
  const asked = { ...request, blueprint: at("adaptive.yaml") };
  const told: string[] = [];
  const { report } = await startRun(asked, at("whole"), {
    signal,
    onEvent: (event) => {
      if (event.type !== "training" || event.event.type !== "marks") return;
      told.push(...event.event.changes.map(({ group }) => `${event.event.step} ${group}`));
    },
  });
  const all = await lines(at("whole"));
  assert.deepEqual(
    all.map(({ step }) => step),
    [0, 20, 40],
  );
  assert.deepEqual(
    all[0]!.groups.map(({ group }) => group),
    ["archive prose", "library prose"],
  );
  const { marks } = report.training;
  assert.ok(marks !== null && marks.changes.length > 0, JSON.stringify(all));
  assert.deepEqual(
    marks.changes.map(({ step, group }) => `${step} ${group}`),
    told,
  );
  // Four sequences of retention and two of each group, at the first moment that a tenth of the training allows for it.
  assert.equal(marks.cost.sequences, 8);
  assert.ok(Math.abs(marks.cost.share - 8 / 120) < 1e-9 && marks.cost.flops > 0 && marks.cost.seconds > 0);
  assert.ok(all[2]!.groups.every(({ cosine }) => cosine !== null && cosine.mean > -1 && cosine.mean < 1));
  const card = await readFile(join(at("whole"), "imago", "README.md"), "utf8");
  assert.match(card, /## Marks that changed[^#]+library prose/);

  const controller = new AbortController();
  const stopped = startRun(asked, at("stopped"), {
    signal: controller.signal,
    onEvent: (event) => {
      if (event.type === "training" && event.event.type === "step" && event.event.step === 33) controller.abort();
    },
  });
  await assert.rejects(stopped, { code: "interrupted" });
  await resumeRun(at("stopped"), { signal, onEvent: () => {} });
  assert.equal(await weights(at("stopped")), await weights(at("whole")));
  const marksOf = (of: readonly MarksLine[]) => of.map(({ step, groups }) => [step, groups.map(({ mark }) => mark)]);
  assert.deepEqual(marksOf(await lines(at("stopped"))), marksOf(all));

  const plain = await startRun({ ...request, blueprint: at("fixed.yaml") }, at("fixed"), { signal, onEvent: () => {} });
  assert.equal(plain.report.training.marks, null);
  assert.notEqual(await weights(at("fixed")), await weights(at("whole")));
});

for (const [name, train] of [
  ["all weights", "full"],
  ["an adapter", { lora: { rank: 2, alpha: 4, targets: ["q_proj", "down_proj"], seed: 3 } }],
] as const) {
  test(`a step of one sequence has the gradients of the training's own, of ${name}, and leaves these alone`, async () => {
    const model = new URL("fixtures/parity/llama-a", import.meta.url).pathname;
    const body = await loadBody(model);
    const T = 12;
    const options = { T, train, threads: 1 } as const;
    const training = await compileStep(body, { ...options, B: 2 });
    const probe = createProbeStep(body, training, options);
    const batch = (B: number): Batch => {
      const id = (purpose: string) =>
        Int32Array.from({ length: B * T }, (_, i) =>
          Math.floor(uniform(5, purpose, 0, i % T) * body.config.vocabularySize),
        );
      const positions = Int32Array.from({ length: B * T }, (_, i) => i % T);
      // The second sequence weighs nothing.
      const weights = Float32Array.from({ length: B * T }, (_, i) => (i < T ? 1 : 0));
      return { B, T, ids: id("ids"), targets: id("targets"), weights, positions, documents: new Int32Array(B * T) };
    };
    try {
      for (const round of [0, 1]) {
        for (const { name: own, data } of training.parameters)
          for (const i of data.keys()) data[i]! += 0.1 * normal(7, own, round, i);
        for (const { gradient } of training.parameters) gradient.fill(0);
        await training.accumulate(batch(2));
        const wanted = training.parameters.map(({ gradient }) => gradient.slice());
        const step = await probe.current();
        for (const { gradient } of step.parameters) gradient.fill(0);
        await step.accumulate(batch(1));
        for (const [i, { gradient, name: own }] of step.parameters.entries()) {
          const difference = Math.hypot(...Array.from(gradient, (value, k) => value - wanted[i]![k]!));
          assert.ok(difference <= 1e-4 * Math.hypot(...Array.from(wanted[i]!)) + 1e-7, `${own}: ${difference}`);
          assert.deepEqual(training.parameters[i]!.gradient, wanted[i]);
        }
      }
      const alone = await compileStep(body, { ...options, B: 1 });
      assert.equal(await createProbeStep(body, alone, options).current(), alone);
      await alone.release();
    } finally {
      await probe.release();
      await training.release();
    }
  });
}
