import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import type { WeightTensor } from "../models/body.ts";
import type { InspectedBody } from "../models/load.ts";
import { addDifference, refuseUnrelated } from "./repair.ts";
import type { Comparable } from "./repair.ts";

const tensor = (name: string, shape: number[], data: number[]): WeightTensor => ({
  name,
  shape,
  data: Float32Array.from(data),
});
const weights = (...tensors: WeightTensor[]): Map<string, WeightTensor> => new Map(tensors.map((of) => [of.name, of]));

test("after full training the instruct model's difference to the base is added", () => {
  const base = weights(tensor("w", [3], [1, 2, 3]), tensor("frozen", [1], [1]));
  const instruct = weights(tensor("w", [3], [1.5, 2, 2]), tensor("frozen", [1], [4]));
  addDifference({ weights: instruct }, { weights: base }, [tensor("w", [3], [1.25, 2.5, 3])]);
  assert.deepEqual([...instruct.get("w")!.data], [1.75, 2.5, 2]);
  assert.deepEqual([...instruct.get("frozen")!.data], [4]);
});

const comparable = (
  path: string,
  of: Partial<InspectedBody["config"]>,
  types: string[],
  vocab: object,
): Comparable => ({
  body: { path, config: { hiddenSize: 8, maxPositions: 64, ...of }, storedTypes: types } as unknown as InspectedBody,
  tokenizer: {
    files: new Map([
      ["tokenizer.json", Buffer.from(JSON.stringify({ model: { vocab, merges: [] }, added_tokens: [] }))],
    ]),
  },
});

test("a pair is refused where shapes, tokens or types make its difference meaningless", () => {
  const base = comparable("base", {}, ["BF16"], { a: 0 });
  refuseUnrelated(base, comparable("chat", { maxPositions: 128 }, ["F16", "F32"], { a: 0 }));
  for (const [other, code, message] of [
    [comparable("chat", { hiddenSize: 16 }, ["F32"], { a: 0 }), "mismatch", /differ in hiddenSize: 16 and 8/],
    [comparable("chat", {}, ["F32"], { b: 0 }), "mismatch", /not of one vocabulary/],
    [comparable("chat", {}, ["F32", "Q4_1"], { a: 0 }), "unsupported", /chat holds weights in Q4_1/],
  ] as const) {
    assert.throws(
      () => refuseUnrelated(base, other),
      (error) => error instanceof UserError && error.code === code && message.test(error.message),
    );
  }
});
