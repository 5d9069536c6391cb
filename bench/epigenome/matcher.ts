/** Proof 4, the matcher: what it costs to take the recipe it chooses rather than the best one, on four pairs of body and genome. */

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { estimate } from "../../src/blueprint/estimate.ts";
import { genomeFacts } from "../../src/blueprint/genome-facts.ts";
import { loadBlueprints } from "../../src/blueprint/load.ts";
import type { LoadedBlueprint } from "../../src/blueprint/load.ts";
import { matchRecipes } from "../../src/blueprint/match.ts";
import { trialScore } from "../../src/blueprint/trial-score.ts";
import { hatch } from "../../src/chrysalis/hatch.ts";
import { holdOut } from "../../src/epigenome/heldout.ts";
import { encodeCorpus } from "../../src/epigenome/pack.ts";
import { defaultRules } from "../../src/epigenome/rules.ts";
import { selectGenes } from "../../src/epigenome/select.ts";
import type { Document } from "../../src/eval/bits-per-byte.ts";
import { writeJsonl } from "../../src/formats/jsonl.ts";
import { packageRoot } from "../../src/formats/package-root.ts";
import { buildGenome } from "../../src/genome/build.ts";
import { openGenome } from "../../src/genome/manifest.ts";
import type { Genome } from "../../src/genome/manifest.ts";
import { total } from "../../src/imago/measure.ts";
import { benchBody } from "./body.ts";
import type { BenchBody } from "./body.ts";
import { mean } from "./dose-response.ts";
import { generalTexts } from "./general-texts.ts";
import { drawMatcher, reportMatcher } from "./matcher-report.ts";
import type { MatcherResult, PairResult } from "./matcher-report.ts";
import type { Bench, Proof } from "./proof.ts";
import { encodeGenes, scoreParent, trainArm } from "./train-arm.ts";

/** A second body beside the shipped larva, a fifth of its size, hatched in minutes. */
const SHAPE = { vocabulary: 2048, hidden: 128, intermediate: 352, layers: 4, heads: 4, keyValueHeads: 2, context: 512 };
const HATCH = { batchTokens: 4096, sequencesPerPass: 4, learningRate: 3e-3, textBytes: 8e6 };
/** Of the hatching; a trial needs a body of that shape, not a good one. */
const HATCH_STEPS = { full: 500, quick: 50 };
/** What "always the default recipe" takes: the adapter of docs' evidence for small corpora. */
const DEFAULT = "medium-body";
/** The matcher's view of the machine, so that its choice is the same wherever the bench runs. */
const MACHINE = { cores: 2, memoryBytes: 16e9, diskBytes: 100e9 };

export const matcher: Proof<MatcherResult> = {
  name: "matcher",
  title: "the matcher's recipe against the best of all, the default and the median, on two bodies and two genomes",
  full: { tokens: 80_000, seeds: [1, 2, 3], scoredBytes: 48 * 1024 },
  quick: { tokens: 20_000, seeds: [1], scoredBytes: 16 * 1024 },
  report: reportMatcher,
  draw: drawMatcher,
  async run(bench) {
    const steps = bench.quick ? HATCH_STEPS.quick : HATCH_STEPS.full;
    const material = await bench.store({ planned: [], settings: { SHAPE, HATCH, steps } });
    const own = await ownGenome(join(dirname(material.dir), "own-genome"));
    try {
      const hatched = await hatchedBody(bench, steps, join(material.dir, "hatched"));
      const recipes = (await loadBlueprints()).filter(({ blueprint }) => blueprint.applies?.byName !== true);
      const pairs = [bench.body, hatched].flatMap((body) => [
        { body, genome: bench.genome, name: "served corpus" },
        { body, genome: own, name: "this project" },
      ]);
      const store = await bench.store({
        planned: pairs.flatMap((_, pair) =>
          bench.seeds.flatMap((seed) => [
            `${pair}-parent-${seed}`,
            ...recipes.map(({ blueprint }) => `${pair}-${blueprint.name}-${seed}`),
          ]),
        ),
        settings: {
          hatched: await hatched.sha256(),
          own: own.sha256,
          recipes: recipes.map(({ sha256 }) => sha256),
        },
      });
      const results: PairResult[] = [];
      for (const [index, pair] of pairs.entries()) {
        results.push(await measurePair(bench, store, recipes, { ...pair, index }));
      }
      return { tokens: bench.tokens, seeds: bench.seeds, defaultRecipe: DEFAULT, pairs: results };
    } finally {
      await own.close();
    }
  },
};

interface Pair {
  readonly index: number;
  readonly body: BenchBody;
  readonly genome: Genome;
  readonly name: string;
}

/** Trains every recipe, whether it applies or not, for as many operations as full training of the bench's tokens takes. */
async function measurePair(
  bench: Bench,
  store: Awaited<ReturnType<Bench["store"]>>,
  recipes: readonly LoadedBlueprint[],
  { index, body, genome, name }: Pair,
): Promise<PairResult> {
  const texts = await generalTexts(bench.body.path, bench.text, {
    scoredBytes: bench.scoredBytes,
    replayBytes: 4 * bench.tokens,
  });
  const replay = await encodeCorpus(texts.replay, body.tokenizer);
  const budget = bench.tokens * flopsPerToken(body);
  const { chosen } = matchRecipes(recipes, {
    config: body.config,
    genome: genomeFacts(genome.genes),
    machine: MACHINE,
    given: {},
    replay: "given",
    copiesParent: false,
  });
  const figures = new Map(recipes.map(({ blueprint }) => [blueprint.name, [] as Scored[]]));
  const parents: Scored[] = [];
  for (const seed of bench.seeds) {
    const { heldOut, trainable } = await split(genome, body, bench.scoredBytes, seed);
    const base: Bench = { ...bench, body, genome, replay };
    const parent = await store.kept(`${index}-parent-${seed}`, async () => figuresOf(await scoreParent(base, heldOut)));
    parents.push({ ...parent, score: parent.heldOut });
    for (const { blueprint } of recipes) {
      const own = await benchBody(body.path, blueprint.name);
      const { sequence, sequences } = own.recipe;
      const steps = Math.max(1, Math.round(budget / (flopsPerToken(own) * sequence * sequences)));
      const trial: Bench = { ...base, body: own, steps };
      const found = await store.kept(`${index}-${blueprint.name}-${seed}`, async () => {
        const { expressed } = selectGenes(trainable, {
          rules: defaultRules,
          seed,
          capacity: own.capacity,
          isMarked: true,
        });
        const dir = join(store.dir, `training-${index}-${blueprint.name}-${seed}`);
        const { blend: alpha } = own.recipe;
        const corpus = await encodeGenes(trial, expressed, seed);
        return figuresOf(await trainArm(trial, corpus, { seed, heldOut, dir, alpha }));
      });
      figures.get(blueprint.name)!.push({ ...found, score: trialScore(found, parent) });
    }
  }
  const rows = [...figures].map(([recipe, scored]) => ({
    recipe,
    heldOut: scored.map((of) => of.heldOut),
    retention: scored.map((of) => of.retention),
    score: scored.map((of) => of.score),
  }));
  const best = rows.toSorted((a, b) => mean(a.score) - mean(b.score))[0]!;
  return {
    body: `${body.name}, ${(body.trainable / 1e6).toFixed(1)} M`,
    genome: name,
    chosen: chosen.recipe.blueprint.name,
    best: best.recipe,
    parent: { heldOut: parents.map((of) => of.heldOut), retention: parents.map((of) => of.retention) },
    rows,
  };
}

interface Scored {
  readonly heldOut: number;
  readonly retention: number;
  readonly score: number;
}

function figuresOf({ heldOut, retention }: Awaited<ReturnType<typeof scoreParent>>): {
  heldOut: number;
  retention: number;
} {
  return { heldOut: total(heldOut), retention: total(retention) };
}

function flopsPerToken({ config, recipe }: BenchBody): number {
  return estimate(config, {
    method: recipe.lora === null ? "full" : "lora",
    lora: recipe.lora ?? undefined,
    optimizer: "adamw",
    B: recipe.microBatch,
    T: recipe.sequence,
    corpusTokens: 0,
    genomeBytes: 0,
    copiesParent: false,
  }).flopsPerToken;
}

/** Held-out files of what the default rules express for the whole body, the same for every recipe. */
async function split(genome: Genome, { capacity }: BenchBody, maxBytes: number, seed: number) {
  const { expressed } = selectGenes(genome.genes, { rules: defaultRules, seed, capacity });
  const held = await holdOut(
    expressed.map(({ gene }) => gene),
    { seed, share: 0.08, minFiles: 8, maxBytes, text: (gene) => genome.text(gene) },
  );
  const heldOut: Document[] = [];
  for (const gene of held.heldOut) {
    heldOut.push({ id: `${gene.repository}/${gene.path}`, text: await genome.text(gene), group: gene.repository });
  }
  return { heldOut, trainable: held.trained };
}

async function ownGenome(out: string): Promise<Genome> {
  await buildGenome({ sources: [packageRoot()], out, onEvent: () => {} });
  return openGenome(out);
}

/** Hatches the second body, or goes on with it; its text is what replay is sampled from, never retention's. */
async function hatchedBody(
  { body, text, scoredBytes, threads, say }: Bench,
  steps: number,
  out: string,
): Promise<BenchBody> {
  const model = join(out, "model");
  if (!existsSync(join(model, "model.safetensors"))) {
    say(`hatching a second body: ${steps} steps`);
    const { replay } = await generalTexts(body.path, text, { scoredBytes, replayBytes: HATCH.textBytes });
    const { textBytes: _, ...settings } = HATCH;
    const file = `${out}.jsonl`;
    if (!existsSync(file)) await writeJsonl(file, replay);
    await hatch({
      ...settings,
      text: file,
      shape: SHAPE,
      optimiser: "muon",
      weightDecay: 0.1,
      decay: 0.6,
      budget: { steps },
      seed: 1,
      threads,
      out,
      resume: existsSync(join(out, "chrysalis")),
      version: "bench/epigenome",
      onEvent: () => {},
    });
  }
  return { ...(await benchBody(model)), name: "hatched" };
}
