/** What training left, put together with the parent: the whole model in f32, and the adapter where there is one. */

import { invariant } from "../errors.ts";
import { loraScale } from "../models/adapter.ts";
import type { LoraOptions } from "../models/adapter.ts";
import type { Body, WeightTensor } from "../models/body.ts";
import { mergeLora } from "../models/save.ts";
import { alphaOf, blendWeights } from "./blend.ts";
import type { Blend } from "./blend.ts";

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
  invariant(lora.scales === undefined, "factors of the scale are folded into the adapter before it is merged");
  for (const [name, weight] of weights) {
    const module = name.replace(/\.weight$/, "");
    const a = tensors.get(`${module}.lora_A.weight`);
    const b = tensors.get(`${module}.lora_B.weight`);
    if (a && b) weights.set(name, { ...weight, data: mergeLora(weight, a, b, loraScale(lora)) });
  }
  return weights;
}

/**
 * The weights between the parent and the trained model, in f32. For an adapter that is its B multiplied by alpha: what
 * is exported of it then is the blend too. The parent is left as it is.
 *
 * @param trained all weights after full training, or the adapter's tensors with its factors folded
 */
export function blendTrained(
  parent: Pick<Body, "weights">,
  trained: readonly WeightTensor[],
  lora: LoraOptions | undefined,
  blend: Blend,
): Map<string, WeightTensor> {
  if (lora === undefined) {
    const child = new Map(trained.map((tensor) => [tensor.name, tensor]));
    return blendWeights(parent, { weights: child }, blend);
  }
  return mergeTrained({ weights: new Map(parent.weights) }, scaleAdapter(trained, alphaOf(blend)), lora);
}

/**
 * An adapter whose B is multiplied, module by module: by 0 it changes nothing, by 1 it is left as it is.
 *
 * @param factorOf by the name of the adapted weight
 */
export function scaleAdapter(
  adapter: readonly WeightTensor[],
  factorOf: (weight: string) => number,
): readonly WeightTensor[] {
  return adapter.map((tensor) => {
    const module = /^(.*)\.lora_B\.weight$/.exec(tensor.name)?.[1];
    const factor = module === undefined ? 1 : factorOf(`${module}.weight`);
    return factor === 1 ? tensor : { ...tensor, data: tensor.data.map((value) => factor * value) };
  });
}

/**
 * An adapter as trained, with the factors of its scale put into B: it then has one scale, as every reader of adapters
 * understands it.
 */
export function foldScales(
  adapter: readonly WeightTensor[],
  { scales, ...lora }: LoraOptions,
): { readonly tensors: readonly WeightTensor[]; readonly lora: LoraOptions } {
  if (scales === undefined) return { tensors: adapter, lora };
  const factorOf = (weight: string): number => scales.get(weight.replace(/\.weight$/, "")) ?? 1;
  return { tensors: scaleAdapter(adapter, factorOf), lora };
}
