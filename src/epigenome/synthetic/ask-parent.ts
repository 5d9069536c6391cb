/** Questions that a parent asks itself about genes, with its answers: chosen passages, its words judged, pairs to train on. */
import { scoreSequences } from "../../eval/score-sequences.ts";
import type { Scorer, TokenSequence } from "../../eval/score-sequences.ts";
import { permutation } from "../../formats/random.ts";
import type { WorkLog } from "../../formats/work-log.ts";
import type { Gene } from "../../genome/manifest.ts";
import { slotsFor } from "../../inference/generate.ts";
import type { GenerationRequest, Generator as TextGenerator } from "../../inference/generate.ts";
import type { ModelConfig } from "../../models/config.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { createRecordRenderer } from "../data/render-record.ts";
import { byHash } from "../select.ts";
import { faultOf, questionKey } from "./judge-pair.ts";
import type { Fault, Pair } from "./judge-pair.ts";
import { pairRecord } from "./pair-record.ts";
import { passagesOf } from "./passages.ts";
import { PAIR_TOKENS, PASSAGE_TOKENS } from "./question-plan.ts";
import type { QuestionPlan } from "./question-plan.ts";
import { createQuestionPrompt, readPair } from "./question-prompt.ts";

/** A pair with the gene that it comes from. */
export interface MadePair extends Pair {
  readonly gene: Gene;
  /** Mean nats of the answer after passage and question, and after the question alone. */
  readonly loss: number;
  readonly lossAlone: number;
}

/** What came of one passage. */
export interface Asked {
  readonly pair: Pair | null;
  readonly fault: Fault | null;
  /** As in `MadePair`; null where the pair has a fault that is seen without them. */
  readonly losses: readonly [number, number] | null;
}

/** A passage that is shorter says too little. */
const SHORTEST_PASSAGE = 48;
/** What a tokenizer may make of the seams between passage, question and answer. */
const SEAMS = 8;

/** How long prompts, answers and what is scored are for a model; undefined where it has no room for a passage. */
export interface QuestionSizes {
  readonly passageTokens: number;
  /** Positions of a prompt with what is written after it. */
  readonly positions: number;
  /** Of a passage with question and answer. */
  readonly scored: number;
}

export function questionSizes(tokenizer: Tokenizer, { maxPositions }: ModelConfig): QuestionSizes | undefined {
  const asking = createQuestionPrompt(tokenizer)("").length + PAIR_TOKENS + SEAMS;
  const scoring = answeredOf(tokenizer)({ question: "?", answer: "." }).ids.length + PAIR_TOKENS + SEAMS;
  const passageTokens = Math.min(PASSAGE_TOKENS, maxPositions - asking, maxPositions - scoring);
  if (passageTokens < SHORTEST_PASSAGE) return undefined;
  return { passageTokens, positions: asking + passageTokens, scored: scoring + passageTokens };
}

export interface AskOptions extends QuestionPlan {
  readonly seed: number;
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly sizes: QuestionSizes;
  readonly generator: Pick<TextGenerator, "generateMany">;
  /** Scores sequences of `sizes.scored` positions. */
  readonly scorer: Scorer;
  /** What is there already; what is made is added. */
  readonly log: WorkLog<Asked>;
  /** When the log has taken so many seconds, no other passage is begun (default: never). */
  readonly seconds?: number | undefined;
  /** Hears passages. */
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

export interface MadePairs {
  readonly pairs: readonly MadePair[];
  /** Passages asked about. */
  readonly asked: number;
  /** How many had which fault. */
  readonly faults: Readonly<Partial<Record<Fault, number>>>;
}

/**
 * Asks about passages of the genes and keeps what stands up: the same pairs for the same model, genes, seed and plan,
 * however often the work was broken off.
 */
export async function askParent(
  genes: readonly Gene[],
  text: (gene: Gene) => Promise<string>,
  options: AskOptions,
): Promise<MadePairs> {
  const { config, tokenizer, sizes, generator, scorer, log, signal } = options;
  const chosen = await choosePassages(genes, text, options);
  const answered = answeredOf(tokenizer);
  const report = (): void => options.onProgress(log.done.size, chosen.length);
  const lossesOf = async (pair: Pair, passage: string): Promise<Asked> => {
    const both = [{ ...pair, question: `${passage}\n\n${pair.question}` }, pair].map(answered);
    if (both.some(({ ids }) => ids.length > sizes.scored)) return { pair, fault: "length", losses: null };
    const nats = await scoreSequences(scorer, both, tokenizer.separator);
    const [loss, lossAlone] = both.map((of, i) => meanLoss(nats[i]!, of)) as [number, number];
    return { pair, fault: loss < lossAlone ? null : "passage does not matter", losses: [loss, lossAlone] };
  };
  function* requests(): Generator<GenerationRequest & { readonly number: number }> {
    for (const [number, { ids }] of chosen.entries()) {
      if (log.seconds() >= (options.seconds ?? Infinity)) return;
      const isComplete = (made: readonly number[]): boolean => readPair(tokenizer.decode(made)) !== undefined;
      if (!log.done.has(number)) yield { ids, number, maxTokens: PAIR_TOKENS, stop: tokenizer.stop, isComplete };
    }
  }
  const { positions } = sizes;
  const shared = commonBeginning(chosen.map(({ ids }) => ids));
  report();
  const slots = Math.max(1, Math.min(slotsFor(config, positions), chosen.length));
  const texts = generator.generateMany(requests(), { slots, positions, shared, signal });
  for await (const { request, made, isStopped } of texts) {
    const written = tokenizer.decode(made, { skipSpecial: true });
    // An answer that was ended is whole; one that was cut is none.
    const pair = readPair(isStopped ? `${written}\n` : written) ?? null;
    const { passage } = chosen[request.number]!;
    const fault = pair === null ? "form" : (faultOf(pair, passage) ?? null);
    const isJudged = pair === null || fault !== null;
    await log.add(request.number, isJudged ? { pair, fault, losses: null } : await lossesOf(pair, passage));
    report();
  }
  return gather(chosen, log.done, options.bytes);
}

interface Passage {
  readonly gene: Gene;
  readonly passage: string;
  /** Of the prompt that asks about it. */
  readonly ids: readonly number[];
}

/** Passages of as many genes as there are, in a seeded order; then the second of each, and so on. */
async function choosePassages(
  genes: readonly Gene[],
  text: (gene: Gene) => Promise<string>,
  { passages: wanted, perFile, seed, tokenizer, sizes, signal }: AskOptions,
): Promise<Passage[]> {
  const idsOf = createQuestionPrompt(tokenizer);
  const tokensOf = (piece: string): number => tokenizer.encodeContent(piece).length;
  const chosen: Passage[] = [];
  const more: Passage[][] = [];
  for (const gene of byHash(genes, seed, "questions")) {
    if (chosen.length >= wanted) break;
    signal.throwIfAborted();
    const all = passagesOf(await text(gene), { maxTokens: sizes.passageTokens, tokensOf });
    const order = Array.from(permutation(seed, `passages ${gene.blob}`, 0, all.length).subarray(0, perFile));
    const [first, ...others] = order
      .map((i) => ({ gene, passage: all[i]!, ids: idsOf(all[i]!) }))
      .filter(({ ids }) => ids.length + PAIR_TOKENS <= sizes.positions);
    if (first !== undefined) chosen.push(first);
    if (others.length > 0) more.push(others);
  }
  for (let round = 0; round + 1 < perFile; round++) {
    for (const passages of more) {
      const passage = passages[round];
      if (passage !== undefined && chosen.length < wanted) chosen.push(passage);
    }
  }
  return chosen;
}

function commonBeginning(prompts: readonly (readonly number[])[]): readonly number[] {
  const [first = [], ...others] = prompts;
  const isCommon = (id: number, i: number): boolean => others.every((ids) => ids[i] === id);
  const end = first.findIndex((id, i) => i + 1 >= first.length || !isCommon(id, i));
  return first.slice(0, Math.max(0, end));
}

/** The pairs without a fault, in the order of their passages: each question once, and within the bytes. */
function gather(chosen: readonly Passage[], done: ReadonlyMap<number, Asked>, bytes: number): MadePairs {
  const pairs: MadePair[] = [];
  const faults: Partial<Record<Fault, number>> = {};
  const known = new Set<string>();
  let room = bytes;
  let asked = 0;
  for (const [number, { gene }] of chosen.entries()) {
    const of = done.get(number);
    if (of === undefined) continue;
    asked += 1;
    const { pair, losses } = of;
    const key = pair === null ? "" : questionKey(pair);
    const fault = of.fault ?? (known.has(key) ? "repeated" : null);
    if (fault !== null || pair === null || losses === null) {
      if (fault !== null) faults[fault] = (faults[fault] ?? 0) + 1;
      continue;
    }
    known.add(key);
    room -= Buffer.byteLength(pair.question) + Buffer.byteLength(pair.answer);
    if (room < 0) break;
    pairs.push({ gene, ...pair, loss: losses[0], lossAlone: losses[1] });
  }
  return { pairs, asked, faults };
}

/** A pair as it is trained, behind a separator, with the answer's tokens scored. */
function answeredOf(tokenizer: Tokenizer): (pair: Pair) => Required<TokenSequence> {
  const render = createRecordRenderer(tokenizer);
  return (pair) => {
    const { ids, trained } = render(pairRecord(pair, tokenizer), "a pair of question and answer");
    return { ids: Int32Array.from([tokenizer.separator, ...ids]), scored: trained };
  };
}

/** Nats per scored token, to four places: what is beyond is rounding of sums. */
function meanLoss(nats: number, { scored }: Required<TokenSequence>): number {
  return Math.round((1e4 * nats) / scored.filter(Boolean).length) / 1e4;
}
