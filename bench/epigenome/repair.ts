/**
 * Instruct repair on a larva and its own dialogue-tuned child: what the child has over the larva, added to the larva after
 * that learned documents, against teaching the child itself, and against a difference of the same size that means nothing.
 */

import { join } from "node:path";
import { loadBlueprint } from "../../src/blueprint/load.ts";
import { objectives } from "../../src/chrysalis/objectives/objectives.ts";
import { framedDocuments } from "../../src/epigenome/framed-documents.ts";
import { heldOutDocuments, heldOutRecords } from "../../src/epigenome/heldout-records.ts";
import { encodeCorpus } from "../../src/epigenome/pack.ts";
import type { TokenCorpus } from "../../src/epigenome/pack.ts";
import { defaultRules } from "../../src/epigenome/rules.ts";
import type { Rule } from "../../src/epigenome/rules.ts";
import { byHash, selectGenes } from "../../src/epigenome/select.ts";
import { scoreDocuments } from "../../src/eval/bits-per-byte.ts";
import type { Document, DocumentScore } from "../../src/eval/bits-per-byte.ts";
import { permutation } from "../../src/formats/random.ts";
import type { Gene } from "../../src/genome/manifest.ts";
import { compare, total } from "../../src/imago/measure.ts";
import type { Change } from "../../src/imago/measure.ts";
import { addDifference } from "../../src/imago/repair.ts";
import type { Body, WeightTensor } from "../../src/models/body.ts";
import { loadBody } from "../../src/models/load.ts";
import { compileStep } from "../../src/models/step.ts";
import { withChatTemplate } from "../../src/tokenizer/tokenizer.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { rowChart } from "../plot.ts";
import type { Bench, Proof } from "./proof.ts";
import { trainBody } from "./train-arm.ts";
import { byDocument, signed, splitProse } from "./whole.ts";

const arms = {
  larva: "the larva",
  child: "its child, tuned on dialogue",
  taught: "the child, then trained on documents",
  knowing: "the larva, trained on documents",
  repaired: "that plus (child - larva)",
  permuted: "that plus the same difference, permuted",
} as const;
type Arm = keyof typeof arms;
const names = Object.keys(arms) as readonly Arm[];

/** What is measured: prose that was held out, answers of held-out dialogues, general text. */
const texts = ["prose", "dialogue", "retention"] as const;
type Text = (typeof texts)[number];
type Scores = Readonly<Record<Arm, Readonly<Record<Text, readonly DocumentScore[]>>>>;

interface Result {
  readonly body: string;
  readonly steps: number;
  readonly seeds: readonly number[];
  readonly table: readonly {
    readonly arm: Arm;
    /** Bits per byte, mean of the seeds. */
    readonly mean: Readonly<Record<Text, number>>;
    /** Against the child, paired over documents. */
    readonly minusChild: Readonly<Record<Text, Change>>;
  }[];
}

/** Dialogue files that are held out, of those that are no copies. */
const HELD_OUT_DIALOGUES = 5;

export const repair: Proof<Result> = {
  name: "repair",
  title:
    "instruct repair of a larva and its dialogue-tuned child, against teaching the child, and a permuted difference",
  full: { tokens: 120_000, seeds: [1, 2, 3], scoredBytes: 64 * 1024 },
  quick: { tokens: 20_000, seeds: [1], scoredBytes: 16 * 1024 },
  async run(bench) {
    const { chatTemplate } = (await loadBlueprint("dialogue")).blueprint;
    const tokenizer = withChatTemplate(bench.body.tokenizer, chatTemplate!);
    const store = await bench.store({ planned: bench.seeds.map((seed) => `seed-${seed}`), settings: { chatTemplate } });
    const scores: Scores[] = [];
    for (const seed of bench.seeds) {
      scores.push(await store.kept(`seed-${seed}`, () => measureSeed(bench, tokenizer, seed, store.dir)));
    }
    return summarise(bench, scores);
  },
  report: ({ table }) => [
    "| weights | held-out prose | minus child | dialogue answers | minus child | retention | minus child |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...table.map(({ arm, mean, minusChild }) => {
      const cells = texts.map(
        (text) => `${mean[text].toFixed(4)} | ${arm === "child" ? "" : signed(minusChild[text])}`,
      );
      return `| ${arms[arm]} | ${cells.join(" | ")} |`;
    }),
  ],
  draw: ({ body, table, steps, seeds }) =>
    Object.fromEntries(
      (["prose", "dialogue"] as const).map((text) => [
        text,
        rowChart({
          title: `${text === "prose" ? "Held-out prose" : "Answers of held-out dialogues"} against the dialogue-tuned child (${body})`,
          subtitle: `${steps} steps each training, ${seeds.length} seeds; whiskers: one paired standard error over documents`,
          valueLabel: "bits per byte more than the child ",
          rows: table
            .filter(({ arm }) => arm !== "child")
            .map(({ arm, minusChild: { [text]: change } }) => ({
              label: arms[arm],
              value: change.difference,
              low: change.difference - (change.standardError ?? 0),
              high: change.difference + (change.standardError ?? 0),
              note: signed(change),
              isMuted: arm === "larva" || arm === "permuted",
            })),
        }),
      ]),
    ),
};

async function measureSeed(bench: Bench, tokenizer: Tokenizer, seed: number, dir: string): Promise<Scores> {
  const { heldOut, trainable } = await splitProse(bench, seed);
  const dialogues = byHash(
    trainable.filter(({ kind, representative }) => kind === "dialogue" && representative),
    seed,
    "held-out",
  );
  const [asked, practised] = [dialogues.slice(0, HELD_OUT_DIALOGUES), dialogues.slice(HELD_OUT_DIALOGUES)];
  const record = await heldOutRecords(
    asked,
    (gene) => bench.genome.text(gene),
    () => "dialogue",
  );
  const documents = { prose: heldOut, dialogue: heldOutDocuments(record, tokenizer), retention: bench.retention };
  const files = trainable.filter(({ kind }) => kind !== "dialogue");
  const prose = await corpusOf(bench, tokenizer, files, defaultRules, "clm", seed);
  const rules: Rule[] = [{ match: "**", framing: "dialogue" }];
  const talk = await corpusOf(bench, tokenizer, practised, rules, "sft", seed);

  const fresh = (): Promise<Body> => loadBody(bench.body.path);
  const trained = async (start: Body, corpus: TokenCorpus, name: string): Promise<Body> => {
    await trainBody(bench, corpus, { seed, start, dir: join(dir, `${name}-${seed}`) }, () => Promise.resolve());
    return start;
  };
  const child = await trained(await fresh(), talk, "child");
  const knowing = await trained(await fresh(), prose, "knowing");
  const taught = await trained({ ...child, weights: copyOf(child.weights) }, prose, "taught");
  const larva = await fresh();
  const learned = [...knowing.weights.values()];
  const repaired = { ...child, weights: copyOf(child.weights) };
  addDifference(repaired, larva, learned);
  const permuted = { ...child, weights: permutedChild(larva, child, seed) };
  addDifference(permuted, larva, learned);
  const bodies = { larva, child, taught, knowing, repaired, permuted };
  const scores: Partial<Record<Arm, Scores[Arm]>> = {};
  for (const arm of names) scores[arm] = await scoreBody(bench, tokenizer, bodies[arm], documents);
  return scores as Scores;
}

async function corpusOf(
  { genome, body }: Bench,
  tokenizer: Tokenizer,
  genes: readonly Gene[],
  rules: readonly Rule[],
  objective: keyof typeof objectives,
  seed: number,
): Promise<TokenCorpus> {
  const { expressed } = selectGenes(genes, { rules, seed, capacity: body.capacity });
  const { lossOf } = objectives[objective];
  const context = { seed, sequence: body.recipe.sequence, tokenizer, changesOf: () => [], lossOf };
  return encodeCorpus(framedDocuments(genome, expressed, context), tokenizer);
}

async function scoreBody(
  { body, threads }: Bench,
  tokenizer: Tokenizer,
  scored: Pick<Body, "config" | "weights">,
  documents: Readonly<Record<Text, readonly Document[]>>,
): Promise<Scores[Arm]> {
  const { microBatch: B, sequence: T } = body.recipe;
  const step = await compileStep(scored, { B, T, train: "none", threads });
  try {
    const scores: Partial<Record<Text, readonly DocumentScore[]>> = {};
    for (const text of texts) scores[text] = (await scoreDocuments(step, tokenizer, documents[text])).perDocument;
    return scores as Scores[Arm];
  } finally {
    await step.release();
  }
}

function copyOf(weights: Body["weights"]): Map<string, WeightTensor> {
  return new Map([...weights].map(([name, of]) => [name, { ...of, data: of.data.slice() }]));
}

/** The larva with the child's difference at other places: of the same size in every tensor. */
function permutedChild(
  larva: Pick<Body, "weights">,
  child: Pick<Body, "weights">,
  seed: number,
): Map<string, WeightTensor> {
  return new Map(
    [...child.weights].map(([name, of]) => {
      const from = larva.weights.get(name)!.data;
      const order = permutation(seed, `permuted ${name}`, 0, of.data.length);
      const data = from.map((value, i) => value + (of.data[order[i]!]! - from[order[i]!]!));
      return [name, { ...of, data }];
    }),
  );
}

function summarise({ body, steps, seeds }: Bench, scores: readonly Scores[]): Result {
  const all = (arm: Arm, text: Text): DocumentScore[] => byDocument(scores.flatMap((of) => of[arm][text]));
  const each = <T>(value: (text: Text) => T): Record<Text, T> =>
    Object.fromEntries(texts.map((text) => [text, value(text)])) as Record<Text, T>;
  return {
    body: body.name,
    steps,
    seeds,
    table: names.map((arm) => ({
      arm,
      mean: each((text) => scores.reduce((sum, of) => sum + total(of[arm][text]), 0) / scores.length),
      minusChild: each((text) => compare(all("child", text), all(arm, text))),
    })),
  };
}
