/** Whole runs in which the parent writes text before training: replay of its own, and questions about files. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { RunRequest } from "../src/cli/pipeline/nest.ts";
import { resumeRun, startRun } from "../src/cli/pipeline/pipeline.ts";
import type { PipelineEvent } from "../src/cli/pipeline/events.ts";
import { tinyLlama } from "../src/epigenome/testing.ts";
import { UserError } from "../src/errors.ts";
import { sha256OfFile } from "../src/formats/files.ts";
import { packageRoot } from "../src/formats/package-root.ts";
import { hash32 } from "../src/formats/random.ts";
import { makeRepository } from "../src/genome/testing.ts";
import { initialiseBody } from "../src/models/initialise.ts";
import { writeModelFolder } from "../src/models/save.ts";
import { loadTokenizer } from "../src/tokenizer/tokenizer.ts";

let folder: string;
let request: RunRequest;
const { signal } = new AbortController();
const quiet = { onEvent: () => {}, signal };
const at = (...names: string[]): string => join(folder, ...names);

const recipe = `
name: tiny
description: a few steps
method: full
optimizer: { learningRate: 1e-2 }
batch: { tokens: 128, sequence: 64 }
replay: 0.4
synthetic: { time: 10, pairsPerFile: 1, pairsShare: 1 }
evaluation: { times: 1 }
budget: { steps: 8 }
epochs: { max: 1000 }
epigenome:
  bytesPerParameter: 100
  rules:
    - { match: "**/*.md", framing: question-answer }
`;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "synthesis-"));
  const words = "the sea and shore ship of a wide land where waves come home".split(" ");
  const sentence = (name: string): string =>
    Array.from({ length: 12 }, (_, i) => words[hash32(1, name, i, 0) % words.length]!).join(" ");
  const pages = Array.from({ length: 20 }, (_, i) => {
    const content = `${Array.from({ length: 4 }, (_, line) => sentence(`${i} ${line}`)).join("\n")}\n`;
    return { path: `page-${i}.md`, content };
  });
  await makeRepository(at("library"), [pages]);
  const tokenizer = await loadTokenizer(join(packageRoot(), "models", "larva"));
  const body = initialiseBody({ ...tinyLlama, maxPositions: 1024 }, 3, { bos_token_id: 0, eos_token_id: 0 });
  const { configJson, weights } = body;
  const parent = { configJson, weights: weights.values(), dtype: "F32" as const, tokenizerFiles: tokenizer.files };
  await writeModelFolder(at("parent"), parent);
  await writeFile(at("tiny.yaml"), recipe);
  await writeFile(at("retention.txt"), `${sentence("retention")}\n`);
  request = {
    sources: [at("library")],
    model: at("parent"),
    blueprint: at("tiny.yaml"),
    retention: at("retention.txt"),
    unready: true,
    mergeDtype: "parent",
  };
});
after(() => rm(folder, { recursive: true, force: true }));

const weights = (nest: string): Promise<string> => sha256OfFile(at(nest, "imago", "model.safetensors"));

async function linesOf(...names: string[]): Promise<Record<string, unknown>[]> {
  const lines = (await readFile(at(...names), "utf8")).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Starts a run and stops it when it says that it is at this work. */
async function stopped(nest: string, work: string): Promise<void> {
  const stop = new AbortController();
  const onEvent = (event: PipelineEvent): void => {
    if (event.type === "work" && event.work === work) stop.abort(new Error("stopped"));
  };
  const run = startRun(request, at(nest), { onEvent, signal: stop.signal });
  await assert.rejects(run, (error) => error instanceof UserError && error.code === "interrupted");
}

test("the parent writes its replay before training; stopped in it or behind it, a run ends as an unbroken one", async () => {
  const { report } = await startRun(request, at("whole"), quiet);
  const texts = await linesOf("whole", "replay.jsonl");
  assert.ok(texts.length > 2 && texts.every(({ synthetic, text }) => synthetic === true && text !== ""));
  assert.match(report.warnings.join(), /no replay text was given: the parent's own stands for it, \d+ tokens/);
  assert.match(report.warnings.join(), /the parent asked itself about \d+ passages; 0 pairs .* \(left out: form \d+\)/);
  assert.ok(!existsSync(at("whole", "replay.log")) && !existsSync(at("whole", "synthetic.log")));
  const { files } = JSON.parse(await readFile(at("whole", "manifest.json"), "utf8"));
  assert.equal(files["replay.jsonl"], await sha256OfFile(at("whole", "replay.jsonl")));
  const { replay, pairs } = JSON.parse(await readFile(at("whole", "chrysalis", "manifest.json"), "utf8"));
  assert.deepEqual([replay, pairs], [files["replay.jsonl"], undefined]);

  for (const work of ["replay", "questions"]) {
    await stopped(work, work);
    assert.ok(existsSync(at(work, "replay.log")), `stopped at ${work}`);
    await resumeRun(at(work), quiet);
    assert.equal(await sha256OfFile(at(work, "replay.jsonl")), files["replay.jsonl"]);
    assert.equal(await weights(work), await weights("whole"));
  }
});

test("questions that stood up are written down with their file, trained on, and part of the records", async () => {
  await stopped("asked", "questions");
  const pair = { question: "Where do the waves come home?", answer: "They come to a wide shore." };
  const item = { pair, fault: null, losses: [1, 2] };
  await appendFile(at("asked", "synthetic.log"), `${JSON.stringify({ piece: 0, seconds: 1, item })}\n`);
  await cp(at("asked"), at("changed"), { recursive: true });
  const { report } = await resumeRun(at("asked"), quiet);
  const [line, ...others] = await linesOf("asked", "synthetic.jsonl");
  assert.equal(others.length, 0);
  const { repository, path, blob, ...rest } = line!;
  assert.deepEqual(rest, { ...pair, loss: 1, lossAlone: 2, synthetic: true });
  assert.deepEqual([repository, typeof blob], ["library", "string"]);
  const isHeldOut = report.heldOut.some((file) => file.path === path);
  assert.ok(/^page-\d+\.md$/.test(String(path)) && !isHeldOut, "no question is about a held-out file");
  const { pairs } = JSON.parse(await readFile(at("asked", "chrysalis", "manifest.json"), "utf8"));
  assert.equal(pairs, await sha256OfFile(at("asked", "synthetic.jsonl")));
  assert.notEqual(await weights("asked"), await weights("whole"), "the pair was trained");
});

test("what the parent wrote may not be changed before it is trained; without replay it writes none", async () => {
  const stop = new AbortController();
  const onEvent = (event: PipelineEvent): void => {
    if (event.type === "training") stop.abort(new Error("stopped"));
  };
  await assert.rejects(resumeRun(at("changed"), { onEvent, signal: stop.signal }));
  await appendFile(at("changed", "replay.jsonl"), '{"text":"another"}\n');
  const mismatch = (error: unknown): boolean => error instanceof UserError && error.code === "mismatch";
  await assert.rejects(resumeRun(at("changed"), quiet), mismatch);
  await startRun({ ...request, replay: "none" }, at("none"), quiet);
  assert.ok(!existsSync(at("none", "replay.jsonl")));
  const { replay } = JSON.parse(await readFile(at("none", "chrysalis", "manifest.json"), "utf8"));
  assert.equal(replay, null);
});
