/** Text that a model writes itself: what it makes of a given beginning, and what it says unasked. */

import { UserError } from "../errors.ts";
import type { Document, EncodedSequence } from "../eval/bits-per-byte.ts";
import { hash32 } from "../formats/random.ts";
import { createGenerator, slotsFor } from "../inference/generate.ts";
import type { Body } from "../models/body.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

export interface TextContinuation {
  /** The beginning of a held-out file. */
  readonly document: string;
  readonly prompt: string;
  /** Always the likeliest token. */
  readonly greedy: string;
  /** Temperature 0.8. */
  readonly sampled: string;
}

const PROMPT_TOKENS = 48;
const CONTINUATION_TOKENS = 80;
const TEMPERATURE = 0.8;

export interface Prompt {
  readonly document: string;
  /** The separator and the first tokens of the document. */
  readonly ids: readonly number[];
}

/**
 * The beginning of the first document that is at least twice as long as it, or of the longest one; of prompts with answers
 * what comes before an answer.
 */
export function promptOf(
  documents: readonly Document[],
  tokenizer: Pick<Tokenizer, "encodeContent" | "separator">,
  maxPositions: number,
): Prompt {
  const length = Math.max(1, Math.min(PROMPT_TOKENS, Math.floor(maxPositions / 4)));
  let best: Prompt = { document: "", ids: [tokenizer.separator] };
  for (const { id, text, sequences } of documents) {
    const asked = sequences && firstPrompt(sequences, Math.floor(maxPositions / 2));
    if (asked !== undefined) return { document: id, ids: [tokenizer.separator, ...asked] };
    // A token has at least one byte; more of a long text need not be read.
    const ids = sequences ? (sequences[0]?.ids ?? []) : tokenizer.encodeContent(text.slice(0, 64 * length));
    const prompt = { document: id, ids: [tokenizer.separator, ...ids.slice(0, length)] };
    if (ids.length >= 2 * length) return prompt;
    if (prompt.ids.length > best.ids.length) best = prompt;
  }
  return best;
}

/** The first prompt of at most so many ids. */
function firstPrompt(sequences: readonly EncodedSequence[], most: number): readonly number[] | undefined {
  for (const { ids, scored } of sequences) {
    const length = scored.indexOf(true);
    if (length > 0 && length <= most) return ids.slice(0, length);
  }
  return undefined;
}

/** Lets a model go on with the beginning of a held-out document: greedily, and sampled with a fixed seed. */
export async function continueText(
  body: Pick<Body, "config" | "weights">,
  tokenizer: Tokenizer,
  options: { readonly documents: readonly Document[]; readonly threads: number; readonly seed: number },
): Promise<TextContinuation> {
  const { document, ids } = promptOf(options.documents, tokenizer, body.config.maxPositions);
  const generator = createGenerator(body, { threads: options.threads });
  try {
    const settings = { maxTokens: CONTINUATION_TOKENS, stop: tokenizer.stop };
    const greedy = await generator.generate(ids, settings);
    const seed = hash32(options.seed, "continuation", 0, 0);
    const sampled = await generator.generate(ids, { ...settings, temperature: TEMPERATURE, seed });
    return {
      document,
      prompt: tokenizer.decode(ids.slice(1)),
      greedy: tokenizer.decode(greedy),
      sampled: tokenizer.decode(sampled),
    };
  } finally {
    await generator.release();
  }
}

/** Texts, and most tokens of each, that stand for what a parent knows where no general text is at hand. */
export const OWN_SAMPLES = { texts: 16, tokens: 256 } as const;

/**
 * A parent's own samples as retention text: temperature 1, nothing truncated, from a seed that nothing else uses. They
 * measure how far the child moves from the parent, not what the parent knew of the world.
 *
 * @throws UserError "empty" where they hold no text
 */
export async function sampleOwnTexts(
  body: Pick<Body, "config" | "weights">,
  tokenizer: Tokenizer,
  options: {
    readonly seed: number;
    readonly threads: number;
    readonly onProgress?: (done: number, total: number) => void;
    readonly signal?: AbortSignal;
  },
): Promise<Document[]> {
  const generator = createGenerator(body, { threads: options.threads });
  const maxTokens = Math.min(OWN_SAMPLES.tokens, body.config.maxPositions - 1);
  const stop = [tokenizer.separator];
  const requests = Array.from({ length: OWN_SAMPLES.texts }, (_, i) => {
    const seed = hash32(options.seed, "retention-samples", 0, i);
    return { i, ids: [tokenizer.separator], maxTokens, temperature: 1, seed, stop };
  });
  const texts = new Map<number, string>();
  try {
    const positions = maxTokens + 1;
    const slots = Math.min(OWN_SAMPLES.texts, slotsFor(body.config, positions));
    const { signal } = options;
    const made = generator.generateMany(requests, { slots, positions, ...(signal === undefined ? {} : { signal }) });
    for await (const { request, made: ids } of made) {
      texts.set(request.i, tokenizer.decode(ids, { skipSpecial: true }));
      options.onProgress?.(texts.size, OWN_SAMPLES.texts);
    }
  } finally {
    await generator.release();
  }
  const documents = requests
    .map(({ i }) => ({ id: `sample-${i + 1}`, text: texts.get(i)! }))
    .filter(({ text }) => text !== "");
  if (documents.length === 0) {
    throw new UserError("empty", "the parent writes no text of its own to measure retention on", {
      hint: "give general text with --retention",
    });
  }
  return documents;
}
