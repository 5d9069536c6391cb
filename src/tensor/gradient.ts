/** Reverse-mode differentiation: appends to a graph the nodes that compute gradients. */

import { invariant } from "../errors.ts";
import type { Value } from "./graph.ts";
import { sameShape } from "./graph.ts";
import { add } from "./elementwise.ts";

/**
 * Gradients of sum(outputs[i] * seeds[i]) with respect to `targets`, as values of the same graph. A target that the
 * outputs do not depend on gives undefined.
 */
export function gradients(
  outputs: readonly Value[],
  seeds: readonly Value[],
  targets: readonly Value[],
): (Value | undefined)[] {
  const graph = outputs[0]!.graph;
  const needed = new Set<Value>(targets);
  const nodes = graph.nodes.slice();
  for (const node of nodes) {
    if (node.inputs.some((input) => needed.has(input))) for (const output of node.outputs) needed.add(output);
  }
  const gradientOf = new Map<Value, Value>();
  const accumulate = (value: Value, gradient: Value): void => {
    invariant(sameShape(value.shape, gradient.shape), `a gradient has shape [${gradient.shape.join(", ")}]`);
    const sofar = gradientOf.get(value);
    gradientOf.set(value, sofar ? add(sofar, gradient) : gradient);
  };
  for (const [i, output] of outputs.entries()) accumulate(output, seeds[i]!);
  for (const node of nodes.toReversed()) {
    const incoming = node.outputs.map((output) => gradientOf.get(output));
    const wanted = node.inputs.map((input) => needed.has(input));
    if (!incoming.some(Boolean) || !wanted.some(Boolean)) continue;
    invariant(node.op.gradient, `${node.op.name} has no gradient`);
    const given = node.op.gradient(node, incoming, wanted);
    for (const [i, input] of node.inputs.entries()) {
      const gradient = given[i];
      if (gradient && wanted[i]) accumulate(input, gradient);
    }
  }
  return targets.map((target) => gradientOf.get(target));
}
