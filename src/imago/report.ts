/** The report of a run: every figure of it with where it comes from, as `report.json` holds it. */

import { readFile } from "node:fs/promises";
import type { Plan, Settings } from "../blueprint/plan.ts";
import { planHash } from "../blueprint/plan.ts";
import type { EvaluationAt, TrainEvent } from "../chrysalis/events.ts";
import type { MarksSummary } from "../chrysalis/marks/adaptation.ts";
import type { GroupScore } from "../eval/macro.ts";
import type { HeldOutRecord } from "../epigenome/heldout-records.ts";
import type { LockedRepository } from "../genome/manifest.ts";
import type { Body } from "../models/body.ts";
import type { MergeDtype, Rounding } from "./export.ts";
import { compare } from "./measure.ts";
import type { Change, Figures, Measures } from "./measure.ts";
import type { Outcome } from "./outcome.ts";
import type { TextContinuation } from "./sample.ts";

/** Where the retention text comes from: a file, the model's own folder, or the parent's own samples. */
export type RetentionSource = "given" | "model" | "sampled";

export interface Training {
  readonly steps: number;
  readonly tokens: number;
  /** Of optimiser steps alone. */
  readonly tokensPerSecond: number;
  readonly seconds: number;
  readonly evaluations: readonly EvaluationAt[];
  /** The lowest held-out figure inside the forgetting budget, whose weights become the imago. */
  readonly best: Kept;
  /** The lowest one of all; the same without a budget. */
  readonly lowest: Kept;
  /** What adaptive marks came to; null where marks stayed. */
  readonly marks: MarksSummary | null;
}

/** An evaluation with its checkpoint, null where that is the untouched parent. */
type Kept = EvaluationAt & { readonly checkpoint: string | null };

interface MarksReport extends MarksSummary {
  readonly cost: MarksSummary["cost"] & {
    readonly flops: number;
    /** Of the sequences that were trained. */
    readonly share: number;
  };
}

/** How a training goes. */
export interface Course {
  /** Of optimiser steps alone. */
  readonly tokensPerSecond: number;
  /** Of the whole run, at most. */
  readonly memoryBytes: number;
  readonly steps: number;
  readonly tokens: number;
  /** Of the training; the prediction knows of no evaluations. */
  readonly minutes: number;
}

interface Side extends Figures {
  readonly perRepository: readonly GroupScore[];
  readonly perKind: readonly GroupScore[];
  readonly sample: TextContinuation;
}

export interface Report {
  readonly schema: 1;
  readonly tool: { readonly name: "symbiotic-chrysalis"; readonly version: string };
  readonly before: Side;
  readonly after: Side;
  readonly change: { readonly heldOut: Change; readonly retention: Change };
  /** Documents are read in windows of `window` positions, one every `stride`; `separator` is the id before each. */
  readonly evaluation: { readonly window: number; readonly stride: number; readonly separator: number };
  readonly heldOut: readonly {
    readonly repository: string;
    readonly path: string;
    readonly blob: string;
    readonly kind: string;
    /** Of what is scored: of prompts with answers the answers. */
    readonly bytes: number;
    /** Where it is read record by record, and scored so. */
    readonly framing?: string;
    readonly before: number;
    readonly after: number;
  }[];
  readonly retentionSource: RetentionSource;
  readonly retention: { readonly documents: number; readonly bytes: number };
  readonly training: Omit<Training, "marks"> & {
    readonly marks: MarksReport | null;
    readonly method: Settings["method"];
    readonly losses: readonly { readonly step: number; readonly loss: number }[];
  };
  readonly outcome: Outcome;
  readonly export: {
    readonly wanted: MergeDtype;
    readonly dtype: Body["dtype"];
    /** Null where nothing was rounded. */
    readonly rounding: Rounding | null;
  };
  /** The instruct model whose difference to the parent was added, and how it stands itself; null where none was. */
  readonly repair: {
    readonly instruct: string;
    readonly sha256: string;
    readonly bitsPerByte: number;
    readonly retentionBitsPerByte: number;
  } | null;
  readonly lineage: {
    readonly parent: {
      readonly name: string;
      readonly sha256: string;
      readonly modelType: string;
      readonly parameters: number;
    };
    readonly genome: { readonly sha256: string; readonly repositories: readonly LockedRepository[] };
    /** Left out where there are none. */
    readonly data?: Plan["inputs"]["data"];
    readonly blueprint: Plan["inputs"]["blueprint"];
    readonly plan: string;
    readonly seed: number;
    readonly threads: number;
    readonly versions: { readonly node: string; readonly chrysalis: string };
  };
  /** What the plan foretold; its rate was measured by a probe, or estimated. */
  readonly predicted: Course & { readonly rate: Plan["predicted"]["rate"] };
  readonly measured: Course;
  readonly peakMemoryBytes: number;
  readonly seconds: number;
  readonly warnings: readonly string[];
}

export interface ReportInputs {
  readonly version: string;
  readonly plan: Plan;
  readonly settings: Settings;
  readonly before: Measures;
  readonly after: Measures;
  readonly separator: number;
  readonly heldOut: readonly HeldOutRecord[];
  readonly retentionSource: RetentionSource;
  readonly training: Training;
  readonly losses: Report["training"]["losses"];
  readonly outcome: Outcome;
  readonly exported: Report["export"];
  readonly repair: Report["repair"] | undefined;
  /** The parent's file or folder name. */
  readonly parent: string;
  readonly repositories: readonly LockedRepository[];
  readonly peakMemoryBytes: number;
  readonly seconds: number;
  readonly warnings: readonly string[];
}

export function buildReport(inputs: ReportInputs): Report {
  const { plan, settings, before, after, heldOut } = inputs;
  const { model, genome, data, blueprint } = plan.inputs;
  return {
    schema: 1,
    tool: { name: "symbiotic-chrysalis", version: inputs.version },
    before: sideOf(before),
    after: sideOf(after),
    change: {
      heldOut: compare(before.heldOut, after.heldOut),
      retention: compare(before.retention, after.retention),
    },
    evaluation: {
      window: settings.window,
      stride: Math.max(1, Math.floor(settings.window / 2)),
      separator: inputs.separator,
    },
    heldOut: heldOut.map(({ repository, path, blob, kind, framed }, i) => ({
      repository,
      path,
      blob,
      kind,
      bytes: before.heldOut[i]!.bytes,
      ...(framed && { framing: framed.framing }),
      before: before.heldOut[i]!.bitsPerByte,
      after: after.heldOut[i]!.bitsPerByte,
    })),
    retentionSource: inputs.retentionSource,
    retention: {
      documents: before.retention.length,
      bytes: before.retention.reduce((sum, { bytes }) => sum + bytes, 0),
    },
    training: {
      method: settings.method,
      ...inputs.training,
      marks: inputs.training.marks && marksReport(inputs.training.marks, inputs),
      losses: inputs.losses,
    },
    outcome: inputs.outcome,
    export: inputs.exported,
    repair: inputs.repair ?? null,
    lineage: {
      parent: { name: inputs.parent, sha256: model.sha256, modelType: model.modelType, parameters: model.parameters },
      genome: { sha256: genome.sha256, repositories: inputs.repositories },
      ...(data && { data }),
      blueprint,
      plan: planHash(plan),
      seed: settings.seed,
      threads: settings.threads,
      versions: { node: process.version, chrysalis: inputs.version },
    },
    predicted: predictedCourse(plan),
    measured: {
      tokensPerSecond: inputs.training.tokensPerSecond,
      memoryBytes: inputs.peakMemoryBytes,
      steps: inputs.training.steps,
      tokens: inputs.training.tokens,
      minutes: inputs.training.seconds / 60,
    },
    peakMemoryBytes: inputs.peakMemoryBytes,
    seconds: inputs.seconds,
    warnings: inputs.warnings,
  };
}

function marksReport(marks: MarksSummary, { plan, settings, training }: ReportInputs): MarksReport {
  const { sequences } = marks.cost;
  const { sequence, microBatch, microBatches } = settings;
  const flops = sequences * sequence * plan.predicted.flopsPerToken;
  const share = sequences / Math.max(1, training.steps * microBatch * microBatches);
  return { ...marks, cost: { ...marks.cost, flops, share } };
}

function predictedCourse({ predicted }: Plan): Report["predicted"] {
  const { tokensPerSecond, rate, memoryBytes, steps, tokensPerStep, trainingSeconds } = predicted;
  return { tokensPerSecond, rate, memoryBytes, steps, tokens: steps * tokensPerStep, minutes: trainingSeconds / 60 };
}

function sideOf({
  bitsPerByte,
  bitsPerByteMacro,
  retentionBitsPerByte,
  perRepository,
  perKind,
  sample,
}: Measures): Side {
  return { bitsPerByte, bitsPerByteMacro, retentionBitsPerByte, perRepository, perKind, sample };
}

const MOST_LOSSES = 200;

/** The losses of a run's steps from its events.jsonl, evenly thinned to at most 200. */
export async function readLosses(events: string): Promise<{ step: number; loss: number }[]> {
  const losses = (await readFile(events, "utf8")).split("\n").flatMap((line) => {
    if (line === "") return [];
    const event = JSON.parse(line) as TrainEvent;
    return event.type === "step" ? [{ step: event.step, loss: event.loss }] : [];
  });
  const every = Math.ceil(losses.length / MOST_LOSSES);
  return losses.filter((_, i) => i % every === every - 1);
}
