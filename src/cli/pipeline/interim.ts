/** What the evaluations during training score: the same samples of held-out, retention and the parent's text each time. */

import type { Settings } from "../../blueprint/plan.ts";
import type { Evaluation } from "../../chrysalis/events.ts";
import { heldOutDocuments } from "../../epigenome/heldout-records.ts";
import type { HeldOutRecord } from "../../epigenome/heldout-records.ts";
import { scoreDocuments } from "../../eval/bits-per-byte.ts";
import type { Document, DocumentScore } from "../../eval/bits-per-byte.ts";
import type { Scorer } from "../../eval/score-sequences.ts";
import { total } from "../../imago/measure.ts";
import { natsPerToken, PARENT_TOKENS } from "../../imago/parent-text.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { beginnings } from "./beginnings.ts";

export interface InterimTexts {
  readonly heldOut: readonly Document[];
  /** The file of each. */
  readonly heldOutFiles: readonly Pick<HeldOutRecord, "repository" | "kind">[];
  readonly retention: readonly Document[];
  /** Undefined where no divergence is watched. */
  readonly parentText: readonly Int32Array[] | undefined;
}

/** Part of an evaluation's tokens that is the parent's own text, where it is asked for. */
const PARENT_PART = 0.25;
/** Part of the others that is held-out text, which picks the best checkpoint. */
const HELD_OUT_PART = 0.6;

/** How many tokens the parent is to sample for the divergence; 0 where none is watched. */
export function parentTextTokens({ keep, evaluationTokens }: Pick<Settings, "keep" | "evaluationTokens">): number {
  return keep === null || keep.kl === null ? 0 : Math.min(PARENT_TOKENS, Math.round(PARENT_PART * evaluationTokens));
}

/**
 * The beginnings of the held-out and retention documents, each cut by the same part, within the plan's tokens, and the
 * parent's text as it is.
 */
export function interimTexts({
  settings,
  bytesPerToken,
  tokenizer,
  heldOut,
  retention,
  parentText,
}: {
  readonly settings: Pick<Settings, "keep" | "evaluationTokens">;
  /** Of the trained text. */
  readonly bytesPerToken: number;
  readonly tokenizer: Tokenizer;
  readonly heldOut: readonly HeldOutRecord[];
  readonly retention: readonly Document[];
  readonly parentText: readonly Int32Array[] | undefined;
}): InterimTexts {
  const bytes = (settings.evaluationTokens - parentTextTokens(settings)) * bytesPerToken;
  return {
    heldOut: beginnings(heldOutDocuments(heldOut, tokenizer), HELD_OUT_PART * bytes),
    heldOutFiles: heldOut,
    retention: beginnings(retention, (1 - HELD_OUT_PART) * bytes),
    parentText,
  };
}

/**
 * The figures of one evaluation.
 *
 * @param onHeldOut hears the scores of the held-out documents
 */
export async function scoreInterim(
  scorer: Scorer,
  tokenizer: Tokenizer,
  texts: InterimTexts,
  onHeldOut?: (scores: readonly DocumentScore[]) => void,
): Promise<Evaluation> {
  const { heldOut, retention, parentText } = texts;
  const { perDocument } = await scoreDocuments(scorer, tokenizer, [...heldOut, ...retention]);
  onHeldOut?.(perDocument.slice(0, heldOut.length));
  const figures = {
    heldOut: total(perDocument.slice(0, heldOut.length)),
    retention: total(perDocument.slice(heldOut.length)),
  };
  if (parentText === undefined) return figures;
  return { ...figures, parentText: await natsPerToken(scorer, parentText, tokenizer.separator) };
}
