/** The main job on data of one's own: answers are trained and measured, by one definition everywhere, and resume. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { readPlan } from "../src/blueprint/plan.ts";
import { openModel } from "../src/cli/model.ts";
import type { RunRequest } from "../src/cli/pipeline/nest.ts";
import { resumeRun, startRun } from "../src/cli/pipeline/pipeline.ts";
import type { PipelineEvent } from "../src/cli/pipeline/events.ts";
import { chrysalis, writeTinyModel } from "../src/cli/testing.ts";
import { UserError } from "../src/errors.ts";
import { sha256OfFile } from "../src/formats/files.ts";
import { COMMIT, startHub } from "../src/formats/testing.ts";
import { packageRoot } from "../src/formats/package-root.ts";
import { hash32 } from "../src/formats/random.ts";
import { makeRepository } from "../src/genome/testing.ts";
import type { Report } from "../src/imago/report.ts";
import { blankBatch } from "../src/models/batch.ts";
import { compileStep } from "../src/models/step.ts";

const TEMPLATE =
  "{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}" +
  "{% if add_generation_prompt %}<assistant>{% endif %}";
const WORDS = "the sea and the shore and the ship".split(" ");

let folder: string;
let request: RunRequest;
let full: Report;
const nest = (name: string): string => join(folder, "nests", name);
const { signal } = new AbortController();
const quiet = { onEvent: () => {}, signal };

interface Message {
  readonly role: string;
  readonly content: string;
}

/** Words that differ from dialogue to dialogue. */
function words(purpose: string, i: number, count: number): string {
  return Array.from({ length: count }, (_, k) => WORDS[hash32(1, purpose, i, k) % WORDS.length]!).join(" ");
}

function chat(i: number): { messages: Message[] } {
  return {
    messages: [
      { role: "user", content: `${words("question", i, 4)} ${i.toString(36)}é?` },
      { role: "assistant", content: `${words("answer", i, 5)}.` },
    ],
  };
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "own-data-run-"));
  await writeTinyModel(join(folder, "parent"), { chatTemplate: TEMPLATE });
  const lines = (of: readonly unknown[]): string => of.map((value) => `${JSON.stringify(value)}\n`).join("");
  await writeFile(join(folder, "chats.jsonl"), lines([...Array.from({ length: 120 }, (_, i) => chat(i)), chat(7)]));
  for (const name of ["retention", "replay"]) {
    const texts = Array.from({ length: 4 }, (_, i) => ({ text: words(name, i, 30) }));
    await writeFile(join(folder, `${name}.jsonl`), lines(texts));
  }
  await writeFile(
    join(folder, "recipe.yaml"),
    `
name: tiny
description: a few steps
method: full
optimizer: { learningRate: 1e-2 }
batch: { tokens: 256, sequence: 64 }
replay: 0.1
heldOut: { share: 0.2 }
evaluation: { times: 2 }
checkpoint: { steps: 2 }
budget: { steps: 16 }
epochs: { max: 1000 }
`,
  );
  request = {
    sources: [],
    data: [join(folder, "chats.jsonl")],
    model: join(folder, "parent"),
    blueprint: join(folder, "recipe.yaml"),
    retention: join(folder, "retention.jsonl"),
    replay: join(folder, "replay.jsonl"),
    mergeDtype: "parent",
  };
  full = (await startRun(request, nest("full"), quiet)).report;
});
after(() => rm(folder, { recursive: true, force: true }));

test("a run on dialogues alone trains their answers, and reports them", async () => {
  const plan = await readPlan(join(nest("full"), "plan.json"));
  const data = { name: "chats.jsonl", sha256: await sha256OfFile(request.data![0]!), form: "messages", records: 120 };
  assert.deepEqual(plan.inputs.data, [data]);
  assert.deepEqual(full.lineage.data, [data]);
  assert.deepEqual(plan.settings.stages.value, [{ name: "all", objective: "sft", share: 1 }]);
  const [stage] = plan.diet.stages;
  assert.ok(stage!.trained > 0.2 * stage!.tokens && stage!.trained < 0.6 * stage!.tokens, "prompts are not trained");
  assert.ok(full.after.bitsPerByte < 0.9 * full.before.bitsPerByte, "it learned");
  assert.ok(full.heldOut.length >= 2);
  assert.ok(full.heldOut.every((of) => of.framing === "records" && of.kind === "dialogue"));
  assert.deepEqual(
    full.before.perKind.map(({ group }) => group),
    ["dialogue"],
  );
  assert.match(full.before.sample.prompt, /^<user>.*<\|endoftext\|><assistant>$/, "a model is asked");
  assert.ok(full.warnings.includes("of the data chats.jsonl 1 record left out that repeats another"));
  const card = await readFile(join(nest("full"), "imago", "README.md"), "utf8");
  for (const fact of ["trained on chats.jsonl", "1 data file:", data.sha256, "the answers are measured"]) {
    assert.ok(card.includes(fact), fact);
  }
  assert.ok(!existsSync(join(nest("full"), "genome")));
});

test("the figure is that of the answers, read one dialogue at a time, before and after, and of eval", async () => {
  for (const [when, model] of [
    ["before", request.model],
    ["after", join(nest("full"), "imago")],
  ] as const) {
    near(await answersAlone(model), full[when].bitsPerByte);
    const heldOut = join(nest("full"), "heldout.jsonl");
    const { stdout } = await chrysalis(["eval", model, "--files", heldOut, "--window", "64", "--json"]);
    const { bitsPerByte, perFile } = JSON.parse(stdout) as { bitsPerByte: number; perFile: { bytes: number }[] };
    near(bitsPerByte, full[when].bitsPerByte);
    assert.deepEqual(
      perFile.map(({ bytes }) => bytes),
      full.heldOut.map(({ bytes }) => bytes),
    );
  }
});

/** Bits per byte of the held-out answers the slow way: each dialogue by hand, alone, whole. */
async function answersAlone(model: string): Promise<number> {
  const { body, tokenizer } = await openModel(model);
  const T = body.config.maxPositions;
  const step = await compileStep(body, { B: 1, T, train: "none" });
  const separator = tokenizer.idOf("<|endoftext|>")!;
  let [nats, bytes] = [0, 0];
  for (const line of (await readFile(join(nest("full"), "heldout.jsonl"), "utf8")).trimEnd().split("\n")) {
    for (const record of (JSON.parse(line) as { text: string }).text.trimEnd().split("\n")) {
      const [user, assistant] = (JSON.parse(record) as { messages: Message[] }).messages;
      const prompt = [...tokenizer.encode(`<user>${user!.content}`), separator, ...tokenizer.encode("<assistant>")];
      const answer = [...tokenizer.encode(assistant!.content), separator];
      const ids = [separator, ...prompt, ...answer];
      assert.ok(ids.length <= T + 1, "it fits a window");
      const batch = blankBatch(1, T, separator);
      for (let i = 0; i + 1 < ids.length; i++) {
        batch.ids[i] = ids[i]!;
        batch.targets[i] = ids[i + 1]!;
        batch.weights[i] = 1;
        batch.positions[i] = i;
        batch.documents[i] = 0;
      }
      const nll = await step.evaluate(batch);
      for (let i = prompt.length; i < prompt.length + answer.length; i++) nats += nll[i]!;
      bytes += Buffer.byteLength(assistant!.content);
    }
  }
  await step.release();
  return nats / (Math.LN2 * bytes);
}

function near(found: number, expected: number): void {
  assert.ok(Math.abs(found / expected - 1) < 1e-5, `${found} is not ${expected}`);
}

test("killed without warning and gone on with, a run on data ends in the same weights", async () => {
  const out = nest("killed");
  const main = join(packageRoot(), "src", "cli", "main.ts");
  const { model, blueprint, retention, replay, data } = request;
  const flags = ["--model", model, "--blueprint", blueprint!, "--retention", retention!, "--replay", replay!];
  const child = spawn(process.execPath, [main, "run", "--data", data![0]!, ...flags, "--out", out, "--json"], {
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => void child.once("exit", resolve));
  const checkpoints = join(out, "chrysalis", "checkpoints");
  const hasCheckpoint = async (): Promise<boolean> =>
    (await readdir(checkpoints).catch(() => [])).some((name) => name.startsWith("step-"));
  while (child.exitCode === null && !(await hasCheckpoint())) await delay(5);
  child.kill("SIGKILL");
  await ended;
  assert.ok(existsSync(checkpoints) && !existsSync(join(out, "manifest.json")), "it was training when it was killed");
  const { report } = await resumeRun(out, quiet);
  assert.equal(report.after.bitsPerByte, full.after.bitsPerByte);
  assert.equal(await sha256OfFile(join(out, "manifest.json")), await sha256OfFile(join(nest("full"), "manifest.json")));
});

test("beside a repository data is trained on with its texts; changed data is refused when a run goes on", async () => {
  const files = Array.from({ length: 20 }, (_, i) => ({ path: `${i}.md`, content: `${words("page", i, 80)}\n` }));
  await makeRepository(join(folder, "pages"), [files]);
  const chats = join(folder, "changing.jsonl");
  await writeFile(chats, await readFile(request.data![0]!));
  const out = nest("both");
  const controller = new AbortController();
  const onEvent = ({ type }: PipelineEvent): void => {
    if (type === "planned") controller.abort(new UserError("interrupted", "interrupted"));
  };
  const both = { ...request, sources: [join(folder, "pages")], data: [chats] };
  await assert.rejects(startRun(both, out, { onEvent, signal: controller.signal }), { code: "interrupted" });
  const { inputs } = await readPlan(join(out, "plan.json"));
  assert.deepEqual([inputs.genome.repositories.length, inputs.data!.length], [1, 1]);
  const held = (await readFile(join(out, "heldout.jsonl"), "utf8")).trimEnd().split("\n");
  const framings = held.map((line) => (JSON.parse(line) as { framed?: { framing: string } }).framed?.framing);
  assert.deepEqual(new Set(framings), new Set([undefined, "records"]));
  await appendFile(chats, "\n");
  await assert.rejects(resumeRun(out, quiet), { code: "mismatch", message: /the data changing\.jsonl is not the one/ });
});

test("data that cannot be trained on is refused before anything is built", async () => {
  const out = join(folder, "refused", "nest");
  await writeTinyModel(join(folder, "plain"));
  const texts = join(folder, "texts.jsonl");
  await writeFile(texts, '{"text": "a"}\n{"prompt": "a", "completion": "b"}\n');
  const cases: [Partial<RunRequest>, string, RegExp][] = [
    [{ model: join(folder, "plain") }, "unsupported", /chats\.jsonl.*line 1: .*no chat template/],
    [{ data: [texts] }, "mismatch", /texts\.jsonl mixes forms: line 1 is text, line 2/],
    [{ data: [join(folder, "missing.jsonl")] }, "not-found", /missing\.jsonl/],
  ];
  for (const [change, code, message] of cases) {
    await assert.rejects(startRun({ ...request, ...change }, out, quiet), { code, message });
    assert.ok(!existsSync(join(folder, "refused")));
  }
});

test("a data set of the hub is fetched once, and a run stays with its commit, also without the hub", async (t) => {
  const hub = await startHub(t, new Map([["data/chats.jsonl", await readFile(request.data![0]!, "utf8")]]));
  const { HF_ENDPOINT, HF_HUB_CACHE } = hub.options.environment as Record<string, string>;
  const env = { HF_ENDPOINT, HF_HUB_CACHE, HF_TOKEN_PATH: "none" };
  const { model, blueprint, retention, replay } = request;
  const flags = ["--model", model, "--blueprint", blueprint!, "--retention", retention!, "--replay", replay!, "--json"];
  const run = await chrysalis(["run", "--data", "me/notes", ...flags, "--out", nest("hub")], { env });
  assert.equal(run.code, 0, run.stderr);
  const asked = JSON.parse(await readFile(join(nest("hub"), "run.json"), "utf8")) as { request: RunRequest };
  assert.deepEqual(asked.request.data, [`me/notes@${COMMIT}`]);
  const { inputs } = await readPlan(join(nest("hub"), "plan.json"));
  assert.deepEqual(
    inputs.data!.map(({ name, records }) => [name, records]),
    [["notes/data/chats.jsonl", 120]],
  );
  hub.stop();
  const plan = await chrysalis(["plan", "--data", "me/notes", ...flags, "--out", nest("hub-plan")], { env });
  assert.equal(plan.code, 0, plan.stderr);
  const { warnings } = JSON.parse(plan.stdout) as { warnings: string[] };
  assert.ok(
    warnings.some((line) => /the hub was not asked for me\/notes/.test(line)),
    warnings.join("; "),
  );
});
