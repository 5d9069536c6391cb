/** Turns what was trained between parent and child, in place, as a recipe's blend does. */

import { blendWeights } from "../../src/imago/blend.ts";
import type { WeightTensor } from "../../src/models/body.ts";
import { loadBody } from "../../src/models/load.ts";
import type { Parameter } from "../../src/models/step.ts";

/** Sets trained parameters to a point between the parent (0) and where they stand now (1). */
export async function turner(model: string, parameters: readonly Parameter[]): Promise<(alpha: number) => void> {
  const isAdapter = parameters.some(({ name }) => name.endsWith(".lora_B.weight"));
  const child = asWeights(parameters.map((parameter) => ({ ...parameter, data: parameter.data.slice() })));
  // B A scales as B does, so an adapter's A stays and its B goes from nothing to what was trained.
  const parent = isAdapter
    ? asWeights(parameters.map((parameter) => ({ ...parameter, data: new Float32Array(parameter.data.length) })))
    : await loadBody(model);
  const modules = isAdapter ? [{ match: "**.lora_A.weight", alpha: 1 }] : [];
  return (alpha) => {
    const blended = blendWeights(parent, child, { alpha, modules });
    for (const { name, data } of parameters) data.set(blended.get(name)!.data);
  };
}

function asWeights(tensors: readonly WeightTensor[]): { weights: Map<string, WeightTensor> } {
  return { weights: new Map(tensors.map((tensor) => [tensor.name, tensor])) };
}
