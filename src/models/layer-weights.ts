/** The weights of each layer by their names inside it, adapters included: what a compiled block is fed with. */

import { invariant } from "../errors.ts";
import type { Shape } from "../tensor/graph.ts";
import { isTarget, scaleName } from "./adapter.ts";
import type { LoraOptions } from "./adapter.ts";
import type { Body } from "./body.ts";
import type { ModelConfig } from "./config.ts";
import { expectedWeights } from "./weights.ts";

export type LayerWeights = Readonly<Record<string, Float32Array>>;

export const layerPrefix = (layer: number): string => `model.layers.${layer}.`;

/** Shapes of a layer's weights, without the layer's prefix. */
export function layerShapes(config: ModelConfig): Map<string, Shape> {
  const prefix = layerPrefix(0);
  const own = [...expectedWeights(config)].filter(([name]) => name.startsWith(prefix));
  return new Map(own.map(([name, shape]) => [name.slice(prefix.length), shape]));
}

/**
 * Views of the body's weights layer by layer, with the layer's tensors of `adapter` (named as parameters) beside them, and
 * the factors of their scale where `lora` has some.
 */
export function layerWeights(
  body: Pick<Body, "config" | "weights">,
  adapter: readonly { readonly name: string; readonly data: Float32Array }[] = [],
  lora?: LoraOptions,
): LayerWeights[] {
  const names = [...layerShapes(body.config).keys()];
  return Array.from({ length: body.config.layers }, (_, layer) => {
    const prefix = layerPrefix(layer);
    const own: Record<string, Float32Array> = {};
    for (const name of names) own[name] = weightOf(body, prefix + name);
    for (const { name, data } of adapter) if (name.startsWith(prefix)) own[name.slice(prefix.length)] = data;
    if (lora?.scales === undefined) return own;
    for (const module of names.map((name) => name.replace(/\.weight$/, ""))) {
      if (isTarget(module, lora)) own[scaleName(module)] = Float32Array.of(lora.scales.get(prefix + module) ?? 1);
    }
    return own;
  });
}

export function weightOf(body: Pick<Body, "weights">, name: string): Float32Array {
  const tensor = body.weights.get(name);
  invariant(tensor, `the body has no ${name}`);
  return tensor.data;
}

export const EMBEDDING = "model.embed_tokens.weight";
export const FINAL_NORM = "model.norm.weight";
export const HEAD = "lm_head.weight";
