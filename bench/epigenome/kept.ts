/** Proof 3, learned against kept: what arms have forgotten at the largest gain that the default and all baselines reach. */

import { join } from "node:path";
import { UserError } from "../../src/errors.ts";
import { holdOut } from "../../src/epigenome/heldout.ts";
import type { TokenCorpus } from "../../src/epigenome/pack.ts";
import { defaultRules } from "../../src/epigenome/rules.ts";
import { selectGenes } from "../../src/epigenome/select.ts";
import { cutText } from "../../src/epigenome/texts.ts";
import type { Document } from "../../src/eval/bits-per-byte.ts";
import type { Gene } from "../../src/genome/manifest.ts";
import { chooseRates, summarise } from "./kept-result.ts";
import type { KeptResult, Trial } from "./kept-result.ts";
import { keptArms, rateFactors, trainingName } from "./kept-arms.ts";
import type { KeptArm } from "./kept-arms.ts";
import { drawKept, reportKept } from "./kept-report.ts";
import { lineOf } from "./curves.ts";
import type { Curve, SeedCurves } from "./curves.ts";
import type { Bench, Proof } from "./proof.ts";
import type { Store } from "./store.ts";
import { encodeGenes, scoreParent } from "./train-arm.ts";
import type { ArmScores } from "./train-arm.ts";
import { trainCurve } from "./train-curve.ts";
import type { TrainedCurve } from "./train-curve.ts";

/** Of the split on which learning rates are chosen; no seed of the table can be it. */
const SELECTION_SEED = 0;
/** About what a window of 512 tokens holds, so that hardly a piece is read twice. */
const PIECE_LENGTH = 1400;
/** Inside a blend; with both ends they determine its smooth curve. */
const ALPHAS = [0.35, 0.6, 0.85] as const;

export const kept: Proof<KeptResult> = {
  name: "kept",
  title: "learned against kept: forgetting at matched gain, the default against adapters, replay and blends",
  full: { tokens: 81_920, seeds: [1, 2, 3], scoredBytes: 40 * 1024 },
  quick: { tokens: 20_480, seeds: [1], scoredBytes: 24 * 1024 },
  run,
  report: reportKept,
  draw: drawKept,
};

async function run(bench: Bench): Promise<KeptResult> {
  const isSmall = bench.body.recipe.lora === null;
  const all = keptArms(bench.body, bench.steps);
  const arms = chosenArms(all, bench);
  const evaluations = isSmall && !bench.quick ? 5 : 4;
  const settings = { evaluations, alphas: ALPHAS, pieces: PIECE_LENGTH };
  const selected = await holdOutOf(bench, SELECTION_SEED, []);

  // A larger body keeps its recipe's rate, on both sides: trials would take it hours.
  const factors = isSmall && !bench.quick ? rateFactors : [1];
  const tuned = all.filter(({ name }) => arms.some(({ rateOf }) => rateOf === name));
  const candidates = tuned.flatMap((arm) => factors.map((factor) => ({ arm, rate: scaledRate(arm, factor) })));
  const trials: Trial[] = [];
  if (factors.length > 1) {
    const planned = namesOf(candidates.map(({ arm, rate }) => trainingName(arm, rate, SELECTION_SEED)));
    const store = await bench.store({ planned, settings });
    const split = await openSplit(bench, store, { seed: SELECTION_SEED, heldOut: selected, parity: 1 });
    for (const { arm, rate } of candidates)
      trials.push({ arm: arm.name, rate, line: lineOf(await curveOf(store, split, arm, rate, evaluations)) });
  }
  const { rates, gain } = chooseRates(candidates, trials);
  const rateFor = ({ rateOf }: KeptArm): number => rates[rateOf]!;

  const planned = namesOf(bench.seeds.flatMap((seed) => arms.map((arm) => trainingName(arm, rateFor(arm), seed))));
  const store = await bench.store({ planned, settings });
  const seeds: SeedCurves[] = [];
  for (const seed of bench.seeds) {
    const heldOut = await holdOutOf(bench, seed, selected);
    const split = await openSplit(bench, store, { seed, heldOut, parity: 0 });
    const curves: Record<string, Curve> = {};
    for (const arm of arms) curves[arm.name] = await curveOf(store, split, arm, rateFor(arm), evaluations);
    seeds.push(curves);
  }
  return summarise(bench, { arms, rates, trials, selectionGain: gain, seeds, evaluations, alphas: ALPHAS });
}

/** The arms asked for, and the default, which all are compared with. */
function chosenArms(all: readonly KeptArm[], { arms: wanted, quick }: Bench): readonly KeptArm[] {
  const unknown = wanted?.find((name) => !all.some((arm) => arm.name === name));
  if (unknown !== undefined) {
    const known = all.map(({ name }) => name).join(", ");
    throw new UserError("usage", `--arms: there is no arm ${unknown}`, { hint: `there are ${known}` });
  }
  const isWanted = ({ name, role }: KeptArm): boolean => wanted?.includes(name) ?? !(quick && role === "part");
  return all.filter((arm) => arm.role === "default" || isWanted(arm));
}

const scaledRate = ({ recipe }: KeptArm, factor: number): number =>
  Number((factor * recipe.learningRate).toPrecision(4));
const namesOf = (names: readonly string[]): string[] => [...new Set(names)];

/** Files of the default epigenome, as a run holds them out; those held out for selection stay in training. */
async function holdOutOf({ genome, body, scoredBytes }: Bench, seed: number, selected: readonly Gene[]) {
  const { expressed } = selectGenes(genome.genes, { rules: defaultRules, seed, capacity: body.capacity });
  const genes = expressed.map(({ gene }) => gene);
  const text = (gene: Gene): Promise<string> => genome.text(gene);
  const texts = new Set(selected.map(({ textSha256 }) => textSha256));
  const isFree = ({ textSha256 }: Gene): boolean => !texts.has(textSha256);
  const { heldOut } = await holdOut(genes.filter(isFree), {
    seed,
    share: 0.12,
    minFiles: 8,
    maxBytes: scoredBytes / 2,
    text,
    alsoTrained: await Promise.all(genes.filter((gene) => !isFree(gene)).map(text)),
  });
  return heldOut;
}

/** What the trainings of one seed have in common. */
interface Split {
  readonly seed: number;
  readonly heldOut: readonly Document[];
  readonly parent: ArmScores;
  /** With this split's part of retention. */
  readonly bench: Bench;
  /** Encoded when a training first asks for it. */
  readonly corpus: () => Promise<TokenCorpus>;
}

/** @param options.parity which half of the retention pieces is read: every other one, from this one on */
async function openSplit(
  bench: Bench,
  store: Store,
  options: { readonly seed: number; readonly heldOut: readonly Gene[]; readonly parity: 0 | 1 },
): Promise<Split> {
  const { seed, parity } = options;
  const pieces = bench.retention.flatMap((document) => cutText(document, PIECE_LENGTH));
  const own: Bench = { ...bench, retention: pieces.filter((_, i) => i % 2 === parity) };
  const heldOut: Document[] = [];
  for (const gene of options.heldOut) {
    const { repository, path } = gene;
    heldOut.push({ id: `${repository}/${path}`, text: await bench.genome.text(gene), group: repository });
  }
  const texts = new Set(options.heldOut.map(({ textSha256 }) => textSha256));
  let corpus: Promise<TokenCorpus> | undefined;
  const encode = (): Promise<TokenCorpus> => {
    const { genome, body } = bench;
    const { expressed } = selectGenes(genome.genes, { rules: defaultRules, seed, capacity: body.capacity });
    return encodeGenes(
      bench,
      expressed.filter(({ gene }) => !texts.has(gene.textSha256)),
      seed,
    );
  };
  return {
    seed,
    heldOut,
    parent: await store.kept(`parent-seed${seed}`, () => scoreParent(own, heldOut)),
    bench: own,
    corpus: () => (corpus ??= encode()),
  };
}

/** An arm's curve; arms of one training share it. */
async function curveOf(store: Store, split: Split, arm: KeptArm, rate: number, evaluations: number): Promise<Curve> {
  const { seed, heldOut, parent, bench } = split;
  const trained = await store.kept(trainingName(arm, rate, seed), async (): Promise<TrainedCurve> => {
    const { steps } = arm;
    const recipe = { ...arm.recipe, learningRate: rate };
    const alphas = bench.body.recipe.lora === null ? ALPHAS : [];
    const dir = join(store.dir, "training");
    return trainCurve(bench, await split.corpus(), { recipe, steps, seed, heldOut, parent, evaluations, alphas, dir });
  });
  const points = arm.isBlended ? trained.blend : trained.training;
  return { points: [{ at: 0, scores: parent }, ...points], isBlend: arm.isBlended };
}
