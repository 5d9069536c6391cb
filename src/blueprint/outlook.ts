/** What a machine can do for known bodies: predictions by method, from its measured matrix rate. Nothing is trained. */
import type { ModelConfig } from "../models/config.ts";
import type { LoadedBlueprint } from "./load.ts";
import type { Machine } from "./machine.ts";
import { matchRecipes } from "./match.ts";
import { workloadOf } from "./workload.ts";

export interface Outlook {
  readonly model: string;
  readonly parameters: number;
  /** The recipe that would be chosen here. */
  readonly recipe: string;
  readonly method: "full" | "lora";
  readonly trainable: number;
  readonly tokensPerSecond: number;
  /** The least that training needs: one sequence of 512 at a time. */
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly fits: boolean;
}

/**
 * Part of the matrix rate that training steps reach, by the operations they need: 0.74 to 0.83 on the shipped larva,
 * SmolLM2-135M and the shape of Qwen3-0.6B (docs/log.md), less on a busy machine; evaluations are not counted.
 */
const TRAINING_PART = 0.75;

/**
 * Predicts LoRA of rank 16 on all linear modules and full training for each body.
 *
 * @param matrixRate FLOP/s of f32 products on all cores
 */
export function outlookOf(
  bodies: Readonly<Record<string, ModelConfig>>,
  recipes: readonly LoadedBlueprint[],
  machine: Machine,
  matrixRate: number,
): Outlook[] {
  const flopsPerSecond = TRAINING_PART * matrixRate;
  const common = { given: {}, replay: "none" as const, copiesParent: false };
  return Object.entries(bodies).flatMap(([model, config]) => {
    const probe = { flopsPerSecond };
    const { chosen } = matchRecipes(recipes, { ...common, config, machine, genome: undefined, probe });
    return (["lora", "full"] as const).map((method): Outlook => {
      const blueprint = { name: method, description: method, method, optimizer: { learningRate: 1e-4 } };
      const { needs, tokensPerSecond } = workloadOf(blueprint, {
        ...common,
        config,
        // With no memory to spare a micro-batch is one sequence.
        machine: { ...machine, memoryBytes: 0 },
        corpusTokens: undefined,
        genomeBytes: 0,
        flopsPerSecond,
      });
      const { parameters, trainable, memoryBytes, diskBytes } = needs;
      const fits = memoryBytes <= machine.memoryBytes && diskBytes <= machine.diskBytes;
      return {
        model,
        parameters,
        recipe: chosen.recipe.blueprint.name,
        method,
        trainable,
        tokensPerSecond,
        memoryBytes,
        diskBytes,
        fits,
      };
    });
  });
}
