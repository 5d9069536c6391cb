/**
 * Order, selection and emphasis: whether easy to hard, spaced repetition, tokens of high excess and weights by class of token do
 * better than a plain shuffle at equal operations, and better than the same on noise.
 */

import { join } from "node:path";
import { estimate } from "../../src/blueprint/estimate.ts";
import { UserError } from "../../src/errors.ts";
import { compressionDifficulty, lossDifficulty } from "../../src/epigenome/difficulty.ts";
import { packInOrder } from "../../src/epigenome/order.ts";
import { encodeCorpus } from "../../src/epigenome/pack.ts";
import type { TokenCorpus } from "../../src/epigenome/pack.ts";
import { defaultRules } from "../../src/epigenome/rules.ts";
import { selectGenes } from "../../src/epigenome/select.ts";
import { classesOfIds, tokenClasses } from "../../src/epigenome/token-classes.ts";
import { tokenLosses } from "../../src/epigenome/token-losses.ts";
import type { Document } from "../../src/eval/bits-per-byte.ts";
import { uniform } from "../../src/formats/random.ts";
import { loadBody } from "../../src/models/load.ts";
import { compileStep } from "../../src/models/step.ts";
import type { Step } from "../../src/models/step.ts";
import { orderArms, permutedDifficulty, permutedEmphasis, stepsOf } from "./order-arms.ts";
import type { Costs, OrderArm } from "./order-arms.ts";
import { drawOrder, reportOrder, summariseOrder } from "./order-report.ts";
import type { OrderResult, OrderRow, OrderScores } from "./order-report.ts";
import type { Bench, Proof } from "./proof.ts";
import { encodeGenes, scoreArm, trainBody } from "./train-arm.ts";
import { splitProse } from "./whole.ts";

/** Bytes of text for each trained token: about two passes, so that what the parent reads first is paid by both. */
const BYTES_PER_TRAINED_TOKEN = 1.3;

export const order: Proof<OrderResult> = {
  name: "order",
  title: "order, selection and emphasis against a shuffle at equal operations, and against the same on noise",
  full: { tokens: 102_400, seeds: [1, 2, 3], scoredBytes: 64 * 1024 },
  quick: { tokens: 20_480, seeds: [1], scoredBytes: 24 * 1024 },
  async run(bench) {
    const { seeds, tokens } = bench;
    const arms = armsOf(bench);
    const planned = seeds.flatMap((seed) =>
      ["parent", ...arms.map(({ name }) => name)].map((name) => `${name}-${seed}`),
    );
    const store = await bench.store({ planned, settings: { bytes: BYTES_PER_TRAINED_TOKEN, arms: orderArms } });
    const rows: OrderRow[] = [];
    for (const seed of seeds) {
      const { heldOut, trainable } = await splitProse(bench, seed);
      const encode = (rules: Parameters<typeof selectGenes>[1]["rules"]): Promise<TokenCorpus> => {
        const capacity = Math.round(BYTES_PER_TRAINED_TOKEN * tokens);
        const { expressed } = selectGenes(trainable, { rules: [...defaultRules, ...rules], seed, capacity });
        return encodeGenes(bench, expressed, seed);
      };
      const corpus = await encode([]);
      const costs = costsOf(bench, corpus);
      const parent = await store.kept(`parent-${seed}`, () => readParent(bench, corpus, heldOut));
      rows.push({ seed, arm: "parent", steps: 0, scores: parent.scores });
      for (const arm of arms) {
        const steps = stepsOf(arm, bench.steps, costs);
        const scores = await store.kept(`${arm.name}-${seed}`, async () => {
          const factors = arm.placeboOf === null ? arm.emphasis : arm.emphasis && permutedEmphasis(arm.emphasis, seed);
          const text = factors === null ? corpus : await encode([{ match: "**", emphasis: factors }]);
          const dir = join(store.dir, `training-${arm.name}-${seed}`);
          return trainOrdered(bench, text, {
            arm,
            steps,
            seed,
            dir,
            heldOut,
            losses: Float32Array.from(parent.losses),
          });
        });
        rows.push({ seed, arm: arm.name, steps, scores });
      }
    }
    return summariseOrder(bench, arms, rows);
  },
  report: reportOrder,
  draw: (result) => ({ differences: drawOrder(result) }),
};

function armsOf({ arms: wanted }: Bench): readonly OrderArm[] {
  const unknown = wanted?.find((name) => !orderArms.some((arm) => arm.name === name));
  if (unknown !== undefined) {
    const known = orderArms.map(({ name }) => name).join(", ");
    throw new UserError("usage", `--arms: there is no arm ${unknown}`, { hint: `there are ${known}` });
  }
  return orderArms.filter(({ name }) => name === "shuffle" || (wanted?.includes(name) ?? true));
}

function costsOf({ body: { config, recipe } }: Bench, corpus: TokenCorpus): Costs {
  const { flopsPerToken: train, flopsPerScoredToken: score } = estimate(config, {
    method: recipe.lora === null ? "full" : "lora",
    lora: recipe.lora ?? undefined,
    optimizer: "adamw",
    B: recipe.microBatch,
    T: recipe.sequence,
    corpusTokens: 0,
    genomeBytes: 0,
    copiesParent: false,
  });
  return { train, score, tokensPerStep: recipe.sequence * recipe.sequences, corpusTokens: corpus.ids.length };
}

/** What the parent scores, and what it loses on each token of the training text. */
async function readParent(
  bench: Bench,
  corpus: TokenCorpus,
  heldOut: readonly Document[],
): Promise<{ scores: OrderScores; losses: number[] }> {
  const { body, threads } = bench;
  const { microBatch: B, sequence: T } = body.recipe;
  const step = await compileStep(await loadBody(body.path), { B, T, train: "none", threads });
  try {
    return { scores: await score(step, bench, heldOut), losses: [...(await tokenLosses(step, corpus))] };
  } finally {
    await step.release();
  }
}

interface TrainOrderedOptions {
  readonly arm: OrderArm;
  readonly steps: number;
  readonly seed: number;
  readonly dir: string;
  readonly heldOut: readonly Document[];
  /** Of the parent, in the places of the ids. */
  readonly losses: Float32Array;
}

function trainOrdered(
  bench: Bench,
  corpus: TokenCorpus,
  { arm, steps, seed, dir, heldOut, losses }: TrainOrderedOptions,
): Promise<OrderScores> {
  const { tokenizer, recipe } = bench.body;
  const decode = (ids: readonly number[]): string => tokenizer.decode(ids);
  const isPlacebo = arm.placeboOf !== null;
  const own = { loss: lossDifficulty(corpus, losses, decode), compressibility: compressionDifficulty(corpus, decode) };
  const difficulty = isPlacebo ? permutedDifficulty(own, seed) : own;
  // Of random losses above nothing the highest are random tokens.
  const reference = isPlacebo ? new Float32Array(losses.length) : losses;
  let asked = 0;
  const atRandom = (step: Step): Step => ({
    ...step,
    evaluate: (batch) => {
      asked += 1;
      return Promise.resolve(batch.weights.map((_, i) => uniform(seed, "random tokens", asked, i)));
    },
  });
  return trainBody(
    bench,
    arm.select === null ? corpus : { ...corpus, reference },
    {
      seed,
      dir,
      steps,
      packing: (text) => packInOrder(text, { T: recipe.sequence, order: arm.order, seed, difficulty }),
      ...(arm.select === null ? {} : { select: { excess: arm.select } }),
      ...(isPlacebo && arm.select !== null ? { asTrained: atRandom } : {}),
    },
    (step) => score(step, bench, heldOut),
  );
}

/** Scores, and the held-out loss of each class of token. */
async function score(step: Step, bench: Bench, heldOut: readonly Document[]): Promise<OrderScores> {
  const { tokenizer } = bench.body;
  const corpus = await encodeCorpus(heldOut, tokenizer);
  const losses = await tokenLosses(step, corpus);
  const byClass = Object.fromEntries([...tokenClasses, "none"].map((name) => [name, { tokens: 0, nats: 0 }]));
  classesOfIds(corpus.ids, (id) => tokenizer.bytesOf(id)).forEach((index, at) => {
    if (at === 0) return;
    const of = byClass[tokenClasses[index] ?? "none"]!;
    of.tokens += 1;
    of.nats += losses[at]!;
  });
  return { ...(await scoreArm(step, bench, heldOut)), byClass };
}
