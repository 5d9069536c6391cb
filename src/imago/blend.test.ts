import assert from "node:assert/strict";
import { test } from "node:test";
import type { WeightTensor } from "../models/body.ts";
import { blendWeights } from "./blend.ts";

function weights(values: Readonly<Record<string, readonly number[]>>): Map<string, WeightTensor> {
  return new Map(
    Object.entries(values).map(([name, data]) => [name, { name, shape: [data.length], data: Float32Array.from(data) }]),
  );
}

const names = ["model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight", "model.layers.1.mlp.up_proj.weight"];
const parent = { weights: weights(Object.fromEntries(names.map((name, i) => [name, [i, 0.1]]))) };
const child = { weights: weights(Object.fromEntries(names.map((name, i) => [name, [i + 1, 0.7]]))) };

function values(of: ReadonlyMap<string, WeightTensor>): number[][] {
  return [...of.values()].map(({ data }) => [...data]);
}

test("a blend lies between parent and child, and is either of them bit for bit at the ends", () => {
  assert.deepEqual(values(blendWeights(parent, child, { alpha: 0, modules: [] })), values(parent.weights));
  assert.deepEqual(values(blendWeights(parent, child, { alpha: 1, modules: [] })), values(child.weights));
  const [first] = values(blendWeights(parent, child, { alpha: 0.25, modules: [] }));
  assert.ok(Math.abs(first![0]! - 0.25) < 1e-7 && Math.abs(first![1]! - 0.25) < 1e-7);
  const { data } = blendWeights(parent, child, { alpha: 1, modules: [] }).get(names[0]!)!;
  assert.notEqual(data, child.weights.get(names[0]!)!.data, "the child's own weights are not handed out");
});

test("weights whose names match have an alpha of their own, the last match's", () => {
  const modules = [
    { match: "**.mlp.**", alpha: 0 },
    { match: "model.layers.1.**", alpha: 1 },
  ];
  const blended = blendWeights(parent, child, { alpha: 0.5, modules });
  assert.deepEqual(
    values(blended).map(([value]) => value),
    [0.5, 1, 3],
  );
  assert.throws(() => blendWeights(parent, child, { alpha: 1, modules: [{ match: "**.mpl.**", alpha: 0 }] }), {
    code: "invalid",
    message: /no weight's name matches \*\*\.mpl\.\*\*/,
  });
});

test("models of different shapes are not blended", () => {
  const other = { weights: weights({ "model.embed_tokens.weight": [1, 2, 3] }) };
  assert.throws(() => blendWeights(parent, other, { alpha: 1, modules: [] }), {
    code: "mismatch",
    message: /embed_tokens/,
  });
});
