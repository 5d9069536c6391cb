import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { canonicalJson } from "../formats/files.ts";
import { smolLm2 } from "./known-bodies.ts";
import { loadBlueprint, parseBlueprint } from "./load.ts";
import { type ProbeRecord, planHash, readPlan, settingsOf, writePlan } from "./plan.ts";
import { refuseBody, resolvePlan, type ResolveOptions } from "./resolve.ts";
import { smallLlama, testRecipe } from "./testing.ts";

const small = await loadBlueprint("small-body");
const medium = await loadBlueprint("medium-body");

const options: ResolveOptions = {
  recipe: small,
  recipeReason: "5.9 M parameters, below 50 M",
  config: smallLlama,
  given: {},
  machine: { cores: 2, memoryBytes: 8e9, diskBytes: 50e9 },
  out: "nest",
  diet: dietOf(400_000),
  asks: () => false,
  hasChatTemplate: true,
  replay: "given",
  questioned: 0,
  genomeBytes: 1_500_000,
  copiesParent: false,
  inputs: {
    model: { sha256: "m", modelType: "llama", parameters: 5_900_000 },
    genome: {
      sha256: "g",
      repositories: [{ name: "r", commit: "c" }],
      files: 100,
      trainedFiles: 80,
      trainedBytes: 1_300_000,
      heldOutFiles: 8,
      heldOutBytes: 100_000,
    },
    retention: { source: "retention.txt", bytes: 250_000 },
    replay: { source: "replay.txt", bytes: 250_000 },
    instruct: null,
  },
};

test("every value says where it came from", () => {
  const { settings } = resolvePlan({ ...options, given: { minutes: 7 } });
  assert.deepEqual(settings.budget, { value: { minutes: 7 }, origin: "given", reason: "--minutes" });
  assert.deepEqual(settings.replay, { value: 0.3, origin: "recipe", reason: "small-body" });
  assert.deepEqual(settings.method, {
    value: "full",
    origin: "recipe",
    reason: "small-body: 5.9 M parameters, below 50 M",
  });
  assert.equal(settings.seed.origin, "default");
  assert.deepEqual(settings.threads, { value: 2, origin: "derived", reason: "2 cores are available" });
  for (const [name, planned] of Object.entries(settings)) {
    assert.ok(["given", "recipe", "derived", "default"].includes(planned.origin), name);
    assert.ok(planned.reason.length > 0, name);
  }
});

test("the recipes that ship resolve to what their comments say", () => {
  const larva = settingsOf(resolvePlan(options));
  assert.deepEqual(
    [larva.method, larva.lora, larva.learningRate, larva.replay, larva.decay, larva.budget],
    ["full", null, 7e-4, 0.3, 0.4, { minutes: 3 }],
  );
  const real = settingsOf(resolvePlan({ ...options, recipe: medium, config: smolLm2, copiesParent: true }));
  assert.deepEqual([real.method, real.lora?.rank, real.lora?.alpha, real.lora?.targets.length], ["lora", 16, 32, 7]);
  assert.deepEqual([real.learningRate, real.replay, real.sequence], [5e-4, 0.1, 512]);
});

test("a step holds the tokens asked for whatever the memory; too little for one sequence is refused", () => {
  const shapes = [8e9, 3e9].map((memoryBytes) => {
    const machine = { ...options.machine, memoryBytes };
    return settingsOf(resolvePlan({ ...options, recipe: medium, config: smolLm2, machine }));
  });
  assert.deepEqual(
    shapes.map((of) => of.microBatch * of.microBatches * of.sequence),
    [2048, 2048],
  );
  assert.equal(shapes[0]!.microBatch, 4);
  assert.ok(shapes[1]!.microBatch < 4);
  const machine = { ...options.machine, memoryBytes: 1e9 };
  assert.throws(() => resolvePlan({ ...options, recipe: medium, config: smolLm2, machine }), { code: "memory" });
  assert.throws(() => refuseBody(medium.blueprint, smolLm2, machine, "nest"), { code: "memory" });
  refuseBody(small.blueprint, smallLlama, machine, "nest");
});

test("a body's context bounds sequence and window, and says so", () => {
  const { settings } = resolvePlan({ ...options, config: { ...smallLlama, maxPositions: 128 } });
  assert.deepEqual([settings.sequence.value, settings.sequence.origin, settings.window.value], [128, "derived", 128]);
  assert.match(settings.sequence.reason, /128 positions, 512 were wanted/);
  assert.equal(settings.microBatch.value * settings.microBatches.value, 16);
});

test("steps end with the passes that are useful, or with the time", () => {
  const short = resolvePlan({ ...options, diet: dietOf(3000) });
  assert.equal(short.settings.maxSteps.value, Math.ceil((4 * 3000) / ((1 - 0.3) * 2048)));
  assert.equal(short.predicted.steps, short.settings.maxSteps.value);
  assert.ok(Math.abs(short.predicted.epochs - 4) < 0.5);
  const long = resolvePlan({ ...options, diet: dietOf(1e8), probe: probed(2048), given: { minutes: 2 } });
  assert.deepEqual([long.predicted.steps, long.predicted.trainingSeconds, long.predicted.rate], [120, 120, "measured"]);
});

test("without a replay text there is no replay", () => {
  const { settings } = resolvePlan({ ...options, replay: "none" });
  assert.deepEqual([settings.replay.value, settings.replay.origin], [0, "derived"]);
});

test("what a blueprint leaves open has a default with a reason", () => {
  const yaml = "name: bare\ndescription: x\nmethod: lora\noptimizer: {learningRate: 1e-4}\nbudget: {steps: 10}\n";
  const recipe = { blueprint: parseBlueprint(yaml, "bare.yaml"), file: "bare.yaml", yaml, sha256: "b" };
  const { settings, predicted } = resolvePlan({ ...options, recipe });
  assert.deepEqual(settings.lora.value, {
    rank: 16,
    alpha: 32,
    targets: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    rslora: false,
  });
  assert.deepEqual([settings.replay.value, settings.replay.origin], [0.25, "default"]);
  const large = resolvePlan({ ...options, recipe, config: smolLm2 });
  assert.equal(large.settings.replay.value, 0.05);
  assert.deepEqual([settings.budget.value, predicted.steps], [{ steps: 10 }, 10]);
});

test("a forgetting budget watches what it names; there is none by default", () => {
  const { settings } = resolvePlan({ ...options, recipe: testRecipe("kept", "keep: {retention: 0.02}") });
  assert.deepEqual(settings.keep, { value: { kl: null, retention: 0.02 }, origin: "recipe", reason: "kept" });
  const without = resolvePlan(options).settings.keep;
  assert.deepEqual([without.value, without.origin], [null, "default"]);
  for (const wrong of ["keep: {}", "keep: {kl: 0}", "keep: {retention: -0.1}", "keep: {loss: 1}"]) {
    assert.throws(() => testRecipe("wrong", wrong), { code: "invalid", message: /keep/ });
  }
});

test("marks on modules must name what is trained, and leave something to train", () => {
  const marked = (modules: string, method: "full" | "lora" = "lora") =>
    resolvePlan({ ...options, recipe: testRecipe("marked", `modules: ${modules}`, method) });
  const { settings, predicted } = marked(
    '[{match: "**.mlp.**", scale: 0.5}, {match: "model.layers.0.**", learningRate: 0}]',
  );
  assert.equal(settings.modules.origin, "recipe");
  assert.deepEqual(settings.modules.value, [
    { match: "**.mlp.**", scale: 0.5 },
    { match: "model.layers.0.**", learningRate: 0 },
  ]);
  const all = marked("[]");
  assert.equal(predicted.trainable, (all.predicted.trainable * 4) / 5, "one layer of five is frozen");
  assert.ok(predicted.memoryBytes < all.predicted.memoryBytes);
  assert.equal(settings.capacity.value, Math.round(1.6 * predicted.trainable));
  assert.deepEqual(resolvePlan(options).settings.modules, {
    value: [],
    origin: "default",
    reason: "every module alike",
  });

  const refused = (modules: string, method: "full" | "lora", message: RegExp): void =>
    assert.throws(() => marked(modules, method), { code: "invalid", message });
  refused('[{match: "**.mpl.**", scale: 2}]', "lora", /no adapted weight's name matches \*\*\.mpl\.\*\*/);
  refused('[{match: "model.embed_tokens", learningRate: 0}]', "lora", /no adapted weight's name/);
  marked('[{match: "model.embed_tokens", learningRate: 0}]', "full");
  refused('[{match: "**", learningRate: 0}]', "full", /freezes everything/);
  refused('[{match: "**", scale: 2}]', "full", /modules\.0\.scale: needs method: lora/);
  refused('[{match: "**"}]', "full", /needs learningRate, scale or both/);
  const { blueprint } = testRecipe("marked", 'modules: [{match: "**.mpl.**", learningRate: 2}]');
  assert.throws(() => refuseBody(blueprint, smallLlama, options.machine, "nest"), { code: "invalid" });
});

test("a blend is one alpha, alphas by modules, or some to choose from", () => {
  const blended = (blend: string) => resolvePlan({ ...options, recipe: testRecipe("blended", `blend: ${blend}`) });
  assert.deepEqual(blended("0.5").settings.blend, {
    value: { alphas: [0.5], modules: [] },
    origin: "recipe",
    reason: "blended",
  });
  assert.deepEqual(blended("{choose: [1, 0.25, 0.25]}").settings.blend.value, { alphas: [0.25, 1], modules: [] });
  const modules = [{ match: "**.mlp.**", alpha: 0 }];
  assert.deepEqual(blended('{alpha: 1, modules: [{match: "**.mlp.**", alpha: 0}]}').settings.blend.value, {
    alphas: [1],
    modules,
  });
  assert.deepEqual(resolvePlan(options).settings.blend.value, { alphas: [0.6], modules: [] });
  assert.equal(resolvePlan({ ...options, recipe: medium }).settings.blend.value, null);
  for (const [wrong, message] of [
    ["1.5", /blend/],
    ["{choose: []}", /blend\.choose/],
    ["{choose: [0]}", /blend\.choose/],
    ["{alhpa: 1}", /unknown key "alhpa" in blend|blend\.alpha/],
    ['{alpha: 1, modules: [{match: "**.mpl.**", alpha: 0}]}', /in blend\.modules, no weight's name matches/],
  ] as const) {
    assert.throws(() => blended(wrong), { code: "invalid", message });
  }
});

test("the hash covers what decides the result: not the measured rate, not the free disk", () => {
  const plan = resolvePlan(options);
  const elsewhere = { ...options, probe: probed(999), machine: { ...options.machine, diskBytes: 40e9 } };
  assert.equal(planHash(plan), planHash(resolvePlan(elsewhere)));
  assert.equal(planHash(plan), planHash(JSON.parse(canonicalJson(plan))));
  assert.notEqual(planHash(plan), planHash(resolvePlan({ ...options, given: { seed: 2 } })));
  const genome = { ...options.inputs.genome, sha256: "other" };
  assert.notEqual(planHash(plan), planHash(resolvePlan({ ...options, inputs: { ...options.inputs, genome } })));
});

test("a plan is read as it was written, the same bytes each time, and not after a change", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "plan-"));
  t.after(() => rm(folder, { recursive: true }));
  const plan = resolvePlan(options);
  const [one, two] = [join(folder, "one.json"), join(folder, "two.json")];
  await writePlan(one, plan);
  assert.deepEqual(await readPlan(one), plan);
  await writePlan(
    two,
    resolvePlan({ ...options, machine: { ...options.machine, diskBytes: 49e9, memoryBytes: 7.5e9 } }),
  );
  const text = await readFile(one, "utf8");
  assert.equal(await readFile(two, "utf8"), text);
  await writeFile(two, text.replace("0.0007", "0.007"));
  await assert.rejects(readPlan(two), { code: "damaged" });
  await writeFile(two, "null");
  await assert.rejects(readPlan(two), { code: "damaged" });
});

function probed(tokensPerSecond: number): ProbeRecord {
  return {
    origin: "measured",
    bitsPerByte: 2,
    perRepository: [],
    bitsPerByteAfter: null,
    steps: 4,
    byteEntropy: 4.5,
    deflatedBits: 3,
    sampleBytes: 65536,
    bytesPerToken: 3.2,
    sequences: 4,
    sequence: 512,
    flopsPerSecond: 1e11,
    tokensPerSecond,
  };
}

function dietOf(tokens: number): ResolveOptions["diet"] {
  return { stages: [{ name: "all", documents: 1, tokens, trained: tokens }], overlap: [] };
}
