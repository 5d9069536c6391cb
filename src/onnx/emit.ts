/** A program as an ONNX model: each node writes its own form, constants are shared. */

import { encodeOnnxModel } from "../formats/onnx.ts";
import type { OnnxNode, OnnxTensor } from "../formats/onnx.ts";
import type { OnnxEmitter, Value } from "../tensor/graph.ts";
import type { Program } from "../tensor/program.ts";
import { verify } from "../tensor/verify.ts";

/** Newest operator sets that all the ops here are defined in. */
const opsets = { "": 18, "com.microsoft": 1 };

/** Bytes of the ONNX model that computes `program`. */
export function emitOnnx(program: Program, name: string): Uint8Array {
  verify(program);
  const nodes: OnnxNode[] = [];
  const constants = new Map<string, OnnxTensor>();
  const names = new Map<Value, string>();
  for (const input of program.inputs) names.set(input, input.name!);
  for (const [output, value] of program.outputs) if (!names.has(value)) names.set(value, output);
  let temporaries = 0;
  const emitter: OnnxEmitter = {
    name: (value) => {
      const known = names.get(value) ?? `%${value.id}`;
      names.set(value, known);
      return known;
    },
    temporary: () => `%t${temporaries++}`,
    constant: (element, shape, data) => {
      const key = `${element}[${shape.join()}]${data.join()}`;
      const known = constants.get(key) ?? { name: `%c${constants.size}`, element, shape, data };
      constants.set(key, known);
      return known.name;
    },
    node: (type, inputs, outputs, attributes = {}, domain = "") =>
      void nodes.push({ type, domain, inputs, outputs, attributes }),
  };
  for (const node of program.graph.nodes) node.op.onnx!(node, emitter);
  // A value that is an input, or two outputs at once, needs a copy for each further name.
  for (const [output, value] of program.outputs) {
    if (names.get(value) !== output) nodes.push(identity(emitter.name(value), output));
  }
  const describe = (value: Value, as: string) => ({ name: as, element: value.dtype, shape: value.shape });
  return encodeOnnxModel({
    name,
    opsets,
    inputs: program.inputs.map((value) => describe(value, value.name!)),
    outputs: [...program.outputs].map(([as, value]) => describe(value, as)),
    constants: [...constants.values()],
    nodes,
  });
}

const identity = (from: string, to: string): OnnxNode => ({
  type: "Identity",
  domain: "",
  inputs: [from],
  outputs: [to],
  attributes: {},
});
