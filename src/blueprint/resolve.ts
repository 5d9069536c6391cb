/** From a blueprint to a plan: fills in what it leaves open, fits it to body, genome and machine, or refuses. */
import type { ModelConfig } from "../models/config.ts";
import { countTrainable, type Estimate, type EstimateOptions, estimate, refuseUnfit } from "./estimate.ts";
import type { LoadedBlueprint } from "./load.ts";
import type { Machine } from "./machine.ts";
import type { Origin, Plan, PlanInputs, Planned, PlannedSettings } from "./plan.ts";
import { type Blueprint, LINEAR_MODULES } from "./schema.ts";

/** What the command line gives, over the blueprint. */
export interface Given {
  readonly minutes?: number;
  readonly seed?: number;
  readonly express?: "default" | "all";
}

export interface ResolveOptions {
  readonly recipe: LoadedBlueprint;
  /** Why this recipe: named by the user, or how it matched. */
  readonly recipeReason: string;
  readonly config: ModelConfig;
  readonly given: Given;
  readonly machine: Machine;
  /** Where the output goes, for messages. */
  readonly out: string;
  /** Predictions that one pass over the trained text trains. */
  readonly corpusTokens: number;
  readonly hasReplay: boolean;
  readonly genomeBytes: number;
  readonly copiesParent: boolean;
  readonly inputs: Omit<PlanInputs, "blueprint">;
  /** Tokens per second of training steps, where they were measured. */
  readonly tokensPerSecond?: number;
}

const MINUTES = 3;
const EPOCHS = 4;
const LARGEST_MICRO_BATCH = 8;
/** Part of the available memory that a larger micro-batch may fill: predictions are off by some. */
const COMFORTABLE = 0.8;
/** Operations per second of a core in training steps, where nothing was measured: two thirds of an AVX2 core's products. */
const FLOPS_OF_CORE = 45e9;

/**
 * Resolves a blueprint.
 *
 * @throws UserError `memory` or `disk` where the machine cannot hold the run
 */
export function resolvePlan(options: ResolveOptions): Plan {
  const { recipe, config, machine } = options;
  const { blueprint } = recipe;
  const from = origins(blueprint);
  const method: Planned<Blueprint["method"]> = {
    value: blueprint.method,
    origin: "recipe",
    reason: `${blueprint.name}: ${options.recipeReason}`,
  };
  const lora = resolveLora(blueprint);
  const optimizer = from(blueprint.optimizer.name, "adamw" as const, "the most proven");
  const sequence = resolveSequence(blueprint, config);
  const stepSequences = Math.max(1, Math.round((blueprint.batch?.tokens ?? 2048) / sequence.value));
  const needs = (B: number): EstimateOptions => ({
    method: method.value,
    lora: lora.value ?? undefined,
    optimizer: optimizer.value,
    B,
    T: sequence.value,
    corpusTokens: options.corpusTokens,
    genomeBytes: options.genomeBytes,
    copiesParent: options.copiesParent,
  });
  const microBatch = fitMicroBatch(stepSequences, machine, (B) => estimate(config, needs(B)));
  const predicted = estimate(config, needs(microBatch.value));
  refuseUnfit(predicted, machine, options.out);
  const seed = resolveGiven(options.given.seed, "--seed", from(blueprint.seed, 1, "any number will do"));
  const threads: Planned<number> = {
    value: machine.cores,
    origin: "derived",
    reason: `${machine.cores} cores are available`,
  };
  const budget = resolveBudget(blueprint, options.given);
  const replay = resolveReplay(blueprint, options.hasReplay);
  const tokensPerStep = stepSequences * sequence.value;
  const epochs = from(blueprint.epochs?.max, EPOCHS, "more passes gain next to nothing (arXiv 2305.16264)");
  const maxSteps = Math.max(1, Math.ceil((epochs.value * options.corpusTokens) / ((1 - replay.value) * tokensPerStep)));
  const nominal = (threads.value * FLOPS_OF_CORE) / predicted.flopsPerToken;
  const rate = options.tokensPerSecond ?? nominal;
  const limit = "minutes" in budget.value ? (budget.value.minutes * 60 * rate) / tokensPerStep : budget.value.steps;
  const steps = Math.max(1, Math.min(maxSteps, Math.floor(limit)));
  const times = from(blueprint.evaluation?.times, 4, "a curve of five points");
  const evaluationShare = from(blueprint.evaluation?.share, 0.15, "at most this part of the training time");
  const seconds =
    "minutes" in budget.value ? budget.value.minutes * 60 : (budget.value.steps * tokensPerStep) / nominal;
  // Windows overlap by half: a token is read up to twice.
  const evaluationRate = (threads.value * FLOPS_OF_CORE) / (2 * predicted.flopsPerScoredToken);
  const settings: PlannedSettings = {
    method,
    lora,
    optimizer,
    learningRate: { value: blueprint.optimizer.learningRate, origin: "recipe", reason: blueprint.name },
    betas: from(blueprint.optimizer.betas, [0.9, 0.95] as const, "a short memory suits short runs"),
    epsilon: from(blueprint.optimizer.epsilon, 1e-8, "as published (arXiv 1412.6980)"),
    weightDecay: from(blueprint.optimizer.weightDecay, 0, "nothing pulls the parent's weights towards zero"),
    clip: from(blueprint.optimizer.clip, 1, "the customary limit"),
    warmup: from(blueprint.schedule?.warmup, 0.05, "moments settle before the rate is full"),
    decay: from(blueprint.schedule?.decay, 0.4, "short runs gain most while the rate falls"),
    sequence,
    microBatch,
    microBatches: {
      value: stepSequences / microBatch.value,
      origin: "derived",
      reason: `${stepSequences} sequences a step in micro-batches of ${microBatch.value}`,
    },
    replay,
    ...resolveEpigenome(blueprint, config, options.given),
    heldOutMatch: from(blueprint.heldOut?.match, "**", "whatever is trained on is measured"),
    heldOutShare: from(blueprint.heldOut?.share, 0.08, "enough to measure, little lost"),
    heldOutMinFiles: from(blueprint.heldOut?.minFiles, 5, "fewer files make no mean"),
    heldOutMaxBytes: from(blueprint.heldOut?.maxBytes, 128 * 1024, "about 32,000 tokens, which scoring can afford"),
    window: resolveWindow(blueprint, sequence.value, config),
    evaluations: times,
    evaluationTokens: {
      value: Math.max(4096, Math.round((evaluationShare.value * seconds * evaluationRate) / times.value)),
      origin: "derived",
      reason: `${evaluationShare.value} of the training time in ${times.value} evaluations (share: ${evaluationShare.origin})`,
    },
    checkpoint: from(checkpointOf(blueprint), { seconds: 60 }, "at most a minute is lost"),
    budget,
    maxSteps: {
      value: maxSteps,
      origin: "derived",
      reason: `${epochs.value} passes over ${options.corpusTokens} tokens (passes: ${epochs.origin})`,
    },
    seed,
    threads,
  };
  return {
    schema: 1,
    inputs: { blueprint: { name: blueprint.name, sha256: recipe.sha256 }, ...options.inputs },
    settings,
    predicted: {
      ...predicted,
      tokensPerSecond: rate,
      rate: options.tokensPerSecond === undefined ? "estimated" : "measured",
      tokensPerStep,
      steps,
      epochs: (steps * tokensPerStep * (1 - replay.value)) / Math.max(1, options.corpusTokens),
      trainingSeconds: (steps * tokensPerStep) / rate,
    },
  };
}

/**
 * Refuses a body that cannot be trained here whatever the genome is: to be asked before the genome is built.
 *
 * @throws UserError `memory` or `disk`
 */
export function refuseBody(blueprint: Blueprint, config: ModelConfig, machine: Machine, out: string): void {
  const needs = estimate(config, {
    method: blueprint.method,
    lora: resolveLora(blueprint).value ?? undefined,
    optimizer: blueprint.optimizer.name ?? "adamw",
    B: 1,
    T: resolveSequence(blueprint, config).value,
    corpusTokens: 0,
    genomeBytes: 0,
    copiesParent: false,
  });
  refuseUnfit(needs, machine, out);
}

/** A value of the blueprint, or the default with why it is what it is. */
function origins(blueprint: Blueprint): <T>(written: T | undefined, otherwise: T, reason: string) => Planned<T> {
  return (written, otherwise, reason) =>
    written === undefined
      ? { value: otherwise, origin: "default", reason }
      : { value: written, origin: "recipe", reason: blueprint.name };
}

function resolveGiven<T>(given: T | undefined, flag: string, otherwise: Planned<T>): Planned<T> {
  return given === undefined ? otherwise : { value: given, origin: "given", reason: flag };
}

function resolveLora({ name, method, lora }: Blueprint): PlannedSettings["lora"] {
  if (method === "full") return { value: null, origin: "derived", reason: "full training has no adapter" };
  const rank = lora?.rank ?? 16;
  return {
    value: {
      rank,
      alpha: lora?.alpha ?? 2 * rank,
      targets: lora?.targets ?? LINEAR_MODULES,
      rslora: lora?.rslora ?? false,
    },
    origin: lora ? "recipe" : "default",
    reason: lora ? name : "rank 16 on all linear modules: attention alone is worse at equal parameters",
  };
}

function resolveSequence(blueprint: Blueprint, config: ModelConfig): Planned<number> {
  const wanted = blueprint.batch?.sequence ?? 512;
  if (wanted > config.maxPositions) {
    return {
      value: config.maxPositions,
      origin: "derived",
      reason: `the body reads ${config.maxPositions} positions, ${wanted} were wanted`,
    };
  }
  return origins(blueprint)(blueprint.batch?.sequence, 512, "most files fit, attention stays cheap");
}

function resolveWindow(blueprint: Blueprint, sequence: number, config: ModelConfig): Planned<number> {
  const written = blueprint.evaluation?.window;
  if (written === undefined) return { value: sequence, origin: "derived", reason: "as long as the training sequences" };
  if (written <= config.maxPositions) return { value: written, origin: "recipe", reason: blueprint.name };
  return {
    value: config.maxPositions,
    origin: "derived",
    reason: `the body reads ${config.maxPositions} positions, ${written} were wanted`,
  };
}

function resolveReplay(blueprint: Blueprint, hasReplay: boolean): Planned<number> {
  if (!hasReplay) return { value: 0, origin: "derived", reason: "no replay text was given" };
  return origins(blueprint)(blueprint.replay, 0.05, "1 % prevents most forgetting, 5 % is safe (arXiv 2502.06042)");
}

function resolveBudget(blueprint: Blueprint, given: Given): PlannedSettings["budget"] {
  if (given.minutes !== undefined) return { value: { minutes: given.minutes }, origin: "given", reason: "--minutes" };
  const { minutes, steps } = blueprint.budget ?? {};
  if (steps !== undefined) return { value: { steps }, origin: "recipe", reason: blueprint.name };
  return origins(blueprint)(
    minutes === undefined ? undefined : { minutes },
    { minutes: MINUTES },
    "long enough to see an effect on a small body",
  );
}

/** What of a genome a blueprint expresses for a body. */
export function resolveEpigenome(
  blueprint: Blueprint,
  config: ModelConfig,
  given: Pick<Given, "express">,
): Pick<PlannedSettings, "express" | "rules" | "capacity"> {
  const from = origins(blueprint);
  const express = resolveGiven(
    given.express,
    "--express",
    from(blueprint.epigenome?.express, "default" as const, "small bodies do not get everything"),
  );
  const { method } = blueprint;
  const { trainable } = countTrainable(config, { method, lora: resolveLora(blueprint).value ?? undefined });
  return {
    express,
    rules: from(blueprint.epigenome?.rules, [], "no rule: the default ones alone"),
    capacity: resolveCapacity(blueprint, express.value, trainable),
  };
}

/**
 * A trained weight can hold about 2 bits of what it reads (Allen-Zhu and Li, arXiv 2404.05405); a byte of text that was
 * not seen has about 1.25 bits for a small model.
 */
const BYTES_PER_PARAMETER = 1.6;

function resolveCapacity(
  { name, epigenome }: Blueprint,
  express: "default" | "all",
  trainable: number,
): PlannedSettings["capacity"] {
  const written = epigenome?.bytesPerParameter;
  if (written === undefined && express === "all")
    return { value: null, origin: "derived", reason: "everything is expressed" };
  const perParameter = written ?? BYTES_PER_PARAMETER;
  return {
    value: Math.round(perParameter * trainable),
    origin: written === undefined ? "derived" : "recipe",
    reason: `${perParameter} bytes for each of ${trainable.toLocaleString("en")} trained parameters${written === undefined ? "" : ` (${name})`}`,
  };
}

function checkpointOf({ checkpoint }: Blueprint): { seconds: number } | { steps: number } | undefined {
  if (checkpoint?.seconds !== undefined) return { seconds: checkpoint.seconds };
  return checkpoint?.steps === undefined ? undefined : { steps: checkpoint.steps };
}

/** The largest divisor of a step's sequences that leaves the machine some memory; 1 where none does. */
function fitMicroBatch(sequences: number, machine: Machine, needs: (B: number) => Estimate): Planned<number> {
  const origin: Origin = "derived";
  for (let B = Math.min(LARGEST_MICRO_BATCH, sequences); B > 1; B--) {
    if (sequences % B !== 0 || needs(B).memoryBytes > COMFORTABLE * machine.memoryBytes) continue;
    return { value: B, origin, reason: "the largest that leaves a fifth of the memory free" };
  }
  return { value: 1, origin, reason: sequences === 1 ? "a step is one sequence" : "memory allows no more" };
}
