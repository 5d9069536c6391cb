/** Marks on modules: how fast single weights learn, and how much their adapters add. */

import type { LoraOptions } from "./adapter.ts";
import { isTarget } from "./adapter.ts";
import type { ModelConfig } from "./config.ts";
import { lastMatching } from "./weight-names.ts";
import type { NameRule } from "./weight-names.ts";
import { expectedWeights } from "./weights.ts";

/** In each field the last rule counts that matches a weight and speaks of the field. */
export interface ModuleRule extends NameRule {
  /** Factor of the learning rate, at least 0. */
  readonly learningRate?: number | undefined;
  /** Factor of the adapter's scale, above 0. */
  readonly scale?: number | undefined;
}

/** Factor of the learning rate for a weight's name; 0 freezes it. */
export function rateOf(rules: readonly ModuleRule[]): (weight: string) => number {
  return lastMatching(rules, ({ learningRate }) => learningRate, 1);
}

/** Factors of the scale of a body's adapters, by module; undefined where all are 1. */
export function scalesOf(
  rules: readonly ModuleRule[],
  config: ModelConfig,
  lora: Pick<LoraOptions, "targets">,
): ReadonlyMap<string, number> | undefined {
  const scaleOf = lastMatching(rules, ({ scale }) => scale, 1);
  const scales = new Map<string, number>();
  for (const weight of expectedWeights(config).keys()) {
    const module = weight.replace(/\.weight$/, "");
    if (isTarget(module, lora) && scaleOf(weight) !== 1) scales.set(module, scaleOf(weight));
  }
  return scales.size === 0 ? undefined : scales;
}
