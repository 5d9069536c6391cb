import assert from "node:assert/strict";
import { test } from "node:test";
import { uniform } from "../../formats/random.ts";
import type { Parameter } from "../../models/step.ts";
import { createAdamW } from "./adamw.ts";

const KINDS = ["matrix", "head", "embedding", "norm", "bias"] as const;

function parameters(): Parameter[] {
  return KINDS.map((kind, p) => {
    const data = Float32Array.from({ length: 12 }, (_, i) => uniform(1, "weight", p, i) - 0.5);
    return { name: kind, shape: [3, 4], kind, data, gradient: new Float32Array(12) };
  });
}

function setGradients(list: readonly Parameter[], step: number): void {
  list.forEach(({ gradient }, p) =>
    gradient.forEach((_, i) => (gradient[i] = (uniform(2, "gradient", step, p * 12 + i) - 0.5) * (i + 1))),
  );
}

test("ten steps equal the rule in float64, per tensor, by the update", async () => {
  const [beta1, beta2, epsilon, decay] = [0.8, 0.9, 1e-6, 0.3];
  const list = parameters();
  const optimiser = createAdamW(list, { beta1, beta2, epsilon, weightDecay: decay });
  const start = list.map(({ data }) => Float64Array.from(data));
  const weights = start.map((x) => x.slice());
  const m = start.map((x) => x.map(() => 0));
  const v = start.map((x) => x.map(() => 0));
  for (let t = 1; t <= 10; t++) {
    const rate = 1e-3 * t;
    setGradients(list, t);
    await optimiser.step(rate, 0.25);
    list.forEach(({ gradient, kind }, p) => {
      for (let i = 0; i < 12; i++) {
        const g = 0.25 * gradient[i]!;
        m[p]![i] = beta1 * m[p]![i]! + (1 - beta1) * g;
        v[p]![i] = beta2 * v[p]![i]! + (1 - beta2) * g ** 2;
        if (kind === "matrix" || kind === "head") weights[p]![i]! *= 1 - rate * decay;
        const mean = m[p]![i]! / (1 - beta1 ** t);
        weights[p]![i]! -= (rate * mean) / (Math.sqrt(v[p]![i]! / (1 - beta2 ** t)) + epsilon);
      }
    });
  }
  list.forEach(({ data, kind }, p) => {
    const wanted = weights[p]!.map((value, i) => value - start[p]![i]!);
    const error = Math.hypot(...wanted.map((value, i) => value - (data[i]! - start[p]![i]!)));
    assert.ok(error <= 1e-5 * Math.hypot(...wanted), `${kind}: ${error}`);
  });
});

test("only matrices and heads decay", async () => {
  const list = parameters();
  const before = list.map(({ data }) => data.slice());
  await createAdamW(list, { weightDecay: 0.5 }).step(0.1, 1);
  list.forEach(({ data, kind }, p) => {
    const factor = kind === "matrix" || kind === "head" ? Math.fround(0.95) : 1;
    data.forEach((value, i) => assert.ok(Math.abs(value - factor * before[p]![i]!) < 1e-6, kind));
  });
});

test("state put back and step count resumed, an optimiser goes on bit for bit", async () => {
  const whole = parameters();
  const first = createAdamW(whole);
  for (let t = 1; t <= 3; t++) {
    setGradients(whole, t);
    await first.step(0.01, 1);
  }
  const copy = whole.map((parameter) => ({
    ...parameter,
    data: parameter.data.slice(),
    gradient: new Float32Array(12),
  }));
  const second = createAdamW(copy);
  const saved = new Map(first.state().map(({ name, data }) => [name, data]));
  for (const { name, data } of second.state()) data.set(saved.get(name)!);
  second.resumeAt(first.steps);
  for (const [list, optimiser] of [
    [whole, first],
    [copy, second],
  ] as const) {
    setGradients(list, 4);
    await optimiser.step(0.01, 1);
  }
  assert.deepEqual(
    copy.map(({ data }) => data),
    whole.map(({ data }) => data),
  );
});
