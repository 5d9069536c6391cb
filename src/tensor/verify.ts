/** Checks a program from scratch: every shape derived again, every value computed before its use. */

import { invariant } from "../errors.ts";
import type { Value } from "./graph.ts";
import { sameShape } from "./graph.ts";
import type { Program } from "./program.ts";

/** Throws where a program is not well formed. */
export function verify(program: Program): void {
  const known = new Set<Value>(program.inputs);
  const names = new Set<string>();
  for (const input of program.inputs) {
    invariant(input.name !== undefined && !names.has(input.name), `input ${input.name} has no name of its own`);
    names.add(input.name);
  }
  for (const node of program.graph.nodes) {
    invariant(node.op.onnx && node.op.evaluate, `${node.op.name} is not primitive`);
    for (const input of node.inputs) invariant(known.has(input), `${node.op.name} uses a value before it is computed`);
    const types = node.op.infer(node.inputs, node.attributes);
    invariant(types.length === node.outputs.length, `${node.op.name} gives ${types.length} outputs`);
    for (const [i, output] of node.outputs.entries()) {
      invariant(
        sameShape(types[i]!.shape, output.shape) && types[i]!.dtype === output.dtype,
        `${node.op.name} has another type`,
      );
      known.add(output);
    }
  }
  for (const [name, output] of program.outputs) invariant(known.has(output), `output ${name} is not computed`);
}
