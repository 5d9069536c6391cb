/**
 * What a recipe makes of a body on a machine: adapter, sequences, micro-batches, memory, rate, steps. Matching predicts
 * with it and planning resolves with it, so that both say the same.
 */
import type { ModelConfig } from "../models/config.ts";
import { type Estimate, estimate } from "./estimate.ts";
import type { Machine } from "./machine.ts";
import type { Origin, Planned, PlannedSettings } from "./plan.ts";
import { origins } from "./origins.ts";
import { type ReplayFrom, resolveReplay, speedOf } from "./resolve-synthetic.ts";
import { type Blueprint, LINEAR_MODULES } from "./schema.ts";

/** What the command line gives, over the blueprint. */
export interface Given {
  readonly minutes?: number;
  readonly seed?: number;
  readonly express?: "default" | "all";
}

export interface WorkloadOptions {
  readonly config: ModelConfig;
  readonly given: Given;
  readonly machine: Machine;
  /** Predictions that one pass over the trained text trains; undefined where they are not known: no limit then. */
  readonly corpusTokens: number | undefined;
  /** Where replay comes from. */
  readonly replay: ReplayFrom;
  readonly genomeBytes: number;
  readonly copiesParent: boolean;
  /** Operations per second of training on all cores, where a probe measured them (default: an AVX2 core's, by cores). */
  readonly flopsPerSecond?: number;
  /** Tokens per second of training steps, where they were measured. */
  readonly tokensPerSecond?: number;
}

export interface Workload {
  readonly lora: PlannedSettings["lora"];
  readonly optimizer: PlannedSettings["optimizer"];
  readonly sequence: Planned<number>;
  /** Sequences of an optimiser step. */
  readonly stepSequences: number;
  readonly microBatch: Planned<number>;
  readonly needs: Estimate;
  readonly budget: PlannedSettings["budget"];
  readonly replay: Planned<number>;
  readonly epochs: Planned<number>;
  /** Steps after which the text has been passed as often as is useful. */
  readonly maxSteps: number;
  readonly tokensPerStep: number;
  /**
   * Tokens per second by operations alone: where the rate was measured too it decides the settings, so that a plan does not
   * depend on how busy the machine was.
   */
  readonly nominalRate: number;
  /** The forward pass that selects tokens included. */
  readonly flopsPerTrainedToken: number;
  /** Predictions on the genome's text, replay apart, that the budget allows at the nominal rate. */
  readonly genomeTokens: number;
  /** What generation reaches, beside training and scoring; nominal too. */
  readonly speed: ReturnType<typeof speedOf>;
  /** Of training, by the budget at the nominal rate, and the steps that it allows. */
  readonly seconds: number;
  readonly nominalSteps: number;
  readonly tokensPerSecond: number;
  /** Steps that budget and text allow. */
  readonly steps: number;
}

const MINUTES = 3;
const EPOCHS = 4;
const LARGEST_MICRO_BATCH = 8;
/** Part of the available memory that a larger micro-batch may fill: predictions are off by some. */
const COMFORTABLE = 0.8;
/** Operations per second of a core in training steps, where nothing was measured: two thirds of an AVX2 core's products. */
export const FLOPS_OF_CORE = 45e9;
/** A token of byte-level BPE, in bytes of text: where what there will be is not yet known. */
export const BYTES_PER_TOKEN = 3.3;

/** Works out a recipe's load; refuses nothing. */
export function workloadOf(blueprint: Blueprint, options: WorkloadOptions): Workload {
  const { config, machine, corpusTokens } = options;
  const from = origins(blueprint);
  const lora = resolveLora(blueprint);
  const optimizer = from(blueprint.optimizer.name, "adamw" as const, "the most proven");
  const sequence = resolveSequence(blueprint, config);
  const stepSequences = Math.max(1, Math.round((blueprint.batch?.tokens ?? 2048) / sequence.value));
  const needsOf = (B: number): Estimate =>
    estimate(config, {
      method: blueprint.method,
      lora: lora.value ?? undefined,
      modules: blueprint.modules,
      optimizer: optimizer.value,
      B,
      T: sequence.value,
      corpusTokens: corpusTokens ?? 0,
      genomeBytes: options.genomeBytes,
      copiesParent: options.copiesParent,
      keepsTwo: blueprint.keep !== undefined,
      probesGradients: blueprint.adapt?.stress === true,
    });
  const microBatch = fitMicroBatch(stepSequences, machine, needsOf);
  const needs = needsOf(microBatch.value);
  const budget = resolveBudget(blueprint, options.given);
  const speed = speedOf(options.flopsPerSecond ?? machine.cores * FLOPS_OF_CORE, needs);
  const replay = resolveReplay(blueprint, { from: options.replay, parameters: needs.parameters, speed });
  const epochs = from(blueprint.epochs?.max, EPOCHS, "more passes gain next to nothing (arXiv 2305.16264)");
  const tokensPerStep = stepSequences * sequence.value;
  const maxSteps =
    corpusTokens === undefined
      ? Infinity
      : Math.max(1, Math.ceil((epochs.value * corpusTokens) / ((1 - replay.value) * tokensPerStep)));
  // What selects tokens looks at them first.
  const looks = (blueprint.select?.excess ?? 1) < 1 ? needs.flopsPerScoredToken : 0;
  const flopsPerTrainedToken = needs.flopsPerToken + looks;
  const nominalRate = (speed.trained * needs.flopsPerToken) / flopsPerTrainedToken;
  const tokensPerSecond = options.tokensPerSecond ?? nominalRate;
  const stepsAt = (rate: number): number =>
    "minutes" in budget.value ? (budget.value.minutes * 60 * rate) / tokensPerStep : budget.value.steps;
  const steps = Math.max(1, Math.min(maxSteps, Math.floor(stepsAt(tokensPerSecond))));
  return {
    lora,
    optimizer,
    sequence,
    stepSequences,
    microBatch,
    needs,
    budget,
    replay,
    epochs,
    maxSteps,
    tokensPerStep,
    flopsPerTrainedToken,
    nominalRate,
    genomeTokens: stepsAt(nominalRate) * tokensPerStep * (1 - replay.value),
    speed,
    seconds: (stepsAt(nominalRate) * tokensPerStep) / nominalRate,
    nominalSteps: Math.max(1, Math.min(maxSteps, Math.floor(stepsAt(nominalRate)))),
    tokensPerSecond,
    steps,
  };
}

/** The adapter of a recipe; null for full training. */
export function resolveLora({ name, method, lora }: Blueprint): PlannedSettings["lora"] {
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

/** The largest divisor of a step's sequences that leaves the machine some memory; 1 where none does. */
function fitMicroBatch(sequences: number, machine: Machine, needs: (B: number) => Estimate): Planned<number> {
  const origin: Origin = "derived";
  for (let B = Math.min(LARGEST_MICRO_BATCH, sequences); B > 1; B--) {
    if (sequences % B !== 0 || needs(B).memoryBytes > COMFORTABLE * machine.memoryBytes) continue;
    return { value: B, origin, reason: "the largest that leaves a fifth of the memory free" };
  }
  return { value: 1, origin, reason: sequences === 1 ? "a step is one sequence" : "memory allows no more" };
}
