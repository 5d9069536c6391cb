/** Whole runs with what recipes may add to the main job: stages, changes, dialogue, an instruct model's difference. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readPlan } from "../src/blueprint/plan.ts";
import type { RunRequest } from "../src/cli/pipeline/nest.ts";
import { resumeRun, startRun } from "../src/cli/pipeline/pipeline.ts";
import { writeTinyModel } from "../src/cli/testing.ts";
import { UserError } from "../src/errors.ts";
import { sha256OfFile } from "../src/formats/files.ts";
import { openSafetensors } from "../src/formats/safetensors.ts";
import { hash32 } from "../src/formats/random.ts";
import { makeRepository } from "../src/genome/testing.ts";
import { loadTokenizer } from "../src/tokenizer/tokenizer.ts";

let folder: string;
let request: RunRequest;
const { signal } = new AbortController();
const quiet = { onEvent: () => {}, signal };
const at = (name: string): string => join(folder, name);

const recipe = (more: string, method = "full"): string => `
name: tiny
description: a few steps
method: ${method}
optimizer: { learningRate: 1e-2 }
batch: { tokens: 128, sequence: 64 }
evaluation: { times: 2 }
checkpoint: { steps: 2 }
budget: { steps: 12 }
epochs: { max: 1000 }
${more}`;

const staged = recipe(`
stages: [{ name: documents, share: 0.5 }, { name: answers }]
epigenome:
  bytesPerParameter: 100
  rules:
    - { match: "**", stage: documents }
    - { match: "**/*.md", framing: change }
    - { match: { kind: dialogue }, framing: dialogue, stage: answers, share: 1 }
chatTemplate: "{% for m in messages %}[{{ m.role }}] {{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}"
`);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "recipes-"));
  const words = "the sea and shore ship of a wide land where waves come home".split(" ");
  const sentence = (name: string, length = 12): string =>
    Array.from({ length }, (_, i) => words[hash32(1, name, i, 0) % words.length]!).join(" ");
  const pages = (version: number) =>
    Array.from({ length: 30 }, (_, i) => {
      const lines = Array.from({ length: 6 }, (_, line) => sentence(`${i} ${line} ${line === 2 ? version : 0}`));
      return { path: `page-${i}.md`, content: `${lines.join("\n")}\n` };
    });
  const chats = ["chat", "talk", "call"].map((name) => {
    const rows = Array.from({ length: 20 }, (_, i) => `${sentence(`${name} q${i}`)}?,${sentence(`${name} a${i}`)}`);
    return { path: `${name}.csv`, content: `question,answer\n${rows.join("\n")}\n` };
  });
  await makeRepository(at("library"), [pages(1), [...pages(2), ...chats]]);
  await writeTinyModel(at("base"));
  await writeFile(at("staged.yaml"), staged);
  await writeFile(at("full.yaml"), recipe(""));
  await writeFile(at("lora.yaml"), recipe("lora: { rank: 2 }", "lora"));
  await writeFile(at("repair.yaml"), recipe("repair: true"));
  request = { sources: [at("library")], model: at("base"), blueprint: at("staged.yaml"), mergeDtype: "parent" };
});
after(() => rm(folder, { recursive: true, force: true }));

test("stages are trained one after the other, each on its diet, and an interrupted run ends as an unbroken one", async () => {
  const stages: number[][] = [];
  await startRun(request, at("whole"), {
    signal,
    onEvent: (event) => {
      if (event.type === "training" && event.event.type === "stage") stages.push([event.event.stage, event.event.step]);
    },
  });
  assert.deepEqual(stages, [[1, 6]]);
  const { diet, settings } = await readPlan(at("whole/plan.json"));
  assert.deepEqual(
    settings.stages.value.map(({ name, objective }) => [name, objective]),
    [
      ["documents", "sft"],
      ["answers", "sft"],
    ],
  );
  const [documents, answers] = diet.stages;
  assert.ok(documents!.documents > 40, `${documents!.documents} pages and changes`);
  assert.ok(documents!.trained < documents!.tokens, "what stood before a change is not trained");
  assert.ok(answers!.trained < 0.8 * answers!.tokens, "what is asked is not trained");
  assert.deepEqual(
    diet.overlap.map((of) => of.stages),
    [["documents", "answers"]],
  );
  const tokenizer = await loadTokenizer(at("whole/imago"));
  assert.match(tokenizer.renderChat([{ role: "user", content: "hi" }], { addGenerationPrompt: true }), /^\[user\] hi/);

  const stop = new AbortController();
  const interrupted = startRun(request, at("broken"), {
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === "training" && event.event.type === "step" && event.event.step === 7) stop.abort();
    },
  });
  await assert.rejects(interrupted, (error) => error instanceof UserError && error.code === "interrupted");
  await resumeRun(at("broken"), quiet);
  const weights = "imago/model.safetensors";
  assert.equal(await sha256OfFile(at(`broken/${weights}`)), await sha256OfFile(at(`whole/${weights}`)));
});

test("an instruct model's difference is added after training: with an adapter, and with all weights", async () => {
  const { nest } = await startRun({ ...request, blueprint: at("full.yaml") }, at("instruct-run"), quiet);
  const instruct = nest.path("imago");
  for (const method of ["full", "lora"]) {
    const of = { ...request, blueprint: at(`${method}.yaml`), seed: 2 };
    await startRun(of, at(`plain-${method}`), quiet);
    const { report } = await startRun({ ...of, instruct }, at(`repaired-${method}`), quiet);
    assert.equal(report.repair?.instruct, "imago");
    assert.equal(report.training.best.step, report.training.steps, "the last checkpoint is the best here");
    const read = async (path: string): Promise<ReadonlyMap<string, Float32Array>> => {
      const file = await openSafetensors(join(path, "model.safetensors"));
      const values = new Map<string, Float32Array>();
      for (const name of file.tensors.keys()) values.set(name, await file.readF32(name));
      await file.close();
      return values;
    };
    const [base, chat] = [await read(at("base")), await read(instruct)];
    const [plain, repaired] = [await read(at(`plain-${method}/imago`)), await read(at(`repaired-${method}/imago`))];
    let moved = 0;
    for (const [name, values] of repaired) {
      for (const [i, value] of values.entries()) {
        const expected = plain.get(name)![i]! + chat.get(name)![i]! - base.get(name)![i]!;
        assert.ok(Math.abs(value - expected) < 1e-6, `${name}[${i}]: ${value}, not ${expected}`);
        moved = Math.max(moved, Math.abs(value - plain.get(name)![i]!));
      }
    }
    assert.ok(moved > 1e-3, "the instruct model differs from its base");
    assert.match(
      await readFile(at(`repaired-${method}/imago/README.md`), "utf8"),
      /plus what the instruct model `imago`/,
    );
  }
});

test("a repair without an instruct model, or with another body's, is refused before the genome is built", async () => {
  await assert.rejects(
    startRun({ ...request, blueprint: at("repair.yaml") }, at("none"), quiet),
    (error) => error instanceof UserError && error.code === "invalid" && /--instruct/.test(error.hint ?? ""),
  );
  await assert.rejects(
    startRun({ ...request, instruct: join(import.meta.dirname, "..", "models", "larva") }, at("other"), quiet),
    (error) => error instanceof UserError && error.code === "mismatch" && /differ in/.test(error.message),
  );
});
