/** One training of a body on what an arm expresses, by the recipe that the body gets, and what it scores afterwards. */

import { rm } from "node:fs/promises";
import { clm } from "../../src/chrysalis/objectives/clm.ts";
import { createAdamW } from "../../src/chrysalis/optimisers/adamw.ts";
import { train } from "../../src/chrysalis/train.ts";
import type { TrainOptions } from "../../src/chrysalis/train-options.ts";
import { framedDocuments } from "../../src/epigenome/framed-documents.ts";
import { encodeCorpus, packCorpus } from "../../src/epigenome/pack.ts";
import type { PackedCorpus, TokenCorpus } from "../../src/epigenome/pack.ts";
import type { PassOrder } from "../../src/epigenome/pass-order.ts";
import type { ExpressedGene } from "../../src/epigenome/select.ts";
import { createStream } from "../../src/epigenome/stream.ts";
import { scoreDocuments } from "../../src/eval/bits-per-byte.ts";
import type { Document, DocumentScore } from "../../src/eval/bits-per-byte.ts";
import type { Body } from "../../src/models/body.ts";
import { loadBody } from "../../src/models/load.ts";
import { compileStep } from "../../src/models/step.ts";
import type { Step } from "../../src/models/step.ts";
import type { Recipe } from "./body.ts";
import type { Bench } from "./proof.ts";
import { turner } from "./turner.ts";

export interface ArmScores {
  readonly heldOut: readonly DocumentScore[];
  readonly retention: readonly DocumentScore[];
}

export interface TrainArmOptions {
  readonly seed: number;
  readonly heldOut: readonly Document[];
  /** For checkpoints; emptied first. */
  readonly dir: string;
  /** Scored are the weights so far from the parent (0) to what was trained (default 1). */
  readonly alpha?: number;
}

/** Encodes the texts of genes as they are framed. */
export function encodeGenes(
  { genome, body }: Bench,
  expressed: readonly ExpressedGene[],
  seed: number,
): Promise<TokenCorpus> {
  const { tokenizer, recipe } = body;
  const context = { seed, sequence: recipe.sequence, tokenizer, changesOf: () => [], lossOf: clm.lossOf };
  return encodeCorpus(framedDocuments(genome, expressed, context), tokenizer);
}

/** Scores of the parent as it is. */
export async function scoreParent(bench: Bench, heldOut: readonly Document[]): Promise<ArmScores> {
  const { body, threads } = bench;
  const { microBatch: B, sequence: T } = body.recipe;
  const step = await compileStep(await loadBody(body.path), { B, T, train: "none", threads });
  try {
    return await scoreArm(step, bench, heldOut);
  } finally {
    await step.release();
  }
}

/** Trains for the bench's number of steps, in whatever passes over the corpus that takes. */
export async function trainArm(bench: Bench, corpus: TokenCorpus, options: TrainArmOptions): Promise<ArmScores> {
  const { heldOut, alpha = 1 } = options;
  return trainBody(bench, corpus, options, async (step) => {
    if (alpha < 1) (await turner(bench.body.path, step.parameters))(alpha);
    return scoreArm(step, bench, heldOut);
  });
}

export interface TrainBodyOptions extends Pick<TrainArmOptions, "seed" | "dir"> {
  /** What is trained, in place (default: the bench's body as its files have it). */
  readonly start?: Pick<Body, "config" | "weights">;
  /** Default: the body's. */
  readonly recipe?: Recipe;
  /** Default: the bench's. */
  readonly steps?: number;
  /** Default: seeded passes over the corpus, with the recipe's replay. */
  readonly stream?: TrainOptions["stream"];
  /** Marks that change along the run; `parent` is the body whose weights the step trains. */
  readonly adapt?: (step: Step, parent: Pick<Body, "config" | "weights">) => NonNullable<TrainOptions["adapt"]>;
  /** Default: best fit, shuffled. */
  readonly packing?: (corpus: TokenCorpus) => { readonly packed: PackedCorpus; readonly order: PassOrder };
  readonly select?: TrainOptions["select"];
  /** What the training sees of the step. */
  readonly asTrained?: (step: Step) => Step;
  /** What is measured along the run. */
  readonly evaluation?: (step: Step) => NonNullable<TrainOptions["evaluation"]>;
}

/** Trains by a recipe and hands what was trained to `finish`, whatever that measures. */
export async function trainBody<T>(
  bench: Bench,
  corpus: TokenCorpus,
  options: TrainBodyOptions,
  finish: (step: Step) => Promise<T>,
): Promise<T> {
  const { body, threads } = bench;
  const { seed, dir, recipe = body.recipe, steps = bench.steps, evaluation, adapt } = options;
  const { sequence: T, microBatch: B } = recipe;
  const microBatches = recipe.sequences / B;
  const [beta1, beta2] = recipe.betas;
  await rm(dir, { recursive: true, force: true });
  const parent = options.start ?? (await loadBody(body.path));
  const step = await compileStep(parent, {
    B,
    T,
    train: recipe.lora === null ? "full" : { lora: { ...recipe.lora, seed } },
    threads,
  });
  const { packed, order } = options.packing?.(corpus) ?? { packed: packCorpus(corpus, T), order: undefined };
  try {
    await train({
      step: options.asTrained?.(step) ?? step,
      optimiser: createAdamW(step.parameters, { beta1, beta2, epsilon: 1e-8, weightDecay: 0 }),
      stream:
        options.stream ??
        createStream(packed, {
          B,
          microBatches,
          seed,
          order,
          replay: { corpus: packCorpus(bench.replay, T), share: recipe.replay },
        }),
      microBatches,
      schedule: {
        learningRate: recipe.learningRate,
        warmup: Math.max(1, Math.round(recipe.warmup * steps)),
        decay: recipe.decay,
      },
      select: options.select,
      clip: recipe.clip,
      budget: { steps },
      dir,
      resume: false,
      manifest: { tool: "bench/epigenome", seed, threads },
      ...(evaluation ? { evaluation: evaluation(step) } : {}),
      ...(adapt ? { adapt: adapt(step, parent) } : {}),
    });
    return await finish(step);
  } finally {
    await step.release();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Scores of a body as it stands. */
export async function scoreArm(
  step: Step,
  { body, retention }: Pick<Bench, "body" | "retention">,
  heldOut: readonly Document[],
): Promise<ArmScores> {
  const { perDocument } = await scoreDocuments(step, body.tokenizer, [...heldOut, ...retention]);
  return { heldOut: perDocument.slice(0, heldOut.length), retention: perDocument.slice(heldOut.length) };
}
