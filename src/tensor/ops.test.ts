import assert from "node:assert/strict";
import { test } from "node:test";
import type { CaseInput, OpCase, OpRecord, Value } from "./graph.ts";
import { Graph } from "./graph.ts";
import { gradients } from "./gradient.ts";
import { ops } from "./ops.ts";
import { extract } from "./program.ts";
import { evaluate } from "./reference.ts";
import { inputName, randomInputs } from "./testing.ts";
import { verify } from "./verify.ts";

const isFloat = (input: CaseInput): boolean => (input.dtype ?? "f32") === "f32";

function build(
  op: OpRecord,
  { inputs, attributes }: OpCase,
): { graph: Graph; inputs: Value[]; outputs: readonly Value[] } {
  const graph = new Graph();
  const values = inputs.map((input, i) => graph.input(inputName(i), input.shape, input.dtype));
  return { graph, inputs: values, outputs: graph.apply(op, values, attributes) };
}

for (const op of ops) {
  for (const [index, item] of op.cases.entries()) {
    test(`${op.name} ${index}: the program is well formed`, () => {
      const { outputs } = build(op, item);
      verify(extract(new Map(outputs.map((output, i) => [`out${i}`, output]))));
    });
    if (!op.gradient) continue;
    test(`${op.name} ${index}: gradient against central differences`, () => {
      const { graph, inputs, outputs } = build(op, item);
      const first = outputs[0]!;
      const seed = graph.input("seed", first.shape);
      const targets = inputs.filter((_, i) => isFloat(item.inputs[i]!));
      const computed = gradients([first], [seed], targets);
      const data = randomInputs([...item.inputs, { shape: first.shape }], index + 1);
      const named = new Map(data.map((array, i) => [i === item.inputs.length ? "seed" : inputName(i), array]));
      const forward = extract(new Map([["y", first]]));
      const objective = (): number =>
        evaluate(forward, named)
          .get("y")!
          .reduce((sum, y, i) => sum + y * named.get("seed")![i]!, 0);
      for (const [t, target] of targets.entries()) {
        const gradient = computed[t];
        if (!gradient) continue;
        const got = evaluate(extract(new Map([["g", gradient]])), named).get("g")!;
        const x = named.get(target.name!)!;
        for (let i = 0; i < x.length; i++) {
          const at = x[i]!;
          const h = 1e-5;
          x[i] = at + h;
          const above = objective();
          x[i] = at - h;
          const below = objective();
          x[i] = at;
          const expected = (above - below) / (2 * h);
          assert.ok(
            Math.abs(got[i]! - expected) <= 1e-6 * Math.max(1, Math.abs(expected)),
            `d/d${target.name}[${i}]: ${got[i]} instead of ${expected}`,
          );
        }
      }
    });
  }
}
