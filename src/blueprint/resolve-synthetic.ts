/** How much text the parent writes itself before training, as replay and as questions about files: a matter of time. */
import type { OwnReplayPlan } from "../epigenome/synthetic/own-replay.ts";
import { PAIR_TOKENS, PASSAGE_TOKENS } from "../epigenome/synthetic/question-plan.ts";
import type { QuestionPlan } from "../epigenome/synthetic/question-plan.ts";
import { origins } from "./origins.ts";
import type { Planned } from "./plan.ts";
import type { Blueprint } from "./schema.ts";
import type { Workload } from "./workload.ts";

/** Part of a replay text's own: given, or to be written by the parent; or there is to be none. */
export type ReplayFrom = "given" | "own" | "none";

/**
 * Operations per second that generation reaches, as a part of what training is estimated to: measured with texts side by side
 * (docs/log.md), the larva a little more than a fifth, SmolLM2-135M half.
 */
const GENERATION_PART = 0.2;
const TIME = 0.15;
/** No text of replay comes more often: more passes gain next to nothing (arXiv 2305.16264). */
export const MOST_PASSES = 4;
/** Less replay is not worth its time (arXiv 2502.06042). */
const LEAST_SHARE = 0.01;
/** Up to this size bodies were measured to need much replay (docs/log.md). */
const SMALL = 50e6;
const PER_FILE = 4;
const PAIRS_SHARE = 0.1;
/** Bytes of a question with its answer, as the examples of the prompt have them. */
const PAIR_BYTES = 100;
/** Of what a pair may take, what it takes. */
const WRITTEN_PART = 0.6;

/** What a body's size and a machine make of generation. */
interface Speed {
  /** Tokens per second of training, of scoring, and of generation. */
  readonly trained: number;
  readonly scored: number;
  readonly made: number;
}

export function speedOf(flopsPerSecond: number, needs: Workload["needs"]): Speed {
  return {
    trained: flopsPerSecond / needs.flopsPerToken,
    scored: flopsPerSecond / needs.flopsPerScoredToken,
    made: (GENERATION_PART * flopsPerSecond) / needs.flopsPerScoredToken,
  };
}

/** Part of the training time that each kind of text may take. */
export function resolveSyntheticTime(blueprint: Blueprint): Planned<number> {
  return origins(blueprint)(blueprint.synthetic?.time, TIME, "of the training time, beside it");
}

/**
 * The part of the trained tokens that is replay: what the recipe says, else 0.25 for small bodies, which forget most, and 0.05
 * for others. What the parent has to write itself is no more than its time allows at four passes, and none where that is less
 * than 0.01.
 */
export function resolveReplay(
  blueprint: Blueprint,
  { from, parameters, speed }: { readonly from: ReplayFrom; readonly parameters: number; readonly speed: Speed },
): Planned<number> {
  if (from === "none") return { value: 0, origin: "derived", reason: "no replay is wanted" };
  const isSmall = parameters < SMALL;
  const wanted = origins(blueprint)(
    blueprint.replay,
    isSmall ? 0.25 : 0.05,
    isSmall
      ? "bodies below 50 M parameters forget most (arXiv 2502.06042; measured on the larva)"
      : "1 % prevents most forgetting, 5 % is safe (arXiv 2502.06042)",
  );
  if (from === "given") return wanted;
  const time = resolveSyntheticTime(blueprint);
  const most = (MOST_PASSES * time.value * speed.made) / speed.trained;
  if (wanted.value <= most) return wanted;
  const reason = `${time.value} of the training time writes enough for ${most.toFixed(3)}, ${wanted.value} is wanted`;
  return { value: possibleShare(wanted.value, most), origin: "derived", reason };
}

/** What is wanted, or the most that is possible, or none where that is not worth it. */
export function possibleShare(wanted: number, most: number): number {
  if (wanted <= most) return wanted;
  return most < LEAST_SHARE ? 0 : most;
}

/** What the parent writes as replay; null where there is none of its own. */
export function resolveOwnReplay(
  blueprint: Blueprint,
  from: ReplayFrom,
  load: Pick<Workload, "replay" | "nominalSteps" | "tokensPerStep" | "sequence" | "speed" | "seconds">,
): Planned<OwnReplayPlan | null> {
  if (from === "given") return { value: null, origin: "derived", reason: "there is a replay text" };
  if (from === "none" || load.replay.value === 0) return { value: null, origin: "derived", reason: load.replay.reason };
  const seen = load.replay.value * load.nominalSteps * load.tokensPerStep;
  const affordable = resolveSyntheticTime(blueprint).value * load.seconds * load.speed.made;
  const tokens = Math.max(1, Math.ceil(Math.min(seen, affordable)));
  return {
    value: { tokens, longest: load.sequence.value - 1 },
    origin: "derived",
    reason: `no replay text is given; ${passes(seen / tokens)} over what the parent writes itself`,
  };
}

/**
 * About how many passages the parent asks itself questions; null where no file is framed so.
 *
 * @param files how many files are
 */
export function resolveQuestions(
  blueprint: Blueprint,
  { files, trainedBytes }: { readonly files: number; readonly trainedBytes: number },
  load: Pick<Workload, "speed" | "seconds">,
): Planned<QuestionPlan | null> {
  if (files === 0) return { value: null, origin: "derived", reason: "no rule frames a file as question-answer" };
  const { pairsPerFile: perFile = PER_FILE, pairsShare = PAIRS_SHARE } = blueprint.synthetic ?? {};
  const time = resolveSyntheticTime(blueprint);
  const bytes = Math.floor(pairsShare * trainedBytes);
  const affordable = Math.floor((time.value * load.seconds) / secondsOfPassage(load.speed));
  const limits = [
    { passages: affordable, reason: `${time.value} of the training time` },
    { passages: files * perFile, reason: `${perFile} of each of ${files} files` },
    { passages: Math.ceil(bytes / PAIR_BYTES), reason: `${pairsShare} of the trained bytes` },
  ];
  const [least] = limits.toSorted((a, b) => a.passages - b.passages);
  const reason = least!.reason;
  if (least!.passages === 0) return { value: null, origin: "derived", reason: `${reason} allows no passage` };
  return { value: { passages: least!.passages, perFile, bytes }, origin: "derived", reason };
}

/** What the plan expects synthesis to take. */
export function syntheticSeconds(
  speed: Speed,
  ownReplay: OwnReplayPlan | null,
  questions: QuestionPlan | null,
): number {
  return (ownReplay?.tokens ?? 0) / speed.made + (questions?.passages ?? 0) * secondsOfPassage(speed);
}

/** A passage is read to be asked about, then scored with question and answer, which are scored alone too. */
function secondsOfPassage({ scored, made }: Speed): number {
  return (3 * PASSAGE_TOKENS + 2 * PAIR_TOKENS) / scored + (WRITTEN_PART * PAIR_TOKENS) / made;
}

function passes(count: number): string {
  return count <= 1.05 ? "one pass" : `${count.toFixed(1)} passes`;
}
