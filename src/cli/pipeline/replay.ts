/** The replay text of a run as encoded, and how much of the training it may be. */

import type { Plan } from "../../blueprint/plan.ts";
import { settingsOf } from "../../blueprint/plan.ts";
import { MOST_PASSES, possibleShare } from "../../blueprint/resolve-synthetic.ts";
import { BYTES_PER_TOKEN } from "../../blueprint/workload.ts";
import { encodeCorpus } from "../../epigenome/pack.ts";
import type { FramedDocument, TokenCorpus } from "../../epigenome/pack.ts";
import type { OwnText } from "../../epigenome/synthetic/own-replay.ts";
import { sampleText } from "../../epigenome/texts.ts";
import type { Inputs } from "./inputs.ts";

/** Replay text as encoded, with the hash of the file that it comes from. */
export interface ReplayCorpus {
  readonly corpus: TokenCorpus;
  readonly sha256: string;
  /** Part of the trained tokens. */
  readonly share: number;
}

/**
 * The replay text as encoded: of a large one a seeded sample that the planned training will not pass more than about
 * once; of the parent's own all. Undefined where there is none.
 *
 * @param own what the parent wrote, where no text was given
 */
export async function encodeReplay(
  plan: Plan,
  { replay, tokenizer }: Inputs,
  own: { readonly texts: readonly OwnText[]; readonly sha256: string } | undefined,
): Promise<ReplayCorpus | undefined> {
  const { replay: share, seed } = settingsOf(plan);
  if (share === 0) return undefined;
  if (replay === undefined) {
    if (own === undefined) return undefined;
    const possible = shareOfOwn(plan, own.texts);
    if (possible === 0) return undefined;
    const corpus = await encodeCorpus(own.texts.map(ownDocument), tokenizer);
    return { corpus, sha256: own.sha256, share: possible };
  }
  const { steps, tokensPerStep } = plan.predicted;
  const maxBytes = Math.max(SMALLEST_REPLAY, Math.ceil(2 * share * steps * tokensPerStep * BYTES_PER_TOKEN));
  const { documents } = sampleText(replay.text, { seed, maxBytes });
  return { corpus: await encodeCorpus(documents, tokenizer), sha256: replay.sha256, share };
}

/** The part of the trained tokens that the parent's own text may be: as planned, where there is enough of it. */
export function shareOfOwn(plan: Plan, texts: readonly OwnText[]): number {
  const { steps, tokensPerStep } = plan.predicted;
  const tokens = texts.reduce((sum, text) => sum + text.tokens, 0);
  return possibleShare(plan.settings.replay.value, (MOST_PASSES * tokens) / (steps * tokensPerStep));
}

/** The end of a text that was cut is not the parent's, so it is not trained. */
function ownDocument({ text, isWhole }: OwnText): FramedDocument {
  return { stretches: [{ text, loss: 1 }, ...(isWhole ? [] : [{ ids: [], loss: 0 }])] };
}

const SMALLEST_REPLAY = 1 << 20;
