/** The main job from repositories to an imago, on a tiny model: what it leaves, that its figures are true, and resume. */

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { hatchConfig } from "../src/chrysalis/hatch.ts";
import { openModel } from "../src/cli/model.ts";
import type { RunRequest } from "../src/cli/pipeline/nest.ts";
import type { Plan } from "../src/blueprint/plan.ts";
import { resumeRun, startRun } from "../src/cli/pipeline/pipeline.ts";
import type { PipelineEvent } from "../src/cli/pipeline/events.ts";
import { UserError } from "../src/errors.ts";
import { scoreDocuments } from "../src/eval/bits-per-byte.ts";
import { readFilesToMeasure } from "../src/eval/documents.ts";
import { sha256OfFile } from "../src/formats/files.ts";
import { packageRoot } from "../src/formats/package-root.ts";
import { hash32 } from "../src/formats/random.ts";
import { openSafetensors } from "../src/formats/safetensors.ts";
import { makeRepository } from "../src/genome/testing.ts";
import type { Report } from "../src/imago/report.ts";
import { initialiseBody } from "../src/models/initialise.ts";
import { writeModelFolder } from "../src/models/save.ts";
import { compileStep } from "../src/models/step.ts";
import { tokenizerFiles } from "../src/tokenizer/tokenizer-files.ts";
import { trainBpe } from "../src/tokenizer/train-bpe.ts";
import { buildGguf, f32, f32Tensor, string, u32 } from "./support/build-gguf.ts";

const SEPARATOR = "<|endoftext|>";
const WORDS = "the model reads every file of a tree and keeps what it has seen for later use in some other place".split(
  " ",
);

/** Sentences that differ from file to file. */
function prose(name: string, sentences: number): string {
  return Array.from({ length: sentences }, (_, line) => {
    const words = Array.from({ length: 9 }, (_, i) => WORDS[hash32(1, name, line, i) % WORDS.length]!);
    return `${words.join(" ")} ${(hash32(2, name, line, 0) % 46656).toString(36).replaceAll(/\d/g, "q")}.`;
  }).join("\n");
}

let folder: string;
let request: RunRequest;
let full: { report: Report; events: readonly PipelineEvent[] };
const nest = (name: string): string => join(folder, "nests", name);

const recipe = (method: string, more = ""): string => `
name: tiny-${method}
description: a few steps
method: ${method}
optimizer: { learningRate: 3e-3 }
batch: { tokens: 256, sequence: 64 }
replay: 0.2
evaluation: { times: 2 }
checkpoint: { steps: 2 }
budget: { steps: 16 }
epochs: { max: 1000 }
seed: 5
${more}`;

/** One layer learns nothing, the MLPs add more: the exported adapter must be the merged model all the same. */
const LORA_MARKS = `modules:
  - { match: "**.mlp.**", scale: 1.5 }
  - { match: "model.layers.0.**", learningRate: 0 }`;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "pipeline-"));
  const files = Array.from({ length: 40 }, (_, i) => {
    const path = i % 2 === 0 ? `docs/page-${i}.md` : `src/part-${i}.js`;
    return { path, content: i % 2 === 0 ? prose(path, 12) : `// ${prose(path, 10).replaceAll("\n", "\n// ")}\n` };
  });
  await makeRepository(join(folder, "library"), [files]);
  const texts = files.map(({ content }) => content);
  const json = await trainBpe(texts, { vocabularySize: 400, specialTokens: [SEPARATOR] });
  const shape = { vocabulary: 400, hidden: 32, intermediate: 64, layers: 2, heads: 2, keyValueHeads: 1, context: 128 };
  const body = initialiseBody(hatchConfig(shape), 3, { bos_token_id: 0, eos_token_id: 0 });
  await writeModelFolder(join(folder, "parent"), {
    configJson: body.configJson,
    weights: body.weights.values(),
    dtype: "BF16",
    tokenizerFiles: tokenizerFiles(json, { bos: SEPARATOR, eos: SEPARATOR }),
  });
  const lines = (of: string): string =>
    Array.from({ length: 8 }, (_, i) => `${JSON.stringify({ text: prose(`${of} ${i}`, 6) })}\n`).join("");
  await writeFile(join(folder, "retention.jsonl"), lines("retention"));
  await writeFile(join(folder, "replay.jsonl"), lines("replay"));
  await writeFile(join(folder, "full.yaml"), recipe("full"));
  await writeFile(join(folder, "lora.yaml"), recipe("lora", `lora: { rank: 4, alpha: 8 }\n${LORA_MARKS}`));
  request = {
    sources: [join(folder, "library")],
    model: join(folder, "parent"),
    blueprint: join(folder, "full.yaml"),
    retention: join(folder, "retention.jsonl"),
    replay: join(folder, "replay.jsonl"),
    mergeDtype: "parent",
  };
  const parent = await hashesBelow(request.model);
  const events: PipelineEvent[] = [];
  const { report } = await startRun(request, nest("full"), { onEvent: (event) => events.push(event), signal });
  full = { report, events };
  assert.deepEqual(await hashesBelow(request.model), parent, "the parent's files are as they were");
});
after(() => rm(folder, { recursive: true, force: true }));

const { signal } = new AbortController();
const main = join(packageRoot(), "src", "cli", "main.ts");

/** The tests' request as typed, but for its sources. */
function requestFlags(): string[] {
  const { model, blueprint, retention, replay } = request;
  return ["--model", model, "--blueprint", blueprint!, "--retention", retention!, "--replay", replay!];
}

/** Runs the command and reads its JSON. */
async function chrysalis(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...args, "--json"]);
  return JSON.parse(stdout) as Record<string, unknown>;
}
const quiet = { onEvent: () => {}, signal };

async function hashesBelow(path: string): Promise<Record<string, string>> {
  const names = (await readdir(path)).sort();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await sha256OfFile(join(path, name))])));
}

/** Bits per byte by the definition, of a model folder as anyone finds it. */
async function score(model: string, text: string, T: number): Promise<number> {
  const { body, tokenizer } = await openModel(model);
  const { documents } = await readFilesToMeasure([text]);
  const step = await compileStep(body, { B: 1, T, train: "none" });
  const { bitsPerByte } = await scoreDocuments(step, tokenizer, documents);
  await step.release();
  return bitsPerByte;
}

function near(found: number, expected: number): void {
  assert.ok(Math.abs(found / expected - 1) < 1e-5, `${found} is not ${expected}`);
}

test("a run leaves a whole nest and reports what it did", async () => {
  const { report, events } = full;
  for (const name of [
    "plan.json",
    "heldout.jsonl",
    "retention.jsonl",
    "manifest.json",
    "genome/genome.txt",
    "chrysalis/events.jsonl",
    "imago/model.safetensors",
    "imago/tokenizer.json",
    "imago/README.md",
    "imago/report.json",
  ]) {
    assert.ok(existsSync(join(nest("full"), name)), `${name} is there`);
  }
  assert.deepEqual(
    (await readdir(nest("full"))).filter((name) => /unfinished|tmp/.test(name)),
    [],
  );
  assert.equal(report.training.steps, 16);
  assert.equal(report.retentionSource, "given");
  assert.ok(report.after.bitsPerByte < report.before.bitsPerByte, "it learned");
  assert.ok(report.change.heldOut.relative < 0 && report.change.heldOut.standardError! > 0);
  assert.ok(report.training.tokens > 0 && report.training.tokensPerSecond > 0 && report.peakMemoryBytes > 1e7);
  const { dtype, rounding } = report.export;
  assert.equal(dtype, rounding!.lost! > 0.02 ? "F32" : "BF16", "rounding to bf16 is judged");
  assert.ok(report.heldOut.length >= 3);
  const repository = report.before.perRepository[0]!;
  assert.deepEqual([repository.group, repository.files], ["library", report.heldOut.length]);
  near(repository.bitsPerByte, report.before.bitsPerByte);
  assert.deepEqual(
    report.before.perKind.map(({ group }) => group),
    ["code", "prose"],
  );
  assert.equal(report.before.sample.prompt, report.after.sample.prompt);
  const trained = events.filter((event) => event.type === "training" && event.event.type === "step");
  assert.equal(trained.length, 16);
  const { predicted, measured } = report;
  assert.deepEqual([predicted.steps, predicted.tokens, predicted.rate], [16, 16 * 256, "measured"]);
  assert.deepEqual([measured.steps, measured.tokens], [16, report.training.tokens]);
  assert.ok(measured.memoryBytes === report.peakMemoryBytes && predicted.memoryBytes > 1e8 && measured.minutes > 0);
  const card = await readFile(join(nest("full"), "imago", "README.md"), "utf8");
  assert.match(card, /^\| steps \| 16 \| 16 \| 0\.0 % \|$/m);
  for (const fact of [report.lineage.genome.sha256, report.lineage.plan, report.after.bitsPerByte.toFixed(4)]) {
    assert.ok(card.includes(fact), `the card says ${fact}`);
  }
});

test("the figures are those of the folders, measured by anyone", async () => {
  const { report } = full;
  assert.deepEqual(report.evaluation, { window: 64, stride: 32, separator: 0 });
  for (const [when, model] of [
    ["before", request.model],
    ["after", join(nest("full"), "imago")],
  ] as const) {
    near(await score(model, join(nest("full"), "heldout.jsonl"), 64), report[when].bitsPerByte);
    near(await score(model, request.retention!, 64), report[when].retentionBitsPerByte);
  }
});

test("a finished run is blended with its parent, measured as the run was, and written as a model", async () => {
  const out = join(folder, "blended");
  const asked = `blend ${nest("full")} --curve 0,1 --alpha 0.5 --module **.mlp.**=1 --out ${out} --json`.split(" ");
  const { stdout } = await promisify(execFile)(process.execPath, [join(packageRoot(), "src/cli/main.ts"), ...asked]);
  const { curve, point } = JSON.parse(stdout) as {
    curve: readonly { heldOut: number; retention: number }[];
    point: { heldOut: number };
  };
  const { before: start, after: end } = full.report;
  assert.ok(
    Math.abs(curve[0]!.heldOut - start.bitsPerByte) < 1e-9 && Math.abs(curve[1]!.heldOut - end.bitsPerByte) < 1e-9,
  );
  assert.ok(Math.abs(curve[1]!.retention - end.retentionBitsPerByte) < 1e-9);
  assert.ok(point.heldOut < curve[0]!.heldOut && point.heldOut !== curve[1]!.heldOut);
  const record = JSON.parse(await readFile(join(out, "blend.json"), "utf8"));
  assert.deepEqual([record.alpha, record.modules], [0.5, [{ match: "**.mlp.**", alpha: 1 }]]);
  const { body } = await openModel(out);
  const { body: child } = await openModel(join(nest("full"), "imago"));
  const of = (name: string) => [body, child].map(({ weights }) => weights.get(name)!.data);
  const [mlp, trained] = of("model.layers.1.mlp.up_proj.weight");
  assert.deepEqual(mlp, trained);
  const [attention, own] = of("model.layers.1.self_attn.q_proj.weight");
  assert.notDeepEqual(attention, own);
});

test("a folder that holds a run is refused; a finished run gives its result again", async () => {
  await assert.rejects(startRun(request, nest("full"), quiet), isUserError("exists", /--resume/));
  const again = await resumeRun(nest("full"), quiet);
  assert.ok(again.already);
  assert.deepEqual(again.report, full.report);
});

test("from the command line: a plan alone, which is the run's, and the result of a run as JSON", async () => {
  const out = nest("planned");
  const planned = await chrysalis("plan", ...request.sources, ...requestFlags(), "--out", out);
  assert.equal(planned["hash"], full.report.lineage.plan);
  const { probe, predicted } = planned["plan"] as Plan;
  assert.deepEqual([probe!.origin, predicted.rate], ["measured", "measured"]);
  assert.equal(probe!.perRepository[0]!.repository, "library");
  assert.ok(probe!.tokensPerSecond > 0 && probe!.bitsPerByte > 1 && probe!.bytesPerToken > 1);
  assert.deepEqual(await readdir(out), ["plan.json"]);

  const { before, after, ...result } = await chrysalis("run", "--resume", "--out", nest("full"));
  const { report } = full;
  const { bitsPerByte, bitsPerByteMacro, retentionBitsPerByte } = report.after;
  assert.deepEqual(after, { bitsPerByte, bitsPerByteMacro, retentionBitsPerByte });
  assert.equal((before as typeof report.before).bitsPerByte, report.before.bitsPerByte);
  assert.deepEqual(result["genome"], { sha256: report.lineage.genome.sha256 });
  assert.deepEqual(
    result["heldOut"],
    report.heldOut.map(({ repository, path, blob, bytes }) => ({ repository, path, blob, bytes })),
  );
  for (const name of ["tokens", "tokensPerSecond", "peakMemoryBytes", "seconds"])
    assert.ok((result[name] as number) > 0);
  assert.deepEqual([result["nest"], result["imago"]], [nest("full"), join(nest("full"), "imago")]);
});

test("--search tries learning rates of a named recipe in trials of equal length, and plans with the best", async () => {
  const out = nest("searched");
  const searched = await chrysalis("plan", ...request.sources, ...requestFlags(), "--search", "3", "--out", out);
  const { search, settings, inputs } = searched["plan"] as Plan;
  const [first, last] = search!.rounds;
  assert.deepEqual(new Set(first!.trials.map(({ multiple }) => multiple)), new Set([0.5, 1, 2]));
  assert.deepEqual(new Set(search!.rounds.flatMap(({ trials }) => trials.map(({ steps }) => steps))), new Set([8]));
  assert.ok(
    first!.trials.every(({ score }) => score! < search!.parent.heldOut),
    "every trial learned something",
  );
  assert.deepEqual([last!.trials.length, last!.flops], [2, 2 * first!.flops]);
  const best = last!.trials[0]!;
  assert.equal(settings.learningRate.value, best.multiple * 3e-3);
  assert.equal(settings.learningRate.origin, best.multiple === 1 ? "recipe" : "derived");
  assert.ok(inputs.genome.heldOutFiles >= 3, "the run's own held-out files are held out beside the trials'");
});

test("killed without warning and gone on with, a run ends in the same weights", async () => {
  const out = nest("killed");
  const { sources, model, blueprint, retention, replay } = request;
  const flags = ["--model", model, "--blueprint", blueprint!, "--retention", retention!, "--replay", replay!];
  const main = join(packageRoot(), "src", "cli", "main.ts");
  const child = spawn(process.execPath, [main, "run", ...sources, ...flags, "--out", out, "--json"], {
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => void child.once("exit", resolve));
  const checkpoints = join(out, "chrysalis", "checkpoints");
  while (
    child.exitCode === null &&
    !(await readdir(checkpoints).catch(() => [])).some((name) => name.startsWith("step-"))
  ) {
    await delay(5);
  }
  child.kill("SIGKILL");
  await ended;
  assert.ok(existsSync(join(checkpoints)), "it was training when it was killed");
  assert.ok(!existsSync(join(out, "manifest.json")), "it was not done yet");
  const { already, report } = await resumeRun(out, quiet);
  assert.ok(!already);
  const weights = (of: string): Promise<string> => sha256OfFile(join(nest(of), "imago", "model.safetensors"));
  assert.equal(await weights("killed"), await weights("full"));
  assert.equal(report.after.bitsPerByte, full.report.after.bitsPerByte);
  assert.deepEqual(report.training.losses, full.report.training.losses);
  assert.equal(await sha256OfFile(join(out, "manifest.json")), await sha256OfFile(join(nest("full"), "manifest.json")));
});

test("ordered and selected by the parent's losses, a run that was stopped reads on as one that was not", async () => {
  const more = "order: { by: loss, part: 0.5, repeatHard: { part: 0.2, times: 2 } }\nselect: { excess: 0.5 }\n";
  await writeFile(join(folder, "ordered.yaml"), recipe("full", more).replace("tiny-full", "ordered"));
  const asked = { ...request, blueprint: join(folder, "ordered.yaml") };
  const { report } = await startRun(asked, nest("ordered"), quiet);
  const controller = new AbortController();
  const onEvent = (event: PipelineEvent): void => {
    if (event.type !== "training" || event.event.type !== "step" || event.event.step !== 7) return;
    controller.abort(new UserError("interrupted", "interrupted"));
  };
  const stopped = startRun(asked, nest("stopped"), { onEvent, signal: controller.signal });
  await assert.rejects(stopped, isUserError("interrupted", /run --resume --out/));
  await resumeRun(nest("stopped"), quiet);
  const hashes = (of: string): Promise<string> => sha256OfFile(join(nest(of), "manifest.json"));
  assert.equal(await hashes("stopped"), await hashes("ordered"));
  const { files } = JSON.parse(await readFile(join(nest("ordered"), "manifest.json"), "utf8")) as { files: object };
  assert.ok("difficulty.jsonl" in files && "parent-losses.safetensors" in files);
  assert.notEqual(report.training.losses[1]!.loss, full.report.training.losses[1]!.loss);
});

test("of a GGUF parent: the adapter on the parent's folder is the merged model; its own samples stand for general text", async () => {
  const { retention: _, replay: __, ...rest } = request;
  const out = nest("lora");
  const model = join(folder, "parent.gguf");
  await writeGguf(model, await openModel(request.model));
  const { report } = await startRun({ ...rest, model, blueprint: join(folder, "lora.yaml") }, out, quiet);
  assert.equal(report.retentionSource, "sampled");
  assert.ok(report.after.bitsPerByte < report.before.bitsPerByte, "it learned");
  const parent = join(out, "parent");
  near(await score(parent, join(out, "heldout.jsonl"), 64), report.before.bitsPerByte);
  near(await score(parent, join(out, "retention.jsonl"), 64), report.before.retentionBitsPerByte);

  const adapter = join(out, "imago", "adapter");
  const config = JSON.parse(await readFile(join(adapter, "adapter_config.json"), "utf8")) as Record<string, unknown>;
  assert.equal(config["base_model_name_or_path"], parent);
  const { body, tokenizer } = await openModel(parent);
  const targets = config["target_modules"] as string[];
  const lora = { rank: config["r"] as number, alpha: config["lora_alpha"] as number, targets, seed: 0 };
  const adapted = await compileStep(body, { B: 1, T: 64, train: { lora } });
  const file = await openSafetensors(join(adapter, "adapter_model.safetensors"));
  for (const { name, data } of adapted.parameters) {
    data.set(await file.readF32(`base_model.model.${name}`));
    if (name.endsWith("lora_B.weight"))
      assert.equal(
        data.some((value) => value !== 0),
        !name.includes("layers.0."),
        name,
      );
  }
  await file.close();
  const { documents } = await readFilesToMeasure([join(out, "heldout.jsonl")]);
  const { bitsPerByte } = await scoreDocuments(adapted, tokenizer, documents);
  await adapted.release();
  assert.ok(Math.abs(bitsPerByte - report.after.bitsPerByte) < 1e-4, `${bitsPerByte}, ${report.after.bitsPerByte}`);
});

test("of a forgetting budget: the best checkpoint inside it emerges, and the report says what was given up", async () => {
  const { outcome: free, training: unwatched } = full.report;
  assert.deepEqual([free.keep, free.givenUp, free.emerged.step], [null, null, 16]);
  assert.ok(
    unwatched.evaluations.every(({ kl }) => kl === undefined) && !existsSync(join(nest("full"), "parent-text.jsonl")),
  );
  const run = async (name: string, keep: string): Promise<Report> => {
    await writeFile(join(folder, `${name}.yaml`), recipe("full", `keep: ${keep}`).replace("times: 2", "times: 8"));
    const { report } = await startRun({ ...request, blueprint: join(folder, `${name}.yaml`) }, nest(name), quiet);
    return report;
  };
  const { outcome, training, warnings, after } = await run("kept", "{kl: 0.06, retention: 10}");
  assert.deepEqual(outcome.keep, { kl: 0.06, retention: 10 });
  assert.equal(training.evaluations[0]!.kl, 0);
  const { emerged, givenUp } = outcome;
  assert.ok(emerged.step > 0 && emerged.kl! <= 0.06 && emerged.heldOut < training.evaluations[0]!.heldOut);
  assert.ok(givenUp!.step > emerged.step && givenUp!.heldOut < emerged.heldOut);
  assert.deepEqual(givenUp!.over, [{ measure: "kl", value: givenUp!.kl, limit: 0.06 }]);
  assert.ok(warnings.some((text) => /budget was .* KL 0\.06 .*; step \d+ emerged/.test(text)));
  near(await score(join(nest("kept"), "imago"), join(nest("kept"), "heldout.jsonl"), 64), after.bitsPerByte);
  const { body } = await openModel(join(nest("kept"), "imago"));
  const trained = (await checkpointOf("kept", training.best.checkpoint)).get("model.norm.weight")!;
  const norm = body.weights.get("model.norm.weight")!.data;
  assert.ok(
    norm.every((value, i) => Math.abs(value - trained[i]!) <= Math.abs(trained[i]!) / 128),
    "bf16 at most",
  );
  const card = await readFile(join(nest("kept"), "imago", "README.md"), "utf8");
  assert.match(
    card,
    /## What emerged\n\nThe forgetting budget, against the parent, was retention \+1000\.0 %, KL 0\.06 nats per token/,
  );
  assert.ok(card.includes(`| given up | step ${givenUp!.step} |`));

  const none = await run("unkept", "{kl: 0.0001}");
  assert.equal(none.outcome.emerged.step, 0);
  near(none.after.bitsPerByte, none.before.bitsPerByte);
  assert.ok(none.training.steps < 16, "the decay began early");
  assert.ok(none.warnings.some((text) => /nothing better than the parent is inside, .* parent's weights/.test(text)));
});

/** The tensors of a checkpoint of a run. */
async function checkpointOf(name: string, checkpoint: string | null): Promise<Map<string, Float32Array>> {
  return tensorsOf(join(nest(name), "chrysalis", "checkpoints", checkpoint!, "parameters.safetensors"));
}

async function tensorsOf(path: string): Promise<Map<string, Float32Array>> {
  const file = await openSafetensors(path);
  const tensors = new Map<string, Float32Array>();
  for (const name of file.tensors.keys()) tensors.set(name, await file.readF32(name));
  await file.close();
  return tensors;
}

test("of a blend to be chosen: the point that is best inside the budget emerges, ahead of every checkpoint inside", async () => {
  const yaml = recipe("full", "keep: {kl: 0.05}\nblend: {choose: [1, 0.5]}");
  await writeFile(join(folder, "chosen.yaml"), yaml.replace("times: 2", "times: 4"));
  const chosen = { ...request, blueprint: join(folder, "chosen.yaml"), mergeDtype: "f32" } as const;
  const { report } = await startRun(chosen, nest("chosen"), quiet);
  const { outcome, training, after } = report;
  const { emerged, givenUp, blends } = outcome;
  assert.equal(training.steps, 16, "a blend brings back what is over the budget: the run is not cut short");
  assert.deepEqual(
    blends.map(({ alpha, checkpoint }) => [alpha, checkpoint]),
    [
      [0.5, training.lowest.checkpoint],
      [1, training.lowest.checkpoint],
      [1, training.best.checkpoint],
    ],
  );
  assert.deepEqual([emerged.alpha, emerged.checkpoint, emerged.over.length], [0.5, training.lowest.checkpoint, 0]);
  assert.ok(emerged.kl! <= 0.05 && emerged.heldOut < training.best.heldOut);
  assert.deepEqual([givenUp?.alpha, givenUp?.over.length], [1, 1]);
  const { body: parent } = await openModel(request.model);
  const { body } = await openModel(join(nest("chosen"), "imago"));
  for (const [name, to] of await checkpointOf("chosen", emerged.checkpoint)) {
    const from = parent.weights.get(name)!.data;
    const middle = to.map((value, i) => from[i]! + 0.5 * (value - from[i]!));
    assert.deepEqual(body.weights.get(name)!.data, middle, name);
  }
  near(await score(join(nest("chosen"), "imago"), join(nest("chosen"), "heldout.jsonl"), 64), after.bitsPerByte);
  const card = await readFile(join(nest("chosen"), "imago", "README.md"), "utf8");
  assert.match(card, /\| emerged \| step 16 at alpha 0\.5 \|[^]*\| given up \| step 16 \|[^]*\| blend \| step 4 \|/);
});

test("of a blend of an adapter: its B carries alpha, and on the parent it is the model", async () => {
  const marks = 'blend: {alpha: 0.5, modules: [{match: "**.mlp.**", alpha: 1}]}';
  await writeFile(join(folder, "blended.yaml"), recipe("lora", `lora: { rank: 4, alpha: 8 }\n${marks}`));
  const blended = { ...request, blueprint: join(folder, "blended.yaml"), mergeDtype: "f32" } as const;
  const { report } = await startRun(blended, nest("blended"), quiet);
  const { emerged, blends } = report.outcome;
  assert.deepEqual([emerged, emerged.alpha], [blends[0], 0.5]);
  const trained = await checkpointOf("blended", emerged.checkpoint);
  const exported = await tensorsOf(join(nest("blended"), "imago", "adapter", "adapter_model.safetensors"));
  const { body, tokenizer } = await openModel(request.model);
  const targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
  const adapted = await compileStep(body, { B: 1, T: 64, train: { lora: { rank: 4, alpha: 8, targets, seed: 0 } } });
  for (const { name, data } of adapted.parameters) {
    const factor = name.endsWith("lora_B.weight") && !name.includes(".mlp.") ? 0.5 : 1;
    data.set(exported.get(`base_model.model.${name}`)!);
    assert.deepEqual(
      data,
      trained.get(name)!.map((value) => factor * value),
      name,
    );
  }
  const { documents } = await readFilesToMeasure([join(nest("blended"), "heldout.jsonl")]);
  const { bitsPerByte } = await scoreDocuments(adapted, tokenizer, documents);
  await adapted.release();
  near(bitsPerByte, report.after.bitsPerByte);
});

/** The tiny model as a GGUF file; its rows of q and k count as permuted, which makes it another model of the same shape. */
async function writeGguf(path: string, { body, tokenizer }: Awaited<ReturnType<typeof openModel>>): Promise<void> {
  const { config } = body;
  const names: [RegExp, string][] = [
    [/^model\.embed_tokens/, "token_embd"],
    [/^model\.norm/, "output_norm"],
    [/^model\.layers/, "blk"],
    [/post_attention_layernorm/, "ffn_norm"],
    [/input_layernorm/, "attn_norm"],
    [/self_attn\.o_proj/, "attn_output"],
    [/self_attn\.(.)_proj/, "attn_$1"],
    [/mlp\.(\w+)_proj/, "ffn_$1"],
  ];
  const tensors = [...body.weights.values()].map(({ name, shape, data }) =>
    f32Tensor(
      names.reduce((text, [from, to]) => text.replace(from, to), name),
      shape,
      data,
    ),
  );
  const json = JSON.parse(Buffer.from(tokenizer.files.get("tokenizer.json")!).toString()) as {
    model: { vocab: Record<string, number>; merges: (string | [string, string])[] };
  };
  const tokens = Object.entries(json.model.vocab).sort(([, a], [, b]) => a - b);
  const merges = json.model.merges.map((merge) => (typeof merge === "string" ? merge : merge.join(" ")));
  const strings = (of: readonly string[]) => ({ type: 9, elementType: 8, value: of.map(string) }) as const;
  const metadata = {
    "general.architecture": string("llama"),
    "llama.block_count": u32(config.layers),
    "llama.context_length": u32(config.maxPositions),
    "llama.embedding_length": u32(config.hiddenSize),
    "llama.feed_forward_length": u32(config.intermediateSize),
    "llama.attention.head_count": u32(config.heads),
    "llama.attention.head_count_kv": u32(config.keyValueHeads),
    "llama.attention.layer_norm_rms_epsilon": f32(config.normEpsilon),
    "llama.rope.freq_base": f32(config.rope.theta),
    "tokenizer.ggml.model": string("gpt2"),
    "tokenizer.ggml.pre": string("smollm"),
    "tokenizer.ggml.tokens": strings(tokens.map(([token]) => token)),
    "tokenizer.ggml.merges": strings(merges),
    "tokenizer.ggml.eos_token_id": u32(0),
  };
  await writeFile(path, buildGguf({ metadata, tensors }));
}

test("an interrupted run says how to go on, and its folder stays", async () => {
  const out = nest("interrupted");
  const controller = new AbortController();
  const onEvent = ({ type }: PipelineEvent): void => {
    if (type === "planned") controller.abort(new UserError("interrupted", "interrupted"));
  };
  const interrupted = isUserError("interrupted", /run --resume --out/);
  await assert.rejects(startRun(request, out, { onEvent, signal: controller.signal }), interrupted);
  assert.ok(existsSync(join(out, "plan.json")));
  await assert.rejects(startRun(request, out, quiet), isUserError("exists", /--resume/));
  await writeFile(join(folder, "replay.jsonl"), `${JSON.stringify({ text: "another text altogether" })}\n`);
  await assert.rejects(resumeRun(out, quiet), isUserError("mismatch", /the replay text/));
});

test("what is wrong from the start leaves nothing behind", async () => {
  const above = nest("refused");
  const out = join(above, "nest");
  await mkdir(join(folder, "empty"));
  const cases: [Partial<RunRequest>, string, RegExp][] = [
    [{ sources: [join(folder, "empty")] }, "not-a-repository", /empty/],
    [{ model: join(folder, "nowhere") }, "not-found", /nowhere/],
    [{ replay: request.retention! }, "overlap", /share a document/],
    [{ blueprint: "tiny" }, "not-found", /"tiny"/],
    [{ minutes: 1, retention: join(folder, "missing.txt") }, "not-found", /missing\.txt/],
  ];
  for (const [change, code, message] of cases) {
    await assert.rejects(startRun({ ...request, ...change }, out, quiet), isUserError(code, message));
    assert.ok(!existsSync(above), `nothing is left of a run with ${JSON.stringify(change)}`);
  }
  await mkdir(out, { recursive: true });
  await writeFile(join(out, "mine.txt"), "x");
  await assert.rejects(startRun(request, out, quiet), isUserError("exists", /mine\.txt/));
  await assert.rejects(resumeRun(out, quiet), isUserError("not-found", /no run/));
  assert.deepEqual(await readdir(out), ["mine.txt"]);
});

test("a genome that is not ready is refused with the reason, or planned with a warning where the user accepts it", async () => {
  const line = (i: number): string => `${prose(`few ${i}`, 2)}\n`;
  const few = ["a", "b", "c"].map((name, i) => ({ path: `${name}.md`, content: line(i) }));
  await makeRepository(join(folder, "few"), [few]);
  await makeRepository(join(folder, "copies"), [few.map(({ path }) => ({ path, content: line(0) }))]);
  const refused = (source: string, message: RegExp): Promise<void> =>
    assert.rejects(
      startRun({ ...request, sources: [join(folder, source)] }, nest("unready"), quiet),
      isUserError("unready", message),
    );
  await refused("few", /too small: one pass trains \d+ tokens of it, one optimiser step takes 205.*--unready/);
  await refused("copies", /all 3 files of the genome are copies or near copies of one \(copies\/a\.md\)/);
  assert.ok(!existsSync(nest("unready")));
  const out = nest("accepted");
  const planned = await chrysalis("plan", join(folder, "few"), ...requestFlags(), "--unready", "--out", out);
  assert.match((planned["warnings"] as string[])[0]!, /^the genome is too small/);
  const random = (i: number): string =>
    Buffer.from(Array.from({ length: 900 }, (_, j) => hash32(3, "noise", i, j) & 255)).toString("base64");
  const noise = Array.from({ length: 20 }, (_, i) => ({ path: `${i}.md`, content: `${random(i)}\n` }));
  await makeRepository(join(folder, "noise"), [noise]);
  await refused("noise", /looks like noise: the parent needs \d\.\d\d bits per byte, .*nothing else, needs 6\.0/);
});

function isUserError(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(`${error.message}. ${error.hint ?? ""}`, message);
    return true;
  };
}
