/** From a blueprint to a plan: fills in what it leaves open, fits it to body, genome and machine, or refuses. */
import type { ModelConfig } from "../models/config.ts";
import { refuseUnfit } from "./estimate.ts";
import type { LoadedBlueprint } from "./load.ts";
import type { Machine } from "./machine.ts";
import type { Diet, Plan, PlanInputs, Planned, PlannedSettings, ProbeRecord } from "./plan.ts";
import { measuresOf, passLength } from "../epigenome/order.ts";
import { resolveAdapt } from "./resolve-adapt.ts";
import { resolveEpigenome } from "./resolve-epigenome.ts";
import { resolveOrder, resolveSelect } from "./resolve-order.ts";
import { resolveModules } from "./resolve-modules.ts";
import { resolveStages } from "./resolve-stages.ts";
import {
  type ReplayFrom,
  resolveOwnReplay,
  resolveQuestions,
  resolveSyntheticTime,
  syntheticSeconds,
} from "./resolve-synthetic.ts";
import type { Blueprint } from "./schema.ts";
import type { SearchRecord } from "./search.ts";
import { origins, resolveGiven } from "./origins.ts";
import { FLOPS_OF_CORE, type Given, workloadOf } from "./workload.ts";

export interface ResolveOptions {
  readonly recipe: LoadedBlueprint;
  /** Why this recipe: named by the user, or how it matched. */
  readonly recipeReason: string;
  readonly config: ModelConfig;
  readonly given: Given;
  readonly machine: Machine;
  /** Where the output goes, for messages. */
  readonly out: string;
  /** What one pass over the trained text reads. */
  readonly diet: Diet;
  /** Whether what a stage reads holds prompts with answers. */
  readonly asks: (stage: string) => boolean;
  /** Whether the parent comes with a chat template. */
  readonly hasChatTemplate: boolean;
  /** Where replay comes from. */
  readonly replay: ReplayFrom;
  /** Files that are framed as question-answer. */
  readonly questioned: number;
  readonly genomeBytes: number;
  readonly copiesParent: boolean;
  readonly inputs: Omit<PlanInputs, "blueprint">;
  /** In place of the recipe's, where trials found another one better. */
  readonly learningRate?: Planned<number>;
  /** What the trials were. */
  readonly search?: SearchRecord;
  /** What was measured before. */
  readonly probe?: ProbeRecord;
}

/**
 * Resolves a blueprint.
 *
 * @throws UserError `memory` or `disk` where the machine cannot hold the run; `invalid` where the blueprint names modules
 * that the body lacks
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
  const order = resolveOrder(blueprint);
  const textTokens = options.diet.stages.reduce((sum, { tokens }) => sum + tokens, 0);
  const corpusTokens = Math.round(textTokens * passLength(order.value));
  const { probe } = options;
  const measured = probe === undefined ? {} : { tokensPerSecond: probe.tokensPerSecond };
  const load = workloadOf(blueprint, { ...options, ...measured, corpusTokens });
  const { lora, optimizer, sequence, stepSequences, microBatch, needs, budget, replay, epochs } = load;
  refuseUnfit(needs, machine, options.out);
  const seed = resolveGiven(options.given.seed, "--seed", from(blueprint.seed, 1, "any number will do"));
  const threads: Planned<number> = {
    value: machine.cores,
    origin: "derived",
    reason: `${machine.cores} cores are available`,
  };
  const { tokensPerStep, maxSteps, steps, tokensPerSecond: rate } = load;
  const times = from(blueprint.evaluation?.times, 4, "a curve of five points");
  const evaluationShare = from(blueprint.evaluation?.share, 0.15, "at most this part of the training time");
  const { seconds, speed } = load;
  const ownReplay = resolveOwnReplay(blueprint, options.replay, load);
  const { trainedBytes } = options.inputs.genome;
  const questions = resolveQuestions(blueprint, { files: options.questioned, trainedBytes }, load);
  // Windows overlap by half: a token is read up to twice.
  const evaluationRate = (threads.value * FLOPS_OF_CORE) / (2 * needs.flopsPerScoredToken);
  const settings: PlannedSettings = {
    method,
    lora,
    ...resolveModules(blueprint, config),
    optimizer,
    learningRate: options.learningRate ?? {
      value: blueprint.optimizer.learningRate,
      origin: "recipe",
      reason: blueprint.name,
    },
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
    stages: resolveStages(blueprint, options.asks),
    chatTemplate: resolveChatTemplate(blueprint, options.hasChatTemplate),
    order,
    adapt: resolveAdapt(blueprint, budget.value),
    select: resolveSelect(blueprint),
    replay,
    syntheticTime: resolveSyntheticTime(blueprint),
    ownReplay,
    questions,
    keep: from(keepOf(blueprint), null, "no budget: the best held-out figure alone decides"),
    ...resolveEpigenome(blueprint, load, options.given),
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
      reason: `${epochs.value} passes over ${corpusTokens} tokens (passes: ${epochs.origin})`,
    },
    seed,
    threads,
  };
  return {
    schema: 2,
    inputs: { blueprint: { name: blueprint.name, sha256: recipe.sha256 }, ...options.inputs },
    settings,
    diet: options.diet,
    search: options.search ?? null,
    probe: probe ?? null,
    predicted: {
      ...needs,
      tokensPerSecond: rate,
      rate: probe === undefined ? "estimated" : "measured",
      tokensPerStep,
      steps,
      epochs: (steps * tokensPerStep * (1 - replay.value)) / Math.max(1, corpusTokens),
      trainingSeconds: (steps * tokensPerStep) / rate,
      syntheticSeconds: syntheticSeconds(speed, ownReplay.value, questions.value),
      parentSeconds:
        measuresOf(order.value).includes("loss") || settings.select.value !== null
          ? (textTokens / rate) * (needs.flopsPerScoredToken / load.flopsPerTrainedToken)
          : 0,
    },
  };
}

/**
 * Refuses a body that cannot be trained here whatever the genome is: to be asked before the genome is built.
 *
 * @throws UserError `memory` or `disk`; `invalid` where the blueprint names modules that the body lacks
 */
export function refuseBody(blueprint: Blueprint, config: ModelConfig, machine: Machine, out: string): void {
  resolveModules(blueprint, config);
  const load = workloadOf(blueprint, {
    config,
    given: {},
    machine,
    corpusTokens: 0,
    replay: "none",
    genomeBytes: 0,
    copiesParent: false,
  });
  refuseUnfit(load.needs, machine, out);
}

function resolveChatTemplate({ name, chatTemplate }: Blueprint, hasOwn: boolean): Planned<string | null> {
  if (hasOwn) return { value: null, origin: "derived", reason: "the parent has its own" };
  if (chatTemplate === undefined)
    return { value: null, origin: "default", reason: "neither parent nor recipe has one" };
  return { value: chatTemplate, origin: "recipe", reason: name };
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

function keepOf({ keep }: Blueprint): PlannedSettings["keep"]["value"] | undefined {
  return keep && { kl: keep.kl ?? null, retention: keep.retention ?? null };
}

function checkpointOf({ checkpoint }: Blueprint): { seconds: number } | { steps: number } | undefined {
  if (checkpoint?.seconds !== undefined) return { seconds: checkpoint.seconds };
  return checkpoint?.steps === undefined ? undefined : { steps: checkpoint.steps };
}
