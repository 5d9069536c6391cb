import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { uniform } from "../../formats/random.ts";
import type { Parameter } from "../../models/step.ts";
import { createAdamW } from "./adamw.ts";
import { createMuon, newtonSchulz } from "./muon.ts";

interface Fixture {
  settings: { learningRate: number; momentum: number; weightDecay: number };
  matrices: {
    name: string;
    shape: [number, number];
    weight: number[];
    steps: { gradient: number[]; weight: number[]; momentum: number[] }[];
  }[];
}

const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.hypot(...Array.from(a, (value, i) => value - b[i]!));

test("three steps of tall, wide and square matrices equal the reference in float64", async () => {
  const url = new URL("../../../test/fixtures/muon.json", import.meta.url);
  const { settings, matrices } = JSON.parse(await readFile(url, "utf8")) as Fixture;
  const parameters = matrices.map(({ name, shape, weight }): Parameter => {
    const data = Float32Array.from(weight);
    return { name, shape, kind: "matrix", data, gradient: new Float32Array(data.length) };
  });
  const { momentum, weightDecay, learningRate } = settings;
  const optimiser = createMuon(parameters, { orthogonalise: newtonSchulz, momentum, weightDecay });
  // Gradients arrive as sums; the scale given with the step makes means of them.
  for (let step = 0; step < 3; step++) {
    parameters.forEach(({ gradient }, p) => gradient.set(matrices[p]!.steps[step]!.gradient.map((g) => 4 * g)));
    await optimiser.step(learningRate, 0.25);
    matrices.forEach(({ name, weight, steps }, p) => {
      const wanted = steps[step]!;
      const update = distance(wanted.weight, weight);
      assert.ok(distance(parameters[p]!.data, wanted.weight) <= 1e-5 * update, `${name}, step ${step}`);
      const buffer = optimiser.state().find((tensor) => tensor.name === `${name}.momentum`)!;
      assert.ok(distance(buffer.data, wanted.momentum) <= 1e-6 * Math.hypot(...wanted.momentum), name);
    });
  }
});

test("everything that is no matrix is AdamW's", async () => {
  const make = (): Parameter[] =>
    (["embedding", "matrix", "head", "norm", "bias"] as const).map((kind, p) => ({
      name: kind,
      shape: [4, 6],
      kind,
      data: Float32Array.from({ length: 24 }, (_, i) => uniform(3, "weight", p, i)),
      gradient: Float32Array.from({ length: 24 }, (_, i) => uniform(3, "gradient", p, i) - 0.5),
    }));
  const [mixed, plain] = [make(), make()];
  await createMuon(mixed, { orthogonalise: newtonSchulz, weightDecay: 0.2 }).step(0.01, 1);
  await createAdamW(plain, { weightDecay: 0.2 }).step(0.01, 1);
  mixed.forEach(({ kind, data }, p) => {
    if (kind === "matrix") assert.notDeepEqual(data, plain[p]!.data);
    else assert.deepEqual(data, plain[p]!.data, kind);
  });
});

test("Newton-Schulz brings every singular value near 1 and keeps its argument", async () => {
  const [rows, cols] = [9, 4];
  const matrix = Float32Array.from({ length: rows * cols }, (_, i) => uniform(5, "matrix", 0, i) - 0.5);
  const before = matrix.slice();
  const x = await newtonSchulz(matrix, rows, cols);
  assert.deepEqual(matrix, before);
  for (let i = 0; i < cols; i++) {
    for (let j = 0; j < cols; j++) {
      let dot = 0;
      for (let r = 0; r < rows; r++) dot += x[r * cols + i]! * x[r * cols + j]!;
      // Five steps end with singular values in about [0.7, 1.2], so X^T X is near the identity, not at it.
      assert.ok(Math.abs(dot - (i === j ? 1 : 0)) < 0.5, `column ${i} . column ${j} = ${dot}`);
    }
  }
});
