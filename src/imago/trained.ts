/** What training left, put together with the parent: the whole model in f32, and the adapter where there is one. */

import { invariant } from "../errors.ts";
import { loraScale } from "../models/adapter.ts";
import type { LoraOptions } from "../models/adapter.ts";
import type { Body, WeightTensor } from "../models/body.ts";
import { mergeLora } from "../models/save.ts";

/**
 * The trained model's weights in f32. The parent's are used up: those that training changed are replaced one by one, so
 * that two whole models never stand in memory.
 *
 * @param trained all weights after full training, or the adapter's tensors
 */
export function mergeTrained(
  parent: Pick<Body, "weights">,
  trained: readonly WeightTensor[],
  lora: LoraOptions | undefined,
): Map<string, WeightTensor> {
  const { weights } = parent;
  const tensors = new Map(trained.map((tensor) => [tensor.name, tensor]));
  if (lora === undefined) {
    for (const [name, tensor] of tensors) {
      invariant(weights.has(name), `the parent has no "${name}"`);
      weights.set(name, tensor);
    }
    return weights;
  }
  for (const [name, weight] of weights) {
    const module = name.replace(/\.weight$/, "");
    const a = tensors.get(`${module}.lora_A.weight`);
    const b = tensors.get(`${module}.lora_B.weight`);
    if (a && b) weights.set(name, { ...weight, data: mergeLora(weight, a, b, loraScale(lora)) });
  }
  return weights;
}

/** An adapter that changes nothing, shaped as `adapter`: B is zero. */
export function withoutEffect(adapter: readonly WeightTensor[]): WeightTensor[] {
  return adapter.map((tensor) =>
    tensor.name.endsWith(".lora_B.weight") ? { ...tensor, data: new Float32Array(tensor.data.length) } : tensor,
  );
}
