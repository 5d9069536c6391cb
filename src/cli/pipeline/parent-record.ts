/**
 * What the parent makes of the training text, measured once before it is trained and written down before it is used, so that
 * a resumed run reads the text in the same order and selects the same tokens.
 */

import { existsSync } from "node:fs";
import type { Plan, Settings } from "../../blueprint/plan.ts";
import { planHash } from "../../blueprint/plan.ts";
import { compressionDifficulty, lossDifficulty } from "../../epigenome/difficulty.ts";
import type { Difficulty, Measure } from "../../epigenome/difficulty.ts";
import { measuresOf } from "../../epigenome/order.ts";
import { tokenLosses } from "../../epigenome/token-losses.ts";
import { UserError } from "../../errors.ts";
import { sha256OfFile } from "../../formats/files.ts";
import { readJsonLines, writeJsonl } from "../../formats/jsonl.ts";
import type { Body } from "../../models/body.ts";
import { compileStep } from "../../models/step.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { readParentLosses, writeParentLosses } from "./parent-losses.ts";
import type { StageCorpus } from "./stage-corpora.ts";

/** The files of a nest that hold it, where there is anything to hold. */
export const RECORD_FILES = ["difficulty.jsonl", "parent-losses.safetensors"] as const;
type RecordFile = (typeof RECORD_FILES)[number];
const [DIFFICULTY, LOSSES] = RECORD_FILES;

export interface ParentRecord {
  /** Of each stage. */
  readonly difficulty: readonly Difficulty[];
  /** Of each stage, in the places of its ids; undefined where no tokens are selected by them. */
  readonly losses: readonly Float32Array[] | undefined;
  /** SHA-256 of each file that holds it. */
  readonly files: { readonly [K in RecordFile]?: string };
}

export interface ParentRecordOptions {
  /** Where a file of the nest stands. */
  readonly path: (name: RecordFile) => string;
  readonly plan: Plan;
  readonly settings: Settings;
  readonly stages: readonly StageCorpus[];
  readonly tokenizer: Tokenizer;
  /** The parent, with nothing trained yet; asked for where its losses are needed. */
  readonly body: () => Promise<Pick<Body, "config" | "weights">>;
  readonly onMeasuring: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Reads what was measured, or measures it and writes it down whole.
 *
 * @throws UserError "damaged" where a file is of another plan
 */
export async function parentRecord(options: ParentRecordOptions): Promise<ParentRecord> {
  const { path, plan, settings, stages, tokenizer } = options;
  const measures = measuresOf(settings.order);
  const keepsLosses = settings.select !== null;
  let losses: readonly Float32Array[] | undefined;
  if (keepsLosses) {
    if (!existsSync(path(LOSSES))) await writeParentLosses(path(LOSSES), planHash(plan), await readText(options));
    const sizes = stages.map(({ corpus }) => corpus.ids.length);
    losses = await readParentLosses(path(LOSSES), planHash(plan), sizes);
  }
  if (measures.length > 0 && !existsSync(path(DIFFICULTY))) {
    const read = measures.includes("loss") ? (losses ?? (await readText(options))) : [];
    const decode = (ids: readonly number[]): string => tokenizer.decode(ids);
    const difficulty = stages.map(({ corpus }, k) => ({
      ...(measures.includes("loss") ? { loss: lossDifficulty(corpus, read[k]!, decode) } : {}),
      ...(measures.includes("compressibility") ? { compressibility: compressionDifficulty(corpus, decode) } : {}),
    }));
    await writeDifficulty(difficulty, options);
  }
  return {
    difficulty: measures.length === 0 ? stages.map(() => ({})) : await readDifficulty(measures, options),
    losses,
    files: {
      ...(measures.length === 0 ? {} : { [DIFFICULTY]: await sha256OfFile(path(DIFFICULTY)) }),
      ...(keepsLosses ? { [LOSSES]: await sha256OfFile(path(LOSSES)) } : {}),
    },
  };
}

/** Lets the parent read the text of each stage. */
async function readText(options: ParentRecordOptions): Promise<Float32Array[]> {
  const { settings, stages, body, onMeasuring, signal } = options;
  const { microBatch: B, sequence: T, threads } = settings;
  const scorer = await compileStep(await body(), { B, T, train: "none", threads });
  try {
    const total = stages.reduce((sum, { corpus }) => sum + corpus.ids.length, 0);
    const losses: Float32Array[] = [];
    let before = 0;
    for (const { corpus } of stages) {
      const onProgress = (done: number): void => onMeasuring(before + done, total);
      losses.push(await tokenLosses(scorer, corpus, { onProgress, signal }));
      before += corpus.ids.length;
    }
    return losses;
  } finally {
    await scorer.release();
  }
}

async function writeDifficulty(
  difficulty: readonly Difficulty[],
  { path, plan, stages }: ParentRecordOptions,
): Promise<void> {
  const rows = stages.flatMap(({ name, genes }, k) =>
    genes.map(({ gene: { repository, path: file } }, document) => ({
      stage: name,
      document,
      file: `${repository}/${file}`,
      ...Object.fromEntries(Object.entries(difficulty[k]!).map(([measure, of]) => [measure, of[document]!])),
    })),
  );
  await writeJsonl(path(DIFFICULTY), [{ schema: 1, plan: planHash(plan), unit: "bits per byte" }, ...rows]);
}

async function readDifficulty(
  measures: readonly Measure[],
  { path, plan, stages }: ParentRecordOptions,
): Promise<Difficulty[]> {
  const rows: Record<string, unknown>[] = [];
  for await (const { value } of readJsonLines(path(DIFFICULTY))) rows.push(value as Record<string, unknown>);
  const [head, ...documents] = rows;
  const total = stages.reduce((sum, { genes }) => sum + genes.length, 0);
  const isNumber = (value: unknown): value is number | null => value === null || typeof value === "number";
  const isOfPlan =
    head?.["plan"] === planHash(plan) &&
    documents.length === total &&
    documents.every((row) => measures.every((measure) => isNumber(row[measure])));
  if (!isOfPlan) {
    throw new UserError("damaged", `${path(DIFFICULTY)} is not what was measured for this plan`, {
      hint: "remove it, and it is measured again",
    });
  }
  let before = 0;
  return stages.map(({ genes }) => {
    const own = documents.slice(before, (before += genes.length));
    const column = (measure: Measure): (number | null)[] => own.map((row) => row[measure] as number | null);
    return Object.fromEntries(measures.map((measure) => [measure, column(measure)]));
  });
}
