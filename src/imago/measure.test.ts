import assert from "node:assert/strict";
import { test } from "node:test";
import type { DocumentScore } from "../eval/bits-per-byte.ts";
import { judgeRounding, exportType } from "./export.ts";
import { compare, total } from "./measure.ts";
import { promptOf } from "./sample.ts";
import { foldScales, mergeTrained, scaleAdapter } from "./trained.ts";

function scores(pairs: readonly (readonly [bits: number, bytes: number])[]): DocumentScore[] {
  return pairs.map(([bits, bytes], i) => {
    return { id: `d${i}`, nats: bits * Math.LN2, bytes, bitsPerByte: bits / bytes, tokens: 1 };
  });
}

test("a change is that of the totals, its standard error the paired one over documents", () => {
  const before = scores([
    [200, 100],
    [300, 100],
    [800, 200],
  ]);
  const after = scores([
    [190, 100],
    [270, 100],
    [720, 200],
  ]);
  const { relative, difference, standardError } = compare(before, after);
  assert.ok(Math.abs(total(before) - 3.25) < 1e-12);
  assert.ok(Math.abs(relative - (1180 / 1300 - 1)) < 1e-12);
  assert.ok(Math.abs(difference - -0.3) < 1e-12);
  // Residuals -10 + 30, -30 + 30, -80 + 60 bits: sqrt(3 / 2 x 800) / 400.
  assert.ok(Math.abs(standardError! - Math.sqrt(1200) / 400) < 1e-12);
  assert.equal(compare(before.slice(0, 1), after.slice(0, 1)).standardError, null);
  const even = scores([
    [150, 100],
    [250, 100],
    [700, 200],
  ]);
  assert.ok(compare(before, even).standardError! < 1e-9, "the same change everywhere has no error");
});

test("rounding is judged by the part of the gain that it costs", () => {
  assert.ok(Math.abs(judgeRounding(2, 1.5, 1.52).lost! - 0.04) < 1e-12);
  assert.ok(judgeRounding(2, 1.5, 1.499).lost! < 0);
  assert.equal(judgeRounding(2, 2.1, 2.2).lost, null);
  assert.deepEqual(
    (["parent", "f32", "bf16"] as const).map((wanted) => exportType(wanted, "F16")),
    ["F16", "F32", "BF16"],
  );
});

test("a prompt is the beginning of the first document that is long enough", () => {
  const tokenizer = { separator: 9, encodeContent: (text: string) => [...text].map(Number) };
  const documents = [
    { id: "short", text: "12" },
    { id: "long", text: "1234567812345678" },
  ];
  assert.deepEqual(promptOf(documents, tokenizer, 16), { document: "long", ids: [9, 1, 2, 3, 4] });
  const whole = { document: "long", ids: [9, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8] };
  assert.deepEqual(promptOf(documents, tokenizer, 1000), whole);
  assert.deepEqual(promptOf([], tokenizer, 1000), { document: "", ids: [9] });
});

test("trained tensors replace the parent's, an adapter is added to them", () => {
  const tensor = (name: string, shape: number[], values: number[]) => ({
    name,
    shape,
    data: Float32Array.from(values),
  });
  const parent = () => {
    const all = [tensor("m.q_proj.weight", [2, 2], [1, 2, 3, 4]), tensor("m.norm.weight", [2], [1, 1])];
    return { weights: new Map(all.map((weight) => [weight.name, weight])) };
  };
  const full = mergeTrained(parent(), [tensor("m.norm.weight", [2], [5, 6])], undefined);
  assert.deepEqual([...full.get("m.norm.weight")!.data], [5, 6]);
  const adapter = [tensor("m.q_proj.lora_A.weight", [1, 2], [1, 2]), tensor("m.q_proj.lora_B.weight", [2, 1], [1, -1])];
  const lora = { rank: 1, alpha: 2, targets: ["q_proj"], seed: 0 };
  assert.deepEqual([...mergeTrained(parent(), adapter, lora).get("m.q_proj.weight")!.data], [3, 6, 1, 0]);
  const none = mergeTrained(
    parent(),
    scaleAdapter(adapter, () => 0),
    lora,
  );
  assert.deepEqual([...none.get("m.q_proj.weight")!.data], [1, 2, 3, 4]);
  const scales = new Map([["m.q_proj", 0.25]]);
  const folded = foldScales(adapter, { ...lora, scales });
  assert.deepEqual(folded.lora, lora);
  const { data } = mergeTrained(parent(), folded.tensors, folded.lora).get("m.q_proj.weight")!;
  assert.deepEqual(
    [...data],
    [...mergeTrained(parent(), adapter, { ...lora, alpha: 0.5 }).get("m.q_proj.weight")!.data],
  );
  assert.throws(() => mergeTrained(parent(), [tensor("m.other.weight", [1], [1])], undefined), /m\.other/);
});
