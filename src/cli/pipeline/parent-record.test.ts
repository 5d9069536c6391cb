import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Settings } from "../../blueprint/plan.ts";
import { resolvePlan } from "../../blueprint/resolve.ts";
import { settingsOf } from "../../blueprint/plan.ts";
import { testRecipe } from "../../blueprint/testing.ts";
import { hatchConfig } from "../../chrysalis/hatch.ts";
import { encodeCorpus } from "../../epigenome/pack.ts";
import { dosing } from "../../epigenome/rules.ts";
import { gene } from "../../epigenome/testing.ts";
import { scoreDocuments } from "../../eval/bits-per-byte.ts";
import { initialiseBody } from "../../models/initialise.ts";
import { compileStep } from "../../models/step.ts";
import { makeTokenizer } from "../../tokenizer/tokenizer.ts";
import { tokenizerFiles } from "../../tokenizer/tokenizer-files.ts";
import { parentRecord, type ParentRecordOptions } from "./parent-record.ts";

const json = readFileSync(new URL("../../../test/fixtures/tokenizer-small.json", import.meta.url), "utf8");
const tokenizer = makeTokenizer(tokenizerFiles(json, { bos: "<|endoftext|>", eos: "<|endoftext|>" }), { where: "x" });
const shape = { vocabulary: 520, hidden: 16, intermediate: 32, layers: 1, heads: 2, keyValueHeads: 1, context: 64 };
const body = initialiseBody(hatchConfig(shape), 3, { bos_token_id: 0, eos_token_id: 0 });
const texts = ["the first document is a short one", "12, 13, 14 and é", "a third a third a third a third a third"];

function planOf(order: string, seed = 1): ParentRecordOptions["plan"] {
  return resolvePlan({
    recipe: testRecipe("x", `${order}\nbatch: {sequence: 16, tokens: 32}\nseed: ${seed}`),
    recipeReason: "given",
    config: body.config,
    given: {},
    machine: { cores: 1, memoryBytes: 8e9, diskBytes: 5e10 },
    out: "nest",
    diet: { stages: [{ name: "all", documents: 3, tokens: 50, trained: 50 }], overlap: [] },
    asks: () => false,
    hasChatTemplate: true,
    replay: "none",
    questioned: 0,
    genomeBytes: 100,
    copiesParent: false,
    inputs: {
      model: { sha256: "m", modelType: "llama", parameters: 1 },
      instruct: null,
      genome: {
        sha256: "g",
        repositories: [],
        files: 3,
        trainedFiles: 3,
        trainedBytes: 1,
        heldOutFiles: 0,
        heldOutBytes: 0,
      },
      retention: null,
      replay: null,
    },
  });
}

async function options(
  dir: string,
  plan: ParentRecordOptions["plan"],
): Promise<ParentRecordOptions & { read: number }> {
  const settings: Settings = settingsOf(plan);
  const corpus = await encodeCorpus(
    texts.map((text) => ({ text })),
    tokenizer,
  );
  const genes = texts.map((_, i) => ({
    gene: gene({ path: `file-${i}` }),
    dose: dosing([])(gene({ path: "x" })),
    copies: 1,
  }));
  const self = {
    path: (name: string) => join(dir, name),
    plan,
    settings,
    stages: [{ ...settings.stages[0]!, corpus, genes, bytes: 1 }],
    tokenizer,
    read: 0,
    body: () => {
      self.read++;
      return Promise.resolve(body);
    },
    onMeasuring: () => {},
    signal: new AbortController().signal,
  };
  return self;
}

test("what the parent loses on each file is measured once, written down, and read again", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "record-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "difficulty.jsonl");
  const plan = planOf("order: {by: loss, repeatHard: {part: 0.3, times: 1}}");
  assert.ok(plan.predicted.parentSeconds > 0);
  const first = await options(folder, plan);
  const { difficulty, losses, files } = await parentRecord(first);
  const step = await compileStep(body, { B: 1, T: 64, train: "none" });
  t.after(() => step.release());
  const { perDocument } = await scoreDocuments(
    step,
    tokenizer,
    texts.map((text, i) => ({ id: `${i}`, text })),
  );
  difficulty[0]!.loss!.forEach((bits, i) => assert.ok(Math.abs(bits! / perDocument[i]!.bitsPerByte - 1) < 0.05));
  assert.equal(first.read, 1);
  const again = await options(folder, plan);
  assert.deepEqual(await parentRecord(again), { difficulty, losses, files });
  assert.equal(again.read, 0);
  const lines = (await readFile(path, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as object);
  assert.deepEqual(lines[2], { stage: "all", document: 1, file: "repo/file-1", loss: difficulty[0]!.loss![1] });
  const other = await options(folder, planOf("order: {by: loss, repeatHard: {part: 0.3, times: 1}}", 2));
  await assert.rejects(parentRecord(other), { code: "damaged" });
  await writeFile(path, (await readFile(path, "utf8")).split("\n").slice(0, -2).join("\n"));
  await assert.rejects(parentRecord(await options(folder, plan)), { code: "damaged" });
});

test("compressibility needs no parent, and a shuffle nothing at all", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "record-"));
  t.after(() => rm(folder, { recursive: true }));
  const byText = await options(folder, planOf("order: {by: compressibility}"));
  const [{ compressibility: of } = {}] = (await parentRecord(byText)).difficulty;
  assert.equal(byText.read, 0);
  assert.ok(of![2]! < of![0]!, "what repeats itself compresses better");
  assert.equal(byText.plan.predicted.parentSeconds, 0);
  const shuffled = await options(join(folder, "none"), planOf("order: {by: shuffle}"));
  assert.deepEqual(await parentRecord(shuffled), { difficulty: [{}], losses: undefined, files: {} });
});

test("losses that tokens are selected by are kept token by token, and order reads the same ones", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "record-"));
  t.after(() => rm(folder, { recursive: true }));
  const plan = planOf("select: {excess: 0.5}\norder: {by: loss}");
  const first = await options(folder, plan);
  const { losses, difficulty, files } = await parentRecord(first);
  assert.equal(first.read, 1);
  const [{ corpus }] = first.stages as [(typeof first.stages)[number]];
  assert.equal(losses![0]!.length, corpus.ids.length);
  const nats = losses![0]!.subarray(1, corpus.offsets[1]).reduce((sum, value) => sum + value, 0);
  assert.ok(Math.abs(difficulty[0]!.loss![0]! - nats / Math.LN2 / texts[0]!.length) < 1e-5);
  assert.deepEqual(Object.keys(files), ["difficulty.jsonl", "parent-losses.safetensors"]);
  const again = await options(folder, plan);
  assert.deepEqual(await parentRecord(again), { losses, difficulty, files });
  assert.equal(again.read, 0);
  const other = await options(folder, planOf("select: {excess: 0.6}"));
  await assert.rejects(parentRecord(other), { code: "damaged" });
});
