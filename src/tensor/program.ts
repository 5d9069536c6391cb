/** A program: the part of a graph that computes named outputs from named inputs; how a graph is cut into programs. */

import { invariant } from "../errors.ts";
import type { Value } from "./graph.ts";
import { Graph } from "./graph.ts";

/** A graph of primitive ops with named inputs and outputs, ready to be executed. */
export interface Program {
  readonly graph: Graph;
  readonly inputs: readonly Value[];
  readonly outputs: ReadonlyMap<string, Value>;
}

/**
 * Copies what `outputs` need into a fresh graph of primitive ops. Values in `given` become inputs of the program (named
 * by the map) instead of being computed: that is how a backward program receives what the forward one kept.
 */
export function extract(outputs: ReadonlyMap<string, Value>, given: ReadonlyMap<Value, string> = new Map()): Program {
  const graph = new Graph();
  const copies = new Map<Value, Value>();
  const copy = (value: Value): Value => {
    const known = copies.get(value);
    if (known) return known;
    const name = given.get(value) ?? value.name;
    if (name !== undefined) {
      const input = graph.input(name, value.shape, value.dtype);
      copies.set(value, input);
      return input;
    }
    const node = value.node!;
    const inputs = node.inputs.map(copy);
    const results = lower(graph, node.op, inputs, node.attributes);
    // An output that is given stays an input, even where its sibling is computed here.
    for (const [i, output] of node.outputs.entries()) if (!copies.has(output)) copies.set(output, results[i]!);
    return copies.get(value)!;
  };
  const results = new Map([...outputs].map(([name, value]) => [name, copy(value)]));
  return { graph: prune(graph, [...results.values()]), inputs: graph.inputs, outputs: results };
}

function lower(
  graph: Graph,
  op: Value["graph"]["nodes"][number]["op"],
  inputs: readonly Value[],
  attributes: unknown,
): readonly Value[] {
  if (!op.expand) return graph.apply(op, inputs, attributes);
  // Composite ops expand into calls of others, which may be composite again: expand in a scratch graph, then copy.
  const scratch = new Graph();
  const stand = inputs.map((input, i) => scratch.input(`${i}`, input.shape, input.dtype));
  const results = op.expand(stand, attributes);
  const copies = new Map<Value, Value>(stand.map((value, i) => [value, inputs[i]!]));
  for (const node of scratch.nodes) {
    const outputs = lower(
      graph,
      node.op,
      node.inputs.map((value) => copies.get(value)!),
      node.attributes,
    );
    for (const [i, output] of node.outputs.entries()) copies.set(output, outputs[i]!);
  }
  return results.map((value) => copies.get(value)!);
}

/** Drops nodes that no output needs. */
function prune(graph: Graph, outputs: readonly Value[]): Graph {
  const live = new Set<Value>(outputs);
  const kept = graph.nodes.toReversed().filter((node) => {
    if (!node.outputs.some((output) => live.has(output))) return false;
    for (const input of node.inputs) live.add(input);
    return true;
  });
  graph.nodes.splice(0, graph.nodes.length, ...kept.toReversed());
  return graph;
}

/** What to keep of the forward pass for the backward one. */
export type Saving = "dear" | "nothing";

/**
 * Values of the forward pass that a backward program should be given. `dear`: results of costly ops that the gradients
 * use, directly or through cheap ones that are computed again; `nothing`: all is computed again from the inputs.
 */
export function valuesToSave(forwardNodes: number, graph: Graph, targets: readonly Value[], saving: Saving): Value[] {
  if (saving === "nothing") return [];
  const forward = new Set(graph.nodes.slice(0, forwardNodes).flatMap((node) => node.outputs));
  const saved = new Set<Value>();
  const seen = new Set<Value>();
  const visit = (value: Value): void => {
    if (seen.has(value)) return;
    seen.add(value);
    if (!value.node) return;
    if (forward.has(value) && !value.node.op.cheap) {
      saved.add(value);
      return;
    }
    for (const input of value.node.inputs) visit(input);
  };
  for (const target of targets) visit(target);
  invariant(
    [...saved].every((value) => value.node),
    "only computed values are saved",
  );
  return [...saved];
}
