/** Proof 5, adaptive marks: do marks that follow from measurements beat the same changes on permuted groups, and marks that stay? */

import { join } from "node:path";
import { framedDocuments } from "../../src/epigenome/framed-documents.ts";
import { encodeCorpus } from "../../src/epigenome/pack.ts";
import { clm } from "../../src/chrysalis/objectives/clm.ts";
import { permutation } from "../../src/formats/random.ts";
import { adaptiveTexts } from "./adaptive-groups.ts";
import { equalMarks, trainAdaptive, trainMarked } from "./adaptive-arms.ts";
import type { AdaptiveRun, MarkedCorpus, MarkedRun, MarksFrom } from "./adaptive-arms.ts";
import { drawAdaptive, reportAdaptive, summariseAdaptive } from "./adaptive-report.ts";
import type { AdaptiveResult, ArmRun } from "./adaptive-report.ts";
import type { Bench, Proof } from "./proof.ts";
import { scoreParent } from "./train-arm.ts";

/** Of a group's texts, at most; what steers is scored before every decision. */
const BYTES = { measuredBytes: 12 * 1024, steeringBytes: 1536 } as const;
const LEAST = 0.1;

export const adaptive: Proof<AdaptiveResult> = {
  name: "adaptive",
  title: "marks that follow diet and stress against the same changes on permuted groups, and marks that stay",
  full: { tokens: 240_000, seeds: [1, 2, 3], scoredBytes: 96 * 1024 },
  quick: { tokens: 80_000, seeds: [1], scoredBytes: 32 * 1024 },
  report: reportAdaptive,
  draw: drawAdaptive,
  async run(bench) {
    const { seeds, body, genome, steps, say } = bench;
    const texts = await adaptiveTexts(genome, { capacity: body.capacity, ...BYTES });
    const of = await markedCorpus(bench, texts);
    const { names } = texts.groups;
    say(`${names.length} groups: ${names.join(", ")}`);
    const arms = ["adaptive", "fixed", "permuted", "equal"] as const;
    const store = await bench.store({
      planned: ["parent", ...seeds.flatMap((seed) => arms.map((arm) => `${arm}-${seed}`))],
      settings: { bytes: BYTES, least: LEAST },
    });
    const retention = { ...bench, retention: of.retention };
    const parent = await store.kept("parent", () => scoreParent(retention, texts.measured));
    const runs: ArmRun[] = [];
    for (const seed of seeds) {
      const dir = (arm: string): string => join(store.dir, `training-${arm}-${seed}`);
      const measured = await store.kept<AdaptiveRun>(`adaptive-${seed}`, () =>
        trainAdaptive(bench, of, { seed, steps, dir: dir("adaptive") }),
      );
      const { gradients, scoring } = measured.measuring;
      // What the others do not spend on measuring they train.
      const longer = steps + Math.ceil((gradients + scoring) / body.recipe.sequences);
      const given: Record<Exclude<(typeof arms)[number], "adaptive">, readonly MarksFrom[]> = {
        fixed: [],
        permuted: permuted(measured.marks, seed),
        equal: equalMarks(bench, of, LEAST),
      };
      runs.push({ seed, arm: "adaptive", steps, run: measured });
      for (const arm of ["fixed", "permuted", "equal"] as const) {
        const run = await store.kept<MarkedRun>(`${arm}-${seed}`, () =>
          trainMarked(bench, of, { seed, steps: longer, dir: dir(arm), marks: given[arm] }),
        );
        runs.push({ seed, arm, steps: longer, run });
      }
    }
    return summariseAdaptive(bench, { texts, parent, runs });
  },
};

/** The same changes at the same steps, each group with the marks of another. */
function permuted(marks: readonly MarksFrom[], seed: number): MarksFrom[] {
  const order = permutation(seed, "permuted marks", 0, marks[0]!.marks.length);
  return marks.map(({ step, marks: own }) => ({ step, marks: own.map((_, i) => own[order[i]!]!) }));
}

async function markedCorpus({ genome, body, retention }: Bench, texts: MarkedCorpus["texts"]): Promise<MarkedCorpus> {
  const { tokenizer, recipe } = body;
  const context = { seed: 1, sequence: recipe.sequence, tokenizer, changesOf: () => [], lossOf: clm.lossOf };
  const groupOf: number[] = [];
  const corpus = await encodeCorpus(framedDocuments(genome, texts.trained, context), tokenizer, {
    onDocument: ({ of }) => void groupOf.push(texts.groups.of(of.gene)!),
  });
  const every = (rest: number) => retention.filter((_, i) => i % 2 === rest);
  return { texts, corpus, groupOf, reference: every(1), retention: every(0) };
}
