/** Successive halving over recipes: short trials of all, longer ones of the better half, until one is left. Who trains is passed in. */
import { UserError } from "../errors.ts";
import type { LoadedBlueprint } from "./load.ts";
import { type TrialFigures, trialScore } from "./trial-score.ts";

/** A recipe with its learning rate, or a multiple of it. */
export interface Candidate {
  readonly recipe: LoadedBlueprint;
  readonly multiple: number;
}

export interface Trial {
  readonly recipe: string;
  /** Of the recipe's learning rate. */
  readonly multiple: number;
  readonly steps: number;
  /** These three are null where the training diverged. */
  readonly heldOut: number | null;
  readonly retention: number | null;
  /** Lower is better: `trialScore`. */
  readonly score: number | null;
}

/** What a search found; in plan.json. */
export interface SearchRecord {
  readonly origin: "measured";
  readonly parent: { readonly heldOut: number; readonly retention: number | null };
  /** Round by round, in each of them the best first; every trial of a round has as many operations. */
  readonly rounds: readonly { readonly flops: number; readonly trials: readonly Trial[] }[];
}

export interface TrialResult {
  readonly steps: number;
  /** Null where the training diverged. Retention is null where there is no general text: then nothing counts as forgotten. */
  readonly trained: { readonly heldOut: number; readonly retention: number | null } | null;
  readonly parent: { readonly heldOut: number; readonly retention: number | null };
}

export interface SearchOptions {
  /** Operations of all trials together. */
  readonly flops: number;
  /** Trains a candidate from the parent on, for so many operations. */
  readonly runTrial: (candidate: Candidate, flops: number) => Promise<TrialResult>;
}

/** Multiples of the learning rate that are tried where there are more trials than recipes, the likeliest first. */
const MULTIPLES = [2, 0.5, 4, 0.25, 8, 0.125, 16, 0.0625] as const;

/**
 * What is tried: the recipes in the order given, and where they are fewer than wanted, the first one at other learning rates.
 *
 * @param recipes those that apply, best first; at least one
 */
export function candidatesOf(recipes: readonly LoadedBlueprint[], count: number): Candidate[] {
  const own = recipes.slice(0, count).map((recipe) => ({ recipe, multiple: 1 }));
  const others = MULTIPLES.slice(0, count - own.length).map((multiple) => ({ recipe: recipes[0]!, multiple }));
  return [...own, ...others];
}

/** How many are tried in each round. */
export function roundsOf(count: number): number[] {
  const rounds: number[] = [];
  for (let left = count; left > 1; left = Math.ceil(left / 2)) rounds.push(left);
  return rounds;
}

/**
 * Successive halving (Jamieson and Talwalkar, arXiv 1502.07943): in every round each of those left has as many operations, twice
 * those of the round before, and the better half goes on. Every trial begins with the parent.
 *
 * @returns the one that is left, and everything that was measured
 * @throws UserError "diverged" where that one diverged
 */
export async function successiveHalving(
  candidates: readonly Candidate[],
  { flops, runTrial }: SearchOptions,
): Promise<{ readonly chosen: Candidate; readonly record: SearchRecord }> {
  const sizes = roundsOf(candidates.length);
  const shares = sizes.reduce((sum, size, round) => sum + size * 2 ** round, 0);
  let left = candidates;
  let parent: SearchRecord["parent"] = { heldOut: 0, retention: null };
  const rounds: SearchRecord["rounds"][number][] = [];
  for (const [round] of sizes.entries()) {
    const each = (flops / shares) * 2 ** round;
    const measured: { candidate: Candidate; trial: Trial }[] = [];
    for (const candidate of left) {
      const { steps, trained, parent: before } = await runTrial(candidate, each);
      parent = before;
      const { recipe, multiple } = candidate;
      const name = recipe.blueprint.name;
      const figures =
        trained === null
          ? { heldOut: null, retention: null, score: null }
          : { ...trained, score: scoreOf(trained, before) };
      measured.push({ candidate, trial: { recipe: name, multiple, steps, ...figures } });
    }
    measured.sort((a, b) => (a.trial.score ?? Infinity) - (b.trial.score ?? Infinity) || 0);
    rounds.push({ flops: each, trials: measured.map(({ trial }) => trial) });
    left = measured.slice(0, Math.ceil(left.length / 2)).map(({ candidate }) => candidate);
  }
  if (rounds.at(-1)?.trials[0]?.score === null) {
    throw new UserError("diverged", `the training of every recipe that was tried diverged`, {
      hint: "name a recipe with a smaller learning rate by --blueprint",
    });
  }
  return { chosen: left[0]!, record: { origin: "measured", parent, rounds } };
}

function scoreOf(trained: NonNullable<TrialResult["trained"]>, parent: TrialResult["parent"]): number {
  if (trained.retention === null || parent.retention === null) return trained.heldOut;
  return trialScore(trained as TrialFigures, { retention: parent.retention });
}
