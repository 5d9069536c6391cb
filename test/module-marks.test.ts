/** Marks on modules through the engine: what is frozen, how fast the rest learns, and the scale of single adapters. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createAdamW } from "../src/chrysalis/optimisers/adamw.ts";
import { createMuon, newtonSchulz } from "../src/chrysalis/optimisers/muon.ts";
import type { Optimiser } from "../src/chrysalis/optimisers/optimiser.ts";
import { normal, uniform } from "../src/formats/random.ts";
import { foldScales, mergeTrained } from "../src/imago/trained.ts";
import { createGenerator } from "../src/inference/generate.ts";
import type { Batch } from "../src/models/batch.ts";
import { loadBody } from "../src/models/load.ts";
import { rateOf, scalesOf } from "../src/models/module-marks.ts";
import type { ModuleRule } from "../src/models/module-marks.ts";
import type { Step, StepOptions } from "../src/models/step.ts";
import { compileStep } from "../src/models/step.ts";

const model = new URL("fixtures/parity/llama-a", import.meta.url).pathname;
const [B, T] = [2, 12];
const targets = ["q_proj", "v_proj", "up_proj", "down_proj"];
const plain = { rank: 2, alpha: 4, targets, seed: 3 };

function batch(vocabulary: number): Batch {
  const id = (purpose: string) =>
    Int32Array.from({ length: B * T }, (_, i) => Math.floor(uniform(5, purpose, 0, i) * vocabulary));
  return {
    B,
    T,
    ids: id("ids"),
    targets: id("targets"),
    weights: new Float32Array(B * T).fill(1),
    positions: Int32Array.from({ length: B * T }, (_, i) => i % T),
    documents: new Int32Array(B * T),
  };
}

async function step(train: StepOptions["train"], rules: readonly ModuleRule[] = []) {
  const body = await loadBody(model);
  return { body, step: await compileStep(body, { B, T, train, rateOf: rateOf(rules), threads: 1 }) };
}

/** Gives the adapters weights that do something, the same for every step. */
function adapt({ parameters }: Step): void {
  for (const { name, data } of parameters) for (const i of data.keys()) data[i] = 0.2 * normal(7, name, 0, i);
}

function gradientsOf({ parameters }: Step): Map<string, Float32Array> {
  return new Map(parameters.map(({ name, gradient }) => [name, gradient]));
}

function near(found: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number, what: string): void {
  const difference = Math.hypot(...Array.from(found, (value, i) => value - wanted[i]!));
  assert.ok(found.length === wanted.length && difference <= tolerance * Math.hypot(...Array.from(wanted)), what);
}

test("frozen weights get no gradient and stay bit for bit, whatever of the body they are; the others' gradients are the same", async () => {
  const whole = await step("full");
  const data = batch(whole.body.config.vocabularySize);
  const { loss } = await whole.step.accumulate(data);
  const wanted = gradientsOf(whole.step);
  await whole.step.release();
  const { layers } = whole.body.config;
  assert.ok(layers >= 2);
  const cases: Record<string, [rules: ModuleRule[], isTrained: (name: string) => boolean]> = {
    "a layer": [[{ match: "**.layers.0.**", learningRate: 0 }], (name) => !name.includes(".layers.0.")],
    "a module of all layers": [[{ match: "**.mlp.**", learningRate: 0 }], (name) => !name.includes(".mlp.")],
    "all but the last layer": [
      [
        { match: "**", learningRate: 0 },
        { match: `model.layers.${layers - 1}.**`, learningRate: 1 },
      ],
      (name) => name.includes(`.layers.${layers - 1}.`),
    ],
    "all but the embeddings": [
      [
        { match: "**", learningRate: 0 },
        { match: "model.embed_tokens", learningRate: 1 },
      ],
      (name) => name.includes("embed_tokens"),
    ],
    "all but the last norm": [
      [
        { match: "**", learningRate: 0 },
        { match: "model.norm", learningRate: 1 },
      ],
      (name) => name === "model.norm.weight",
    ],
  };
  for (const [what, [rules, isTrained]] of Object.entries(cases)) {
    const { step: marked } = await step("full", rules);
    const before = marked.parameters.map(({ data: of }) => of.slice());
    assert.equal((await marked.accumulate(data)).loss, loss, what);
    const gradients = gradientsOf(marked);
    for (const [name, gradient] of gradients) {
      if (isTrained(name)) near(gradient, wanted.get(name)!, 1e-6, `${what}: ${name}`);
      else assert.equal(gradient.length, 0, `${what}: ${name}`);
    }
    for (const optimiser of [
      createAdamW(marked.parameters, { weightDecay: 0.1 }),
      createMuon(marked.parameters, { orthogonalise: newtonSchulz, weightDecay: 0.1 }),
    ]) {
      await optimiser.step(0.01, 1);
      assert.ok(
        optimiser.state().every(({ name }) => isTrained(name.replace(/\.(m|v|momentum)$/, ""))),
        what,
      );
    }
    for (const [i, { name, data: of }] of marked.parameters.entries()) {
      if (isTrained(name)) assert.notDeepEqual(of, before[i], `${what}: ${name}`);
      else assert.deepEqual(of, before[i], `${what}: ${name}`);
    }
    await marked.release();
  }
});

test("a factor of 1 changes no bit; another is that of the learning rate and the decay, in both optimisers", async () => {
  const optimisers: ((of: Step) => Optimiser)[] = [
    ({ parameters }) => createAdamW(parameters, { weightDecay: 0.3 }),
    ({ parameters }) => createMuon(parameters, { orthogonalise: newtonSchulz, weightDecay: 0.3 }),
  ];
  for (const create of optimisers) {
    const after = async (rules: readonly ModuleRule[], rate: number): Promise<Map<string, Float32Array>> => {
      const { body, step: of } = await step("full", rules);
      await of.accumulate(batch(body.config.vocabularySize));
      await create(of).step(rate, 0.1);
      await of.release();
      return new Map(of.parameters.map(({ name, data }) => [name, data]));
    };
    const one = await after([], 0.01);
    assert.deepEqual(await after([{ match: "**", learningRate: 1 }], 0.01), one);
    const half = await after([], 0.005);
    const mixed = await after([{ match: "**.mlp.**", learningRate: 0.5 }], 0.01);
    for (const [name, data] of mixed) assert.deepEqual(data, (name.includes(".mlp.") ? half : one).get(name), name);
  }
});

test("a factor of the scale is one of alpha: losses and gradients", async () => {
  const { body, step: scaled } = await step({
    lora: { ...plain, scales: scalesOf([{ match: "**", scale: 0.75 }], (await loadBody(model)).config, plain)! },
  });
  const { step: alpha } = await step({ lora: { ...plain, alpha: 3 } });
  const data = batch(body.config.vocabularySize);
  adapt(scaled);
  adapt(alpha);
  const [one, other] = [await scaled.accumulate(data), await alpha.accumulate(data)];
  assert.ok(Math.abs(one.loss / other.loss - 1) < 1e-6);
  const wanted = gradientsOf(alpha);
  for (const [name, gradient] of gradientsOf(scaled)) near(gradient, wanted.get(name)!, 1e-5, name);
  await scaled.release();
  await alpha.release();
});

test("factors that differ by layer: the step, the generator, the merged weights and the folded adapter agree", async () => {
  const parent = await loadBody(model);
  const rules = [
    { match: "**.q_proj", scale: 2 },
    { match: "**.layers.1.**", scale: 0.3 },
  ];
  const lora = { ...plain, scales: scalesOf(rules, parent.config, plain)! };
  assert.equal(lora.scales.get("model.layers.0.self_attn.q_proj"), 2);
  assert.equal(lora.scales.get("model.layers.1.self_attn.q_proj"), 0.3);
  assert.ok(!lora.scales.has("model.layers.0.mlp.up_proj") && !lora.scales.has("model.layers.1.mlp.gate_proj"));
  const data = batch(parent.config.vocabularySize);

  const { step: trained } = await step({ lora });
  adapt(trained);
  const nll = await trained.evaluate(data);
  const folded = foldScales(trained.parameters, lora);
  const { step: onFolded } = await step({ lora: folded.lora });
  for (const { name, data: of } of onFolded.parameters)
    of.set(folded.tensors.find((tensor) => tensor.name === name)!.data);
  near(await onFolded.evaluate(data), nll, 1e-6, "the folded adapter");

  const weights = mergeTrained(await loadBody(model), folded.tensors, folded.lora);
  const merged = await compileStep({ config: parent.config, weights }, { B, T, train: "none", threads: 1 });
  near(await merged.evaluate(data), nll, 1e-5, "the merged weights");
  const { step: without } = await step({ lora: plain });
  adapt(without);
  const differs = (await without.evaluate(data)).some((value, i) => Math.abs(value - nll[i]!) > 1e-2);
  assert.ok(differs, "the factors matter");

  const generators = [
    createGenerator(parent, { threads: 1, adapter: { lora, parameters: trained.parameters } }),
    createGenerator({ config: parent.config, weights }, { threads: 1 }),
  ];
  const texts = await Promise.all(
    generators.map((generator) => generator.generate([1, 2, 3], { maxTokens: 8, temperature: 1, seed: 4 })),
  );
  assert.deepEqual(texts[0], texts[1]);
  for (const owner of [...generators, trained, onFolded, merged, without]) await owner.release();
});
