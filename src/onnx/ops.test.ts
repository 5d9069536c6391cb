import assert from "node:assert/strict";
import { test } from "node:test";
import { Graph } from "../tensor/graph.ts";
import { ops } from "../tensor/ops.ts";
import { extract } from "../tensor/program.ts";
import { evaluate } from "../tensor/reference.ts";
import { inputName, randomInputs } from "../tensor/testing.ts";
import { allocate, createSession } from "./session.ts";

for (const op of ops) {
  for (const [index, item] of op.cases.entries()) {
    test(`${op.name} ${index}: execution against the reference`, async () => {
      const graph = new Graph();
      const inputs = item.inputs.map((input, i) => graph.input(inputName(i), input.shape, input.dtype));
      const outputs = graph.apply(op, inputs, item.attributes);
      const program = extract(new Map(outputs.map((output, i) => [`out${i}`, output])));
      const data = randomInputs(item.inputs, index + 7);
      const named = new Map(data.map((array, i) => [inputName(i), array]));
      for (const input of program.inputs) if (!named.has(input.name!)) assert.fail(`unknown input ${input.name}`);
      const expected = evaluate(program, named);
      const session = await createSession(program, { threads: 1 });
      const feeds = Object.fromEntries(
        program.inputs.map((input) => {
          const array = allocate(input);
          const values = named.get(input.name!)!;
          for (let i = 0; i < values.length; i++)
            array[i] = array instanceof BigInt64Array ? BigInt(values[i]!) : values[i]!;
          return [input.name!, array];
        }),
      );
      const into = Object.fromEntries([...program.outputs].map(([name, value]) => [name, allocate(value)]));
      await session.run(feeds, into);
      await session.release();
      for (const [name, values] of expected) {
        const got = into[name]!;
        let norm = 0;
        let difference = 0;
        for (const [i, value] of values.entries()) {
          norm += value ** 2;
          difference += (Number(got[i]) - value) ** 2;
        }
        assert.ok(
          Math.sqrt(difference) <= 2e-6 * Math.sqrt(norm) + 1e-7,
          `${name} differs by ${Math.sqrt(difference)}`,
        );
      }
    });
  }
}
