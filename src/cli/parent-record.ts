/**
 * What the parent makes of the training text, measured once before it is trained and written down before it is used, so that
 * a resumed run reads the text in the same order.
 */

import { existsSync } from "node:fs";
import type { Plan, Settings } from "../blueprint/plan.ts";
import { planHash } from "../blueprint/plan.ts";
import { compressionDifficulty, lossDifficulty } from "../epigenome/difficulty.ts";
import type { Difficulty, Measure } from "../epigenome/difficulty.ts";
import { measuresOf } from "../epigenome/order.ts";
import { tokenLosses } from "../epigenome/token-losses.ts";
import { UserError } from "../errors.ts";
import { sha256OfFile } from "../formats/files.ts";
import { readJsonLines, writeJsonl } from "../formats/jsonl.ts";
import type { Body } from "../models/body.ts";
import { compileStep } from "../models/step.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { StageCorpus } from "./stage-corpora.ts";

export interface ParentRecord {
  /** Of each stage. */
  readonly difficulty: readonly Difficulty[];
  /** SHA-256 of the file that holds it; null where nothing had to be measured. */
  readonly sha256: string | null;
}

export interface ParentRecordOptions {
  /** `difficulty.jsonl`. */
  readonly path: string;
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
 * @throws UserError "damaged" where the file is of another plan
 */
export async function parentRecord(options: ParentRecordOptions): Promise<ParentRecord> {
  const { path, settings, stages } = options;
  const measures = measuresOf(settings.order);
  if (measures.length === 0) return { difficulty: stages.map(() => ({})), sha256: null };
  if (!existsSync(path)) await writeRecord(await measureStages(measures, options), options);
  return { difficulty: await readRecord(measures, options), sha256: await sha256OfFile(path) };
}

async function measureStages(
  measures: readonly Measure[],
  { settings, stages, tokenizer, body, onMeasuring, signal }: ParentRecordOptions,
): Promise<Difficulty[]> {
  const decode = (ids: readonly number[]): string => tokenizer.decode(ids);
  const found = stages.map(({ corpus }) =>
    measures.includes("compressibility") ? { compressibility: compressionDifficulty(corpus, decode) } : {},
  );
  if (!measures.includes("loss")) return found;
  const { microBatch: B, sequence: T, threads } = settings;
  const scorer = await compileStep(await body(), { B, T, train: "none", threads });
  try {
    const total = stages.reduce((sum, { corpus }) => sum + corpus.ids.length, 0);
    let before = 0;
    const all: Difficulty[] = [];
    for (const [k, { corpus }] of stages.entries()) {
      const losses = await tokenLosses(scorer, corpus, {
        onProgress: (done) => onMeasuring(before + done, total),
        signal,
      });
      before += corpus.ids.length;
      all.push({ ...found[k], loss: lossDifficulty(corpus, losses, decode) });
    }
    return all;
  } finally {
    await scorer.release();
  }
}

async function writeRecord(
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
  await writeJsonl(path, [{ schema: 1, plan: planHash(plan), unit: "bits per byte" }, ...rows]);
}

async function readRecord(
  measures: readonly Measure[],
  { path, plan, stages }: ParentRecordOptions,
): Promise<Difficulty[]> {
  const rows: Record<string, unknown>[] = [];
  for await (const { value } of readJsonLines(path)) rows.push(value as Record<string, unknown>);
  const [head, ...documents] = rows;
  const total = stages.reduce((sum, { genes }) => sum + genes.length, 0);
  const isNumber = (value: unknown): value is number | null => value === null || typeof value === "number";
  const isOfPlan =
    head?.["plan"] === planHash(plan) &&
    documents.length === total &&
    documents.every((row) => measures.every((measure) => isNumber(row[measure])));
  if (!isOfPlan) {
    throw new UserError("damaged", `${path} is not what was measured for this plan`, {
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
