/** The trainings of the proof of adaptive marks: marks that are measured, and marks that are given. */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createAdaptation } from "../../src/chrysalis/marks/adaptation.ts";
import type { MarksSummary } from "../../src/chrysalis/marks/adaptation.ts";
import { createProbeStep } from "../../src/chrysalis/marks/probe-step.ts";
import type { ProbeStep } from "../../src/chrysalis/marks/probe-step.ts";
import { createMarkedStream } from "../../src/epigenome/marks/marked-stream.ts";
import type { MarkedStream } from "../../src/epigenome/marks/marked-stream.ts";
import { encodeCorpus, packCorpus } from "../../src/epigenome/pack.ts";
import type { PackedCorpus, TokenCorpus } from "../../src/epigenome/pack.ts";
import { scoreDocuments } from "../../src/eval/bits-per-byte.ts";
import type { Document } from "../../src/eval/bits-per-byte.ts";
import { scoreByGroup } from "../../src/eval/macro.ts";
import { readJsonLines } from "../../src/formats/jsonl.ts";
import { total } from "../../src/imago/measure.ts";
import type { Step } from "../../src/models/step.ts";
import type { AdaptiveTexts } from "./adaptive-groups.ts";
import type { Bench } from "./proof.ts";
import { scoreArm, trainBody } from "./train-arm.ts";
import type { ArmScores } from "./train-arm.ts";

/** Marks of all groups from a step on. */
export interface MarksFrom {
  readonly step: number;
  readonly marks: readonly number[];
}

export interface MarkedCorpus {
  readonly texts: AdaptiveTexts;
  readonly corpus: TokenCorpus;
  /** The group of each document of the corpus. */
  readonly groupOf: readonly number[];
  /** General text of which the gradient is taken, and on which forgetting is measured. */
  readonly reference: readonly Document[];
  readonly retention: readonly Document[];
}

export interface MarkedRun {
  readonly scores: ArmScores;
  readonly marks: readonly MarksFrom[];
}

export interface AdaptiveRun extends MarkedRun {
  readonly summary: MarksSummary;
  /** What measuring took in sequences of training: gradients, and passes over the steering text at a third of their cost. */
  readonly measuring: { readonly gradients: number; readonly scoring: number };
}

/** Evaluations after the first; marks change after all but the last of them. */
const EVALUATIONS = 5;
/** Of a forward pass, as part of a training sequence: 2 of its 6 operations for each weight. */
const FORWARD = 1 / 3;

interface RunOptions {
  readonly seed: number;
  readonly steps: number;
  /** For checkpoints; emptied first. */
  readonly dir: string;
}

/** Trains under marks that are known from the start. */
export async function trainMarked(
  bench: Bench,
  of: MarkedCorpus,
  { marks, ...options }: RunOptions & { readonly marks: readonly MarksFrom[] },
): Promise<MarkedRun> {
  const { stream } = streamOf(bench, of, options.seed);
  for (const change of marks) stream.mark(change.step, change.marks);
  const scores = await trainBody(bench, of.corpus, { ...options, stream }, (step) => score(step, bench, of));
  return { scores, marks };
}

/** Trains under marks that change by diet and stress, and says what measuring for that took. */
export async function trainAdaptive(bench: Bench, of: MarkedCorpus, options: RunOptions): Promise<AdaptiveRun> {
  const { body, threads } = bench;
  const { sequence: T, lora } = body.recipe;
  const { texts } = of;
  const { stream, packed } = streamOf(bench, of, options.seed);
  const path = join(options.dir, "marks.jsonl");
  // What an earlier call left half done is no run to go on with.
  await rm(options.dir, { recursive: true, force: true });
  const reference = packCorpus(await encodeCorpus(of.reference, body.tokenizer), T);
  let heldOut: readonly (number | null)[] = [];
  let batches = 0;
  let probe: ProbeStep | undefined;
  try {
    const adaptation = await createAdaptation({
      adapt: { diet: true, stress: true, environment: false, least: 0.1, cost: 0.1 },
      path,
      seed: options.seed,
      groups: texts.groups.names,
      stream,
      packed,
      heldOut: () => heldOut,
      probe: { step: () => probe!.current(), reference },
    });
    let evaluated = 0;
    const evaluation = (step: Step) => ({
      times: EVALUATIONS,
      async evaluate() {
        // No mark follows from the last evaluation, so it is not what marks cost.
        const counts = evaluated++ < EVALUATIONS;
        const scorer = {
          ...step,
          evaluate: (batch: Parameters<Step["evaluate"]>[0]) => {
            if (counts) batches += 1;
            return step.evaluate(batch);
          },
        };
        const { perDocument } = await scoreDocuments(scorer, body.tokenizer, texts.steering);
        const known = new Map(scoreByGroup(perDocument, ({ group }) => group!).map((one) => [one.group, one]));
        heldOut = texts.groups.names.map((name) => known.get(name)?.bitsPerByte ?? null);
        return { heldOut: total(perDocument) };
      },
    });
    let marks: MarksFrom[] = [];
    const scores = await trainBody(
      bench,
      of.corpus,
      {
        ...options,
        stream,
        evaluation,
        adapt: (step, parent) => {
          const train = lora === null ? ("full" as const) : { lora: { ...lora, seed: options.seed } };
          probe = createProbeStep(parent, step, { T, train, threads });
          return adaptation;
        },
      },
      async (step) => {
        marks = await readMarks(path);
        return score(step, bench, of);
      },
    );
    const summary = adaptation.summary();
    const scoring = batches * body.recipe.microBatch * FORWARD;
    return { scores, marks, summary, measuring: { gradients: summary.cost.sequences, scoring } };
  } finally {
    await probe?.release();
  }
}

async function readMarks(path: string): Promise<MarksFrom[]> {
  const marks: MarksFrom[] = [];
  for await (const { value } of readJsonLines(path)) {
    const { step, groups } = value as { readonly step: number; readonly groups: readonly { readonly mark: number }[] };
    marks.push({ step, marks: groups.map(({ mark }) => mark) });
  }
  return marks;
}

function streamOf(
  { body, replay }: Bench,
  { texts, corpus, groupOf }: MarkedCorpus,
  seed: number,
): { stream: MarkedStream; packed: PackedCorpus } {
  const { sequence: T, sequences, microBatch: B, replay: share } = body.recipe;
  const packed = packCorpus(corpus, T, { groupOf: (document) => groupOf[document]! });
  const stream = createMarkedStream(packed, {
    B,
    microBatches: sequences / B,
    seed,
    count: texts.groups.names.length,
    replay: { corpus: packCorpus(replay, T), share },
  });
  return { stream, packed };
}

/** Marks that make all groups as large as the smallest, as far as marks go: what diet might come to without measuring. */
export function equalMarks(bench: Bench, of: MarkedCorpus, least: number): MarksFrom[] {
  const sizes = streamOf(bench, of, 1).stream.groups.map(({ sequences }) => sequences);
  const smallest = Math.min(...sizes);
  return [{ step: 0, marks: sizes.map((size) => Math.max(least, smallest / size)) }];
}

function score(step: Step, { body }: Bench, { texts, retention }: MarkedCorpus): Promise<ArmScores> {
  return scoreArm(step, { body, retention }, texts.measured);
}
