/** A plan: what a blueprint means for this body, this genome and this machine, every value with where it came from. */
import { createHash } from "node:crypto";
import type { Form } from "../epigenome/data/forms.ts";
import type { Adapt } from "../epigenome/marks/adapt.ts";
import type { Order } from "../epigenome/order.ts";
import type { Rule } from "../epigenome/rules.ts";
import type { QuestionPlan } from "../epigenome/synthetic/question-plan.ts";
import type { OwnReplayPlan } from "../epigenome/synthetic/own-replay.ts";
import { UserError } from "../errors.ts";
import { atomicWrite, canonicalJson, readJson } from "../formats/files.ts";
import type { ModuleRule } from "../models/module-marks.ts";
import type { NameRule } from "../models/weight-names.ts";
import type { SearchRecord } from "./search.ts";
import type { Estimate } from "./estimate.ts";
import type { ObjectiveName } from "./stages-schema.ts";

/** Who decided: the command line, the blueprint, a rule that looked at body, genome or machine, or nobody. */
export type Origin = "given" | "recipe" | "derived" | "default";

export interface Planned<T> {
  readonly value: T;
  readonly origin: Origin;
  readonly reason: string;
}

export interface StageSettings {
  readonly name: string;
  readonly objective: ObjectiveName;
  /** Part of the training; those of all stages add up to 1. */
  readonly share: number;
}

/** The settings of a run, as plain values. */
export interface Settings {
  method: "full" | "lora";
  /** Null for full training. */
  lora: { rank: number; alpha: number; targets: readonly string[]; rslora: boolean } | null;
  /** Marks on modules. */
  modules: readonly ModuleRule[];
  optimizer: "adamw" | "muon";
  learningRate: number;
  betas: readonly [number, number];
  epsilon: number;
  weightDecay: number;
  clip: number;
  /** Parts of the steps. */
  warmup: number;
  decay: number;
  /** Positions of a training sequence. */
  sequence: number;
  /** Sequences of a micro-batch, and micro-batches of an optimiser step. */
  microBatch: number;
  microBatches: number;
  /** One after the other. */
  stages: readonly StageSettings[];
  /** Jinja that a parent without a chat template gets; null where it has one, or the recipe has none. */
  chatTemplate: string | null;
  /** In which the text of a pass is read. */
  order: Order;
  /** How marks of groups change during the training; null: they stay. */
  adapt: Adapt | null;
  /** Part of a step's tokens that count, those with the highest loss above the parent's; null: all. */
  select: { readonly excess: number } | null;
  /** Part of the trained tokens. */
  replay: number;
  /** Part of the training time that each of the next two may take, beside it. */
  syntheticTime: number;
  /** What the parent writes itself as replay before training; null where it need not. */
  ownReplay: OwnReplayPlan | null;
  /** What the parent asks itself about files before training; null where no rule frames one so. */
  questions: QuestionPlan | null;
  /** The forgetting budget, null in what is not watched; null where there is none. */
  keep: { readonly kl: number | null; readonly retention: number | null } | null;
  /** Points between parent and child, of which the best emerges; null for the child as it is. */
  blend: { readonly alphas: readonly number[]; readonly modules: readonly (NameRule & { alpha: number })[] } | null;
  /** "default": after the rules that silence what small bodies do not get; "all": the blueprint's rules alone. */
  express: "default" | "all";
  /** In order: what a later one says counts. */
  rules: readonly Rule[];
  /** Bytes of text that one pass may hold: of weights and time the lower limit; null where nothing limits it. */
  capacity: number | null;
  /** Glob over `repository/path`. */
  heldOutMatch: string;
  heldOutShare: number;
  heldOutMinFiles: number;
  heldOutMaxBytes: number;
  /** Positions of a scoring window. */
  window: number;
  /** Evaluations after the one at the start. */
  evaluations: number;
  /** Tokens that each interim evaluation may score, held-out and retention text together. */
  evaluationTokens: number;
  checkpoint: { readonly seconds: number } | { readonly steps: number };
  budget: { readonly minutes: number } | { readonly steps: number };
  /** Optimiser steps after which the genome has been passed as often as is useful. */
  maxSteps: number;
  seed: number;
  threads: number;
}

export type PlannedSettings = { readonly [K in keyof Settings]: Planned<Settings[K]> };

/** A data file beside the repositories. */
export interface DataInput {
  readonly name: string;
  readonly sha256: string;
  readonly form: Form;
  /** That are trained on or held out. */
  readonly records: number;
}

/** What a run is made from, by hash; no path and no time, so that it is equal wherever it is made. */
export interface PlanInputs {
  readonly blueprint: { readonly name: string; readonly sha256: string };
  readonly model: { readonly sha256: string; readonly modelType: string; readonly parameters: number };
  readonly genome: {
    readonly sha256: string;
    readonly repositories: readonly { readonly name: string; readonly commit: string | null }[];
    readonly files: number;
    readonly trainedFiles: number;
    readonly trainedBytes: number;
    readonly heldOutFiles: number;
    readonly heldOutBytes: number;
  };
  /** Their chunks are counted under `genome` as files; left out where there are none. */
  readonly data?: readonly DataInput[];
  readonly retention: { readonly source: string; readonly bytes: number } | null;
  readonly replay: { readonly source: string; readonly bytes: number } | null;
  /** Whose difference to the parent is added after training. */
  readonly instruct: { readonly sha256: string } | null;
}

/** What a stage reads in one pass, replay apart. */
export interface StageDiet {
  readonly name: string;
  readonly documents: number;
  readonly tokens: number;
  /** Of these, those that carry weight in the loss. */
  readonly trained: number;
}

export interface Diet {
  readonly stages: readonly StageDiet[];
  /** For two stages each: the part of the later one's different 50-grams of tokens that the earlier one has too. */
  readonly overlap: readonly { readonly stages: readonly [string, string]; readonly share: number }[];
}

/** What a probe measured before the plan was made. */
export interface ProbeRecord {
  readonly origin: "measured";
  /** Of the untouched parent on a sample of what is trained on, in windows of `sequence` positions. */
  readonly bitsPerByte: number;
  readonly perRepository: readonly {
    readonly repository: string;
    readonly bytes: number;
    readonly bitsPerByte: number;
  }[];
  /** The same after the steps; null where the first figure raised no doubt. */
  readonly bitsPerByteAfter: number | null;
  readonly steps: number;
  /** Of a sample of `sampleBytes`: bits per byte of the frequencies of its bytes, and of DEFLATE. */
  readonly byteEntropy: number;
  readonly deflatedBits: number;
  readonly sampleBytes: number;
  /** Of everything that one pass trains. */
  readonly bytesPerToken: number;
  /** Sequences of a step of the probe, and positions of each. */
  readonly sequences: number;
  readonly sequence: number;
  /** Operations that its training steps did in a second, and how many tokens of the plan's shape these are. */
  readonly flopsPerSecond: number;
  readonly tokensPerSecond: number;
}

export interface Plan {
  readonly schema: 2;
  readonly inputs: PlanInputs;
  readonly settings: PlannedSettings;
  readonly diet: Diet;
  /** What `--search` tried; null without. What it chose is in inputs and settings. */
  readonly search: SearchRecord | null;
  /** Null where nothing was probed. Like the rate, it decides no setting. */
  readonly probe: ProbeRecord | null;
  /** Reproducible too where the rate is estimated: what happens to be free on the machine is not in it. */
  readonly predicted: Estimate & {
    readonly tokensPerSecond: number;
    readonly rate: "measured" | "estimated";
    readonly tokensPerStep: number;
    readonly steps: number;
    readonly epochs: number;
    readonly trainingSeconds: number;
    /** Of what the parent writes before training. */
    readonly syntheticSeconds: number;
    /** For the parent to read the text first, where order or selection go by its losses; else 0. */
    readonly parentSeconds: number;
  };
}

/** The settings without their origins. */
export function settingsOf(plan: Plan): Settings {
  const entries = Object.entries(plan.settings).map(([key, { value }]) => [key, value]);
  return Object.fromEntries(entries) as Settings;
}

/** SHA-256 of what decides the result: inputs and settings. Predictions are not in it. */
export function planHash(plan: Plan): string {
  const { schema, inputs, settings } = plan;
  return createHash("sha256").update(canonicalJson({ schema, inputs, settings })).digest("hex");
}

/** Writes plan.json: the plan and its hash. */
export async function writePlan(path: string, plan: Plan): Promise<void> {
  await atomicWrite(path, canonicalJson({ ...plan, hash: planHash(plan) }));
}

/**
 * Reads a plan.json that `writePlan` wrote.
 *
 * @throws UserError `not-found`; `damaged` where it is no plan or was changed since
 */
export async function readPlan(path: string): Promise<Plan> {
  const { hash, ...plan } = ((await readJson(path)) ?? {}) as Plan & { hash?: string };
  if (plan.schema === 2 && hash === planHash(plan)) return plan;
  throw new UserError("damaged", `${path} is not a plan of this version, or was changed after it was made`, {
    hint: "make the plan again, in another --out",
  });
}
