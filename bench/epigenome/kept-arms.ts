/** The arms of "learned against kept": recipes that differ from the body's own in one thing, each read with or without a blend. */

import { LINEAR_MODULES } from "../../src/blueprint/schema.ts";
import type { BenchBody, Recipe } from "./body.ts";

export interface KeptArm {
  readonly name: string;
  /** For people: what the arm is, or what it changes of the default. */
  readonly label: string;
  /** `part`: the default with one thing changed, which shows what that thing adds. */
  readonly role: "default" | "baseline" | "part";
  /** The trials' learning rates are multiples of its own. */
  readonly recipe: Recipe;
  readonly steps: number;
  /** Read off the line between the parent and the end of the training, instead of along the training. */
  readonly isBlended: boolean;
  /** The arm whose trials decide the learning rate: itself, or one that it changes in another thing. */
  readonly rateOf: string;
}

/**
 * Of a recipe's learning rate: as many trials for every arm that has any. More of them lie below, since without a blend the
 * best rate is a quarter of that with one.
 */
export const rateFactors = [0.25, 0.5, 1, 2] as const;

/** A very short run's adapter wants ten to fifteen times the rate of full training (thinkingmachines.ai/blog/lora). */
const RATE_OF_ADAPTER = 10;
const ADAPTER = { rank: 16, alpha: 32, targets: LINEAR_MODULES } as const;

/**
 * The honest baselines of METHODS (plain LoRA on all linear modules; with replay; blended with the parent; both), the
 * body's own recipe, and that recipe with one part taken away, added or changed.
 */
export function keptArms({ recipe }: BenchBody, steps: number): readonly KeptArm[] {
  const own: KeptArm = {
    name: "default",
    label: `default: ${recipe.name}`,
    role: "default",
    recipe,
    steps,
    isBlended: recipe.blend < 1,
    rateOf: "default",
  };
  return recipe.lora === null ? armsOfFull(own, steps) : armsOfAdapter(own, steps);
}

/** For a body whose recipe trains all weights. */
function armsOfFull(own: KeptArm, steps: number): readonly KeptArm[] {
  const { recipe } = own;
  const lora: Recipe = { ...recipe, lora: ADAPTER, learningRate: RATE_OF_ADAPTER * recipe.learningRate, replay: 0 };
  const replayed: Recipe = { ...lora, replay: recipe.replay };
  const wide: Recipe = { ...replayed, lora: { ...ADAPTER, rank: 64, alpha: 128 } };
  const baseline = (name: string, label: string, of: Recipe, isBlended = false): KeptArm => ({
    name,
    label,
    role: "baseline",
    recipe: of,
    steps,
    isBlended,
    rateOf: name,
  });
  const part = (name: string, label: string, change: Partial<KeptArm>): KeptArm => ({
    ...own,
    name,
    label,
    role: "part",
    ...change,
  });
  return [
    baseline("lora", "plain LoRA, rank 16, all linear modules", lora),
    baseline("lora-replay", "LoRA + replay", replayed),
    baseline("lora-blend", "LoRA + blend", lora, true),
    baseline("lora-replay-blend", "LoRA + replay + blend", replayed, true),
    own,
    // What a part of the default adds. A part that decides the order of the texts would stand here too.
    part("no-blend", "default without blend", { isBlended: false, rateOf: "no-blend" }),
    part("no-replay", "default without replay", { recipe: { ...recipe, replay: 0 } }),
    part("more-replay", "default with half replay", { recipe: { ...recipe, replay: 0.5 } }),
    part("short", "default in half the steps", { steps: Math.ceil(steps / 2) }),
    part("rank-64", "LoRA of rank 64 + replay + blend", {
      recipe: wide,
      isBlended: true,
      rateOf: "lora-replay-blend",
    }),
  ];
}

/** For a larger body: the confirmation that its recipe gains on the plain adapter. Every evaluation costs it a minute. */
function armsOfAdapter(own: KeptArm, steps: number): readonly KeptArm[] {
  const plain: KeptArm = {
    name: "lora",
    label: "plain LoRA, all linear modules",
    role: "baseline",
    recipe: { ...own.recipe, replay: 0 },
    steps,
    isBlended: false,
    rateOf: "lora",
  };
  return [plain, own];
}

/** Names a training by all that decides it beside the bench's settings; arms that differ in what is read off share it. */
export function trainingName({ recipe, steps }: KeptArm, learningRate: number, seed: number): string {
  const method = recipe.lora === null ? "full" : `lora${recipe.lora.rank}`;
  return `${method}-replay${recipe.replay}-rate${learningRate}-steps${steps}-seed${seed}`;
}
