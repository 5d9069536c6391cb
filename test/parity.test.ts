/** The engine against PyTorch in float64: see test/fixtures/README.md for what the fixtures hold. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { createAdamW } from "../src/chrysalis/optimisers/adamw.ts";
import { gradientNorm, zeroGradients } from "../src/chrysalis/gradients.ts";
import { openSafetensors } from "../src/formats/safetensors.ts";
import type { Batch } from "../src/models/batch.ts";
import { loadBody } from "../src/models/load.ts";
import type { Parameter, Step, StepOptions } from "../src/models/step.ts";
import { compileStep } from "../src/models/step.ts";

const root = new URL("fixtures/parity/", import.meta.url).pathname;
const names = ["llama-a", "llama-b", "llama-bias", "qwen3-a", "qwen3-b"];

interface RawBatch {
  B: number;
  T: number;
  ids: number[];
  targets: number[];
  weights: number[];
  positions: number[];
  documents: number[];
}

const toBatch = (raw: RawBatch): Batch => ({
  B: raw.B,
  T: raw.T,
  ids: Int32Array.from(raw.ids),
  targets: Int32Array.from(raw.targets),
  weights: Float32Array.from(raw.weights),
  positions: Int32Array.from(raw.positions),
  documents: Int32Array.from(raw.documents),
});

// oxlint-disable-next-line typescript/no-explicit-any -- fixtures are read as they are
const json = (path: string): any => JSON.parse(readFileSync(path, "utf8"));

async function tensorsOf(path: string): Promise<Map<string, Float32Array>> {
  const file = await openSafetensors(path);
  const tensors = new Map<string, Float32Array>();
  for (const name of file.tensors.keys()) tensors.set(name, await file.readF32(name));
  await file.close();
  return tensors;
}

const norm = (x: Iterable<number>): number => Math.sqrt([...x].reduce((sum, value) => sum + value * value, 0));

/** |a - b| <= relative |b| + absolute, in Euclidean norm. */
function close(got: Float32Array, expected: Float32Array, relative: number, absolute: number, what: string): void {
  assert.equal(got.length, expected.length, what);
  const difference = norm(got.map((value, i) => value - expected[i]!));
  assert.ok(difference <= relative * norm(expected) + absolute, `${what}: off by ${difference} of ${norm(expected)}`);
}

async function withStep(
  name: string,
  train: StepOptions["train"],
  run: (step: Step, batch: Batch) => Promise<void>,
  saving: "dear" | "nothing" = "dear",
): Promise<void> {
  const body = await loadBody(root + name);
  const batch = toBatch(json(`${root}${name}/inputs.json`).batch);
  const step = await compileStep(body, { B: batch.B, T: batch.T, train, threads: 1, saving });
  try {
    await run(step, batch);
  } finally {
    await step.release();
  }
}

function checkGradients(parameters: readonly Parameter[], expected: Map<string, Float32Array>, weight: number): void {
  for (const { name, gradient } of parameters) {
    const reference = expected.get(`gradient.${name}`);
    assert.ok(reference, `the fixture has gradient.${name}`);
    close(
      gradient.map((value) => value / weight),
      reference,
      1e-4,
      1e-7,
      `gradient of ${name}`,
    );
  }
  const all = [...expected.keys()].filter((key) => key.startsWith("gradient."));
  assert.equal(parameters.length, all.length, "every gradient of the fixture was compared");
}

for (const name of names) {
  const expected = json(`${root}${name}/expected.json`);

  for (const saving of ["dear", "nothing"] as const) {
    test(`${name}: loss and every gradient (saving ${saving})`, async () => {
      const tensors = await tensorsOf(`${root}${name}/expected.safetensors`);
      await withStep(
        name,
        "full",
        async (step, batch) => {
          const { loss, weight } = await step.accumulate(batch);
          assert.ok(Math.abs(loss / weight - expected.loss) <= 1e-5 * expected.loss, `loss ${loss / weight}`);
          checkGradients(step.parameters, tensors, weight);
        },
        saving,
      );
    });
  }

  test(`${name}: log-likelihoods of scoring, packed and one by one`, async () => {
    const tensors = await tensorsOf(`${root}${name}/expected.safetensors`);
    await withStep(name, "none", async (step, batch) => {
      const nll = await step.evaluate(batch);
      close(
        nll.map((value, i) => value * batch.weights[i]!),
        tensors.get("nll")!,
        1e-5,
        1e-6,
        "nll",
      );
      for (const document of expected.documents) {
        const at = document.sequence * batch.T + document.start;
        const alone: Batch = {
          B: batch.B,
          T: batch.T,
          ids: new Int32Array(batch.ids.length),
          targets: new Int32Array(batch.ids.length),
          weights: new Float32Array(batch.ids.length),
          positions: new Int32Array(batch.ids.length),
          documents: new Int32Array(batch.ids.length).fill(-1),
        };
        for (const key of ["ids", "targets", "weights", "positions", "documents"] as const) {
          alone[key].set(batch[key].subarray(at, at + document.length));
        }
        const own = await step.evaluate(alone);
        const sum = own.reduce((total, value, i) => total + value * alone.weights[i]!, 0);
        assert.ok(Math.abs(sum - document.nll) <= 1e-5 * document.nll + 1e-6, `document ${at}: ${sum}`);
      }
    });
  });

  test(`${name}: ten optimiser steps`, async () => {
    const { optimizer } = json(`${root}${name}/inputs.json`);
    const tensors = await tensorsOf(`${root}${name}/expected.safetensors`);
    await withStep(name, "full", async (step) => {
      const before = step.parameters.map(({ data }) => data.slice());
      const { learningRate, beta1, beta2, epsilon, weightDecay, maxNorm } = optimizer;
      const optimiser = createAdamW(step.parameters, { beta1, beta2, epsilon, weightDecay });
      for (const [index, micro] of optimizer.steps.entries()) {
        zeroGradients(step.parameters);
        let loss = 0;
        let weight = 0;
        for (const raw of micro) {
          const result = await step.accumulate(toBatch(raw));
          loss += result.loss;
          weight += result.weight;
        }
        const length = gradientNorm(step.parameters) / weight;
        const near = (got: number, wanted: number, what: string) =>
          assert.ok(Math.abs(got - wanted) <= 1e-4 * wanted, `step ${index}: ${what} ${got} instead of ${wanted}`);
        near(loss / weight, expected.optimizer.losses[index], "loss");
        near(length, expected.optimizer.gradientNorms[index], "gradient norm");
        await optimiser.step(learningRate, Math.min(1, maxNorm / (length + 1e-6)) / weight);
      }
      for (const [i, { name: parameter, data }] of step.parameters.entries()) {
        const update = data.map((value, j) => value - before[i]![j]!);
        close(update, tensors.get(`update.${parameter}`)!, 1e-3, 0, `update of ${parameter}`);
      }
    });
  });

  for (const kind of ["lora", "rslora"]) {
    const folder = `${root}${name}/${kind}`;
    if (!existsSync(folder)) continue;
    test(`${name}: loss and gradients of a ${kind} adapter`, async () => {
      const config = json(`${folder}/adapter_config.json`);
      const tensors = await tensorsOf(`${folder}/expected.safetensors`);
      const adapter = await tensorsOf(`${folder}/adapter_model.safetensors`);
      const lora = {
        rank: config.r,
        alpha: config.lora_alpha,
        targets: config.target_modules,
        rslora: config.use_rslora,
        seed: 1,
      };
      await withStep(name, { lora }, async (step, batch) => {
        for (const { name: parameter, data } of step.parameters)
          data.set(adapter.get(`base_model.model.${parameter}`)!);
        const { loss, weight } = await step.accumulate(batch);
        const wanted = json(`${folder}/expected.json`).loss;
        assert.ok(Math.abs(loss / weight - wanted) <= 1e-5 * wanted, `loss ${loss / weight} instead of ${wanted}`);
        checkGradients(step.parameters, tensors, weight);
      });
    });
  }

  test(`${name}: a batch of four equals four batches of one`, async () => {
    const raw: RawBatch = json(`${root}${name}/inputs.json`).batch;
    const { B, T } = raw;
    const rows = [0, 1, 1, 0];
    const body = await loadBody(root + name);
    const cut = (row: number): Batch => {
      const part = (list: number[]): number[] => list.slice(row * T, row * T + T);
      return toBatch({
        B: 1,
        T,
        ids: part(raw.ids),
        targets: part(raw.targets),
        weights: part(raw.weights),
        positions: part(raw.positions),
        documents: part(raw.documents),
      });
    };
    assert.equal(B, 2);
    const joined = (key: "ids" | "targets" | "weights" | "positions" | "documents"): number[] =>
      rows.flatMap((row) => raw[key].slice(row * T, row * T + T));
    const four = await compileStep(body, { B: 4, T, train: "full", threads: 1 });
    const one = await compileStep(body, { B: 1, T, train: "full", threads: 1 });
    const whole = await four.accumulate(
      toBatch({
        B: 4,
        T,
        ids: joined("ids"),
        targets: joined("targets"),
        weights: joined("weights"),
        positions: joined("positions"),
        documents: joined("documents"),
      }),
    );
    let loss = 0;
    for (const row of rows) loss += (await one.accumulate(cut(row))).loss;
    assert.ok(Math.abs(whole.loss - loss) <= 1e-5 * loss);
    for (const [i, { name: parameter, gradient }] of four.parameters.entries()) {
      close(one.parameters[i]!.gradient, gradient, 1e-5, 1e-7, `gradient of ${parameter}`);
    }
    await four.release();
    await one.release();
  });
}
