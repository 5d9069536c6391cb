/** Shapes and recipes for tests. */
import type { ModelConfig } from "../models/config.ts";
import { smolLm2 } from "./known-bodies.ts";
import { type LoadedBlueprint, parseBlueprint } from "./load.ts";

export const smallLlama: ModelConfig = {
  ...smolLm2,
  vocabularySize: 6144,
  hiddenSize: 256,
  intermediateSize: 768,
  layers: 5,
  heads: 4,
  keyValueHeads: 2,
  maxPositions: 512,
};

/** The least that a blueprint must say, and more lines of YAML. */
export function testRecipe(name: string, more = "", method: "full" | "lora" = "full"): LoadedBlueprint {
  const yaml = `name: ${name}\ndescription: y\nmethod: ${method}\noptimizer: {learningRate: 1e-3}\n${more}\n`;
  return { blueprint: parseBlueprint(yaml, name), file: `${name}.yaml`, yaml, sha256: name };
}
