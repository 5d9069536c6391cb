/** The model finds its recipe: filters by predicate, ranks by score, says why and what would change it. */
import { UserError } from "../errors.ts";
import type { ModelConfig } from "../models/config.ts";
import { countParameters } from "../models/weights.ts";
import type { GenomeFacts } from "./genome-facts.ts";
import { type Facts, type Judgement, judge, readable, readableBytes } from "./judge.ts";
import type { LoadedBlueprint } from "./load.ts";
import type { Machine } from "./machine.ts";
import type { ReplayFrom } from "./resolve-synthetic.ts";
import { type Score, scoreRecipe } from "./score.ts";
import { BYTES_PER_TOKEN, type Given, workloadOf } from "./workload.ts";

export interface MatchOptions {
  readonly config: ModelConfig;
  /** Undefined where it is not known (yet). */
  readonly genome: GenomeFacts | undefined;
  readonly machine: Machine;
  readonly given: Given;
  readonly replay: ReplayFrom;
  readonly copiesParent: boolean;
  /** What a probe measured, for estimates that are nearer. */
  readonly probe?: {
    /** Operations per second that training reaches on all cores. */
    readonly flopsPerSecond: number;
  };
}

/** What a recipe would need and do; estimates by shapes alone. */
export interface Prediction {
  readonly parameters: number;
  readonly trainable: number;
  readonly tokensPerSecond: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  /** Of training. */
  readonly minutes: number;
  readonly steps: number;
  readonly tokens: number;
}

export interface Ranked {
  readonly recipe: LoadedBlueprint;
  readonly applicable: boolean;
  /** The parts of its predicate that fail, with the values. */
  readonly failed: readonly string[];
  /** The parts that hold: why it may be chosen at all. */
  readonly holds: readonly string[];
  /** Failed and holding parts, then those of the score; of the chosen one also what would make another the choice. */
  readonly reasons: readonly string[];
  /** Whether the machine has the memory and the disk. */
  readonly fits: boolean;
  readonly score: Score;
  readonly predicted: Prediction;
}

export interface Match {
  readonly chosen: Ranked;
  /** All recipes: those that apply first, of these those that fit, then by score, then by name. */
  readonly ranking: readonly Ranked[];
}

/**
 * Ranks the recipes for a body and chooses the first.
 *
 * @throws UserError `unsupported` when none applies, with what the nearest lacks
 */
export function matchRecipes(recipes: readonly LoadedBlueprint[], options: MatchOptions): Match {
  const facts = factsOf(options);
  const ranking = rank(recipes, options, facts);
  const [first, ...others] = ranking;
  if (!first?.applicable) refuse(recipes, facts);
  const chosen = { ...first, reasons: [...first.reasons, ...whatWouldChange(first, recipes, options, facts)] };
  return { chosen, ranking: [chosen, ...others] };
}

function factsOf({ config, genome, machine }: MatchOptions): Facts {
  return {
    architecture: config.modelType,
    parameters: countParameters(config),
    context: config.maxPositions,
    genome,
    memoryBytes: machine.memoryBytes,
  };
}

function rank(recipes: readonly LoadedBlueprint[], options: MatchOptions, facts: Facts): Ranked[] {
  return recipes
    .map((recipe) => rankedOf(recipe, options, facts))
    .sort(
      (a, b) =>
        Number(b.applicable) - Number(a.applicable) ||
        Number(b.fits) - Number(a.fits) ||
        b.score.total - a.score.total ||
        byName(a.recipe, b.recipe),
    );
}

function rankedOf(recipe: LoadedBlueprint, options: MatchOptions, facts: Facts): Ranked {
  const { config, genome, machine, probe } = options;
  const load = workloadOf(recipe.blueprint, {
    config,
    given: options.given,
    machine,
    corpusTokens: genome && Math.ceil(genome.bytes / BYTES_PER_TOKEN),
    replay: options.replay,
    genomeBytes: genome?.bytes ?? 0,
    copiesParent: options.copiesParent,
    ...probe,
  });
  const { parameters, trainable, memoryBytes, diskBytes } = load.needs;
  const tokens = load.steps * load.tokensPerStep;
  const { applies, failed, reasons } = judge(recipe.blueprint.applies, facts);
  const score = scoreRecipe(recipe.blueprint, facts, { tokens, trainable, memoryBytes });
  const short = [
    ...(memoryBytes <= machine.memoryBytes ? [] : ["does not fit into the memory"]),
    ...(diskBytes <= machine.diskBytes
      ? []
      : [`needs about ${readableBytes(diskBytes)} of disk, ${readableBytes(machine.diskBytes)} are free`]),
  ];
  const { method, tokens: perParameter, memory, purpose } = score;
  const judged = [method, perParameter, memory, purpose].map(({ reason }) => reason);
  return {
    recipe,
    applicable: applies,
    failed,
    holds: reasons,
    reasons: [...failed, ...short, ...reasons, ...judged],
    fits: short.length === 0,
    score,
    predicted: {
      parameters,
      trainable,
      tokensPerSecond: load.tokensPerSecond,
      memoryBytes,
      diskBytes,
      minutes: tokens / load.tokensPerSecond / 60,
      steps: load.steps,
      tokens,
    },
  };
}

/** Names the nearest recipe and the parts of its predicate that fail. */
function refuse(recipes: readonly LoadedBlueprint[], facts: Facts): never {
  const judged = recipes.map((recipe): readonly [LoadedBlueprint, Judgement] => [
    recipe,
    judge(recipe.blueprint.applies, facts),
  ]);
  const [near] = judged.toSorted(([a, x], [b, y]) => x.distance - y.distance || byName(a, b));
  const body = `a ${facts.architecture} body of ${readable(facts.parameters)} parameters`;
  if (near === undefined) {
    throw new UserError("unsupported", `there is no blueprint for ${body}`, { hint: "name one with --blueprint FILE" });
  }
  const [{ blueprint }, { failed }] = near;
  throw new UserError(
    "unsupported",
    `no blueprint applies to ${body}; ${blueprint.name} fails on: ${failed.join("; ")}`,
    {
      hint: `${blueprint.name} is the nearest: name it with --blueprint to use it all the same`,
    },
  );
}

/** Doublings of the training time that are looked at: from three minutes to about four days. */
const DOUBLINGS = 11;

function whatWouldChange(
  chosen: Ranked,
  recipes: readonly LoadedBlueprint[],
  options: MatchOptions,
  facts: Facts,
): string[] {
  return [...otherSizes(chosen, recipes, facts), ...moreTime(chosen, recipes, options, facts)];
}

/** Past each end of the chosen recipe's range of sizes: which recipes apply to the nearest other body. */
function otherSizes({ recipe: { blueprint } }: Ranked, recipes: readonly LoadedBlueprint[], facts: Facts): string[] {
  const { atLeast, below } = blueprint.applies?.parameters ?? {};
  const say = (parameters: number, where: string): string => {
    const others = recipes.filter((recipe) => judge(recipe.blueprint.applies, { ...facts, parameters }).applies);
    const names = others.map((recipe) => recipe.blueprint.name).sort();
    if (names.length === 0) return `${where} no recipe would apply`;
    return `${where} ${names.join(" or ")} would be chosen`;
  };
  return [
    ...(atLeast === undefined || atLeast <= 1 ? [] : [say(atLeast - 1, `below ${readable(atLeast)} parameters`)]),
    ...(below === undefined ? [] : [say(below, `from ${readable(below)} parameters on`)]),
  ];
}

/** The first doubling of the training time at which another recipe is ahead. */
function moreTime(chosen: Ranked, recipes: readonly LoadedBlueprint[], options: MatchOptions, facts: Facts): string[] {
  const rivals = recipes.filter((recipe) => judge(recipe.blueprint.applies, facts).applies);
  if (rivals.length < 2) return [];
  for (let i = 1; i <= DOUBLINGS; i++) {
    const minutes = Math.max(1, options.given.minutes ?? chosen.predicted.minutes) * 2 ** i;
    const [first] = rank(rivals, { ...options, given: { ...options.given, minutes } }, facts);
    if (first !== undefined && first.recipe !== chosen.recipe) {
      const time = minutes < 120 ? `${Math.round(minutes)} minutes` : `${Math.round(minutes / 60)} hours`;
      return [`with ${time} of training ${first.recipe.blueprint.name} would be chosen`];
    }
  }
  return [];
}

function byName(a: LoadedBlueprint, b: LoadedBlueprint): number {
  return a.blueprint.name < b.blueprint.name ? -1 : 1;
}
