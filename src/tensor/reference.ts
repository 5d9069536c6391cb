/** Reference evaluation of a program in float64: slow, obvious, and what every other execution is compared with. */

import { invariant } from "../errors.ts";
import type { ReferenceTensor, Value } from "./graph.ts";
import { sizeOf } from "./graph.ts";
import type { Program } from "./program.ts";

/** Outputs of `program` for the named inputs. */
export function evaluate(program: Program, inputs: ReadonlyMap<string, Float64Array>): Map<string, Float64Array> {
  const known = new Map<Value, ReferenceTensor>();
  for (const input of program.inputs) {
    const data = inputs.get(input.name!);
    invariant(data?.length === sizeOf(input.shape), `input ${input.name} is missing or has another size`);
    known.set(input, { shape: input.shape, data });
  }
  for (const node of program.graph.nodes) {
    invariant(node.op.evaluate, `${node.op.name} is not primitive`);
    const results = node.op.evaluate(
      node.inputs.map((input) => known.get(input)!),
      node,
    );
    for (const [i, output] of node.outputs.entries()) known.set(output, results[i]!);
  }
  return new Map([...program.outputs].map(([name, value]) => [name, known.get(value)!.data]));
}
