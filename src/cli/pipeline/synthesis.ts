/** The stage in which the parent writes text before training: replay where none is given, and questions about files. */

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { Plan, Settings } from "../../blueprint/plan.ts";
import { isQuestioned } from "../../epigenome/framed-documents.ts";
import type { ExpressedGene } from "../../epigenome/select.ts";
import { askParent, questionSizes } from "../../epigenome/synthetic/ask-parent.ts";
import type { Asked, MadePairs } from "../../epigenome/synthetic/ask-parent.ts";
import type { Pair } from "../../epigenome/synthetic/judge-pair.ts";
import { apartFrom, writeOwnReplay } from "../../epigenome/synthetic/own-replay.ts";
import type { OwnText } from "../../epigenome/synthetic/own-replay.ts";
import type { Document } from "../../eval/bits-per-byte.ts";
import { sha256OfFile } from "../../formats/files.ts";
import { readDocuments, readJsonLines, writeJsonl } from "../../formats/jsonl.ts";
import { openWorkLog } from "../../formats/work-log.ts";
import type { GenomeTexts } from "../../epigenome/data/with-data.ts";
import type { Gene } from "../../genome/manifest.ts";
import { createGenerator } from "../../inference/generate.ts";
import type { Body } from "../../models/body.ts";
import { compileStep } from "../../models/step.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { formatMany } from "../format.ts";
import { refuseChanged } from "./inputs.ts";
import type { Nest } from "./nest.ts";
import { shareOfOwn } from "./replay.ts";

const OWN_REPLAY = "replay.jsonl";
const PAIRS = "synthetic.jsonl";
/** What is finished of either while it is made. */
const LOGS = { replay: "replay.log", pairs: "synthetic.log" } as const;
/** Sequences that are scored at once: an answer with its passage, and without. */
const SCORED_AT_ONCE = 2;

/** What the parent wrote, with the hashes of the files that hold it; undefined where it was to write none. */
export interface Synthesis {
  readonly replay: { readonly texts: readonly OwnText[]; readonly sha256: string } | undefined;
  readonly pairs:
    | {
        readonly of: (gene: Pick<Gene, "repository" | "path">) => readonly Pair[];
        readonly count: number;
        readonly sha256: string;
      }
    | undefined;
}

export interface SynthesisOptions {
  readonly nest: Nest;
  readonly plan: Plan;
  readonly settings: Settings;
  /** As the parent came: without the template that a recipe adds. */
  readonly tokenizer: Tokenizer;
  readonly retention: readonly Document[];
  readonly body: () => Promise<Body>;
  /** Calls `use` with the genome and what of it is trained on. */
  readonly withExpressed: <T>(
    use: (genome: GenomeTexts, expressed: readonly ExpressedGene[]) => Promise<T>,
  ) => Promise<T>;
  readonly onReplay: (done: number, total: number) => void;
  readonly onQuestions: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

interface Written {
  readonly replaySha256: string | null;
  readonly pairsSha256: string | null;
}

/**
 * Has the parent write what the plan says, or reads it where it is written.
 *
 * @throws UserError "mismatch" where a file was changed since
 */
export async function synthesise(options: SynthesisOptions): Promise<Synthesis> {
  const { nest, settings } = options;
  if (settings.ownReplay === null && settings.questions === null) return { replay: undefined, pairs: undefined };
  if (nest.result("synthesis") === undefined) {
    const began = performance.now();
    const replaySha256 = settings.ownReplay === null ? null : await makeReplay(options, settings.ownReplay);
    const pairsSha256 = settings.questions === null ? null : await makePairs(options, settings.questions);
    await nest.finish("synthesis", (performance.now() - began) / 1000, { replaySha256, pairsSha256 });
  }
  // Until here they make what is done already come out the same again, with what is to be said of it.
  for (const name of Object.values(LOGS)) await rm(nest.path(name), { force: true });
  const { replaySha256, pairsSha256 } = nest.result<Written>("synthesis")!;
  return {
    replay: replaySha256 === null ? undefined : await readReplay(nest.path(OWN_REPLAY), replaySha256),
    pairs: pairsSha256 === null ? undefined : await readPairs(nest.path(PAIRS), pairsSha256),
  };
}

/** The files of a nest that the parent wrote. */
export function writtenFiles(nest: Pick<Nest, "path">): string[] {
  return [OWN_REPLAY, PAIRS].filter((name) => existsSync(nest.path(name)));
}

async function makeReplay(options: SynthesisOptions, plan: NonNullable<Settings["ownReplay"]>): Promise<string | null> {
  const { nest, settings, tokenizer, retention, onReplay: onProgress, signal } = options;
  const { seed, threads } = settings;
  const log = await openWorkLog<OwnText>(nest.path(LOGS.replay), {
    model: options.plan.inputs.model.sha256,
    seed,
    ...plan,
  });
  const body = await options.body();
  const generator = createGenerator(body, { threads });
  let texts: readonly OwnText[];
  try {
    const { config } = body;
    const seconds = secondsOf(settings);
    const wanted = { ...plan, seed, config, tokenizer, generator, log, seconds, onProgress, signal };
    texts = apartFrom(await writeOwnReplay(wanted), retention);
  } finally {
    await generator.release();
    await log.close();
  }
  const tokens = texts.reduce((sum, text) => sum + text.tokens, 0);
  const share = shareOfOwn(options.plan, texts);
  nest.warn(`no replay text was given: the parent's own stands for it, ${formatMany(tokens, "token")}`);
  if (share === 0) nest.warn("what the parent wrote is too little to be replayed, so there is no replay");
  else if (share < settings.replay) {
    nest.warn(`replay is ${share.toFixed(3)} of the training, for the parent wrote less than was planned`);
  }
  const lines = texts.map(({ text, tokens: count, isWhole }, i) => {
    return { id: `own-${i + 1}`, text, tokens: count, isWhole, synthetic: true };
  });
  return written(nest.path(OWN_REPLAY), lines);
}

async function makePairs(options: SynthesisOptions, plan: NonNullable<Settings["questions"]>): Promise<string | null> {
  const { nest, settings, tokenizer, onQuestions: onProgress, signal } = options;
  const { seed, threads } = settings;
  const body = await options.body();
  const { config } = body;
  const sizes = questionSizes(tokenizer, config);
  if (sizes === undefined) {
    nest.warn(`the parent's ${config.maxPositions} positions hold no passage to ask about: no questions are trained`);
    return null;
  }
  const log = await openWorkLog<Asked>(nest.path(LOGS.pairs), {
    model: options.plan.inputs.model.sha256,
    seed,
    ...plan,
  });
  const generator = createGenerator(body, { threads });
  const scorer = await compileStep(body, { B: SCORED_AT_ONCE, T: sizes.scored, train: "none", threads });
  let made: MadePairs;
  try {
    made = await options.withExpressed((genome, expressed) => {
      const genes = expressed.filter(isQuestioned).map(({ gene }) => gene);
      const seconds = secondsOf(settings);
      const asked = { ...plan, seed, config, tokenizer, sizes, generator, scorer, log, seconds, onProgress, signal };
      return askParent(genes, (gene) => genome.text(gene), asked);
    });
  } finally {
    await generator.release();
    await scorer.release();
    await log.close();
  }
  nest.warn(whatCame(made));
  const lines = made.pairs.map(({ gene: { repository, path: file, blob }, ...pair }) => {
    return { ...pair, repository, path: file, blob, synthetic: true };
  });
  return written(nest.path(PAIRS), lines);
}

function whatCame({ pairs, asked, faults }: MadePairs): string {
  const out = Object.entries(faults).map(([fault, count]) => `${fault} ${count}`);
  const why = out.length === 0 ? "" : ` (left out: ${out.join(", ")})`;
  return `the parent asked itself about ${formatMany(asked, "passage")}; ${formatMany(pairs.length, "pair")} of question and answer stood up${why}`;
}

/** A run that is bounded in time bounds this too; one that is bounded in steps is to end the same everywhere. */
function secondsOf({ budget, syntheticTime }: Settings): number | undefined {
  return "minutes" in budget ? 60 * budget.minutes * syntheticTime : undefined;
}

async function written(path: string, lines: readonly object[]): Promise<string> {
  await writeJsonl(path, lines);
  return sha256OfFile(path);
}

async function readReplay(path: string, sha256: string): Promise<Synthesis["replay"]> {
  refuseChanged(`the replay text in ${path}`, sha256, await sha256OfFile(path));
  const texts: OwnText[] = [];
  for await (const { text, fields } of readDocuments(path)) {
    texts.push({ text, tokens: Number(fields["tokens"]), isWhole: fields["isWhole"] === true });
  }
  return texts.length === 0 ? undefined : { texts, sha256 };
}

async function readPairs(path: string, sha256: string): Promise<Synthesis["pairs"]> {
  refuseChanged(`the questions in ${path}`, sha256, await sha256OfFile(path));
  const byFile = new Map<string, Pair[]>();
  let count = 0;
  for await (const { value } of readJsonLines(path)) {
    const { repository, path: file, question, answer } = value as Pair & { repository: string; path: string };
    const key = `${repository}\0${file}`;
    byFile.set(key, [...(byFile.get(key) ?? []), { question, answer }]);
    count += 1;
  }
  if (count === 0) return undefined;
  return { of: ({ repository, path: file }) => byFile.get(`${repository}\0${file}`) ?? [], count, sha256 };
}
