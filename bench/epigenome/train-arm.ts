/** One training of the larva on what an arm expresses, and what it scores afterwards. */

import { clm } from "../../src/chrysalis/objectives/clm.ts";
import { createAdamW } from "../../src/chrysalis/optimisers/adamw.ts";
import { train } from "../../src/chrysalis/train.ts";
import { framedDocuments } from "../../src/epigenome/framed-documents.ts";
import { encodeCorpus, packCorpus } from "../../src/epigenome/pack.ts";
import type { TokenCorpus } from "../../src/epigenome/pack.ts";
import type { ExpressedGene } from "../../src/epigenome/select.ts";
import { createStream } from "../../src/epigenome/stream.ts";
import { scoreDocuments } from "../../src/eval/bits-per-byte.ts";
import type { Document, DocumentScore } from "../../src/eval/bits-per-byte.ts";
import type { Genome } from "../../src/genome/manifest.ts";
import { loadBody } from "../../src/models/load.ts";
import { compileStep } from "../../src/models/step.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";

/** The values of the recipe small-body, which the larva would get. */
export interface Recipe {
  readonly learningRate: number;
  readonly replay: number;
  readonly sequence: number;
  /** Sequences of an optimiser step. */
  readonly sequences: number;
}

export interface ArmScores {
  readonly heldOut: readonly DocumentScore[];
  readonly retention: readonly DocumentScore[];
}

export interface TrainArmOptions {
  readonly model: string;
  readonly tokenizer: Tokenizer;
  readonly recipe: Recipe;
  readonly steps: number;
  readonly seed: number;
  readonly threads: number;
  readonly replay: TokenCorpus;
  readonly heldOut: readonly Document[];
  readonly retention: readonly Document[];
  /** For checkpoints. */
  readonly dir: string;
}

/** Encodes the texts of genes as they are framed. */
export function encodeGenes(
  genome: Genome,
  expressed: readonly ExpressedGene[],
  tokenizer: Tokenizer,
  { seed, sequence }: { readonly seed: number; readonly sequence: number },
): Promise<TokenCorpus> {
  const context = { seed, sequence, tokenizer, changesOf: () => [] };
  return encodeCorpus(framedDocuments(genome, expressed, { ...context, lossOf: clm.lossOf }), tokenizer);
}

/** Scores of the model as it is. */
export async function scoreParent(options: TrainArmOptions): Promise<ArmScores> {
  const body = await loadBody(options.model);
  const step = await compileStep(body, { B: 4, T: options.recipe.sequence, train: "none", threads: options.threads });
  try {
    return await score(step, options);
  } finally {
    await step.release();
  }
}

/** Trains all weights for a number of steps, in whatever passes over the corpus that takes. */
export async function trainArm(corpus: TokenCorpus, options: TrainArmOptions): Promise<ArmScores> {
  const { recipe, seed, threads, steps } = options;
  const T = recipe.sequence;
  const body = await loadBody(options.model);
  const step = await compileStep(body, { B: recipe.sequences, T, train: "full", threads });
  try {
    await train({
      step,
      optimiser: createAdamW(step.parameters, { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0 }),
      stream: createStream(packCorpus(corpus, T), {
        B: recipe.sequences,
        microBatches: 1,
        seed,
        replay: { corpus: packCorpus(options.replay, T), share: recipe.replay },
      }),
      microBatches: 1,
      schedule: { learningRate: recipe.learningRate, warmup: Math.max(1, Math.round(0.05 * steps)), decay: 0.4 },
      clip: 1,
      budget: { steps },
      dir: options.dir,
      resume: false,
      manifest: { tool: "bench/epigenome", seed, threads },
    });
    return await score(step, options);
  } finally {
    await step.release();
  }
}

async function score(
  step: Parameters<typeof scoreDocuments>[0],
  { tokenizer, heldOut, retention }: TrainArmOptions,
): Promise<ArmScores> {
  const { perDocument } = await scoreDocuments(step, tokenizer, [...heldOut, ...retention]);
  return { heldOut: perDocument.slice(0, heldOut.length), retention: perDocument.slice(heldOut.length) };
}
