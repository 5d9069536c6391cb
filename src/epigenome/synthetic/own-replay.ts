/**
 * Replay text that the parent writes itself where none is given: samples at temperature 1 of everything it might say,
 * since training on a model's own distribution moves it nowhere on average; cut to the likeliest tokens it would grow
 * surer of itself.
 */
import { hash32 } from "../../formats/random.ts";
import type { WorkLog } from "../../formats/work-log.ts";
import { slotsFor } from "../../inference/generate.ts";
import type { GenerationRequest, Generator as TextGenerator } from "../../inference/generate.ts";
import type { ModelConfig } from "../../models/config.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { lineHashes, shareOf } from "../lines.ts";
import { MAX_SHARED_LINES } from "../overlap.ts";

export interface OwnReplayPlan {
  /** Tokens of all texts together, ends included. */
  readonly tokens: number;
  /** Most tokens of a text. */
  readonly longest: number;
}

export interface OwnText {
  readonly text: string;
  /** With its end, where it has one. */
  readonly tokens: number;
  /** Whether the parent ended it; else it was cut. */
  readonly isWhole: boolean;
}

export interface OwnReplayOptions extends OwnReplayPlan {
  readonly seed: number;
  readonly config: ModelConfig;
  readonly tokenizer: Pick<Tokenizer, "separator" | "decode">;
  readonly generator: Pick<TextGenerator, "generateMany">;
  /** What is there already; what is made is added. */
  readonly log: WorkLog<OwnText>;
  /** When the log has taken so many seconds, every text ends where it stands (default: never). */
  readonly seconds?: number | undefined;
  /** Hears tokens. */
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** Retention samples have a purpose of their own (imago/sample.ts), so no text of one is of the other. */
const PURPOSE = "own-replay";

/**
 * Texts from the beginning of a document on, numbered; of the same model, seed and plan the same ones, however often the
 * work was broken off: the first so many as together have the tokens, or what there is when the time is over.
 */
export async function writeOwnReplay(options: OwnReplayOptions): Promise<OwnText[]> {
  const { tokens: wanted, longest, seed, config, tokenizer, generator, log, signal } = options;
  const { separator } = tokenizer;
  const positions = Math.min(config.maxPositions, longest + 1);
  const maxTokens = positions - 1;
  const underWay = new Map<number, number>();
  const doneTokens = (): number => log.done.values().reduce((sum, text) => sum + text.tokens, 0);
  // What there will be when all that is under way is done, its texts as long as those before them.
  const expected = (): number => {
    const usual = log.done.size === 0 ? longest / 2 : doneTokens() / log.done.size;
    return underWay.values().reduce((sum, length) => sum + Math.max(length, usual), doneTokens());
  };
  const isLate = (): boolean => log.seconds() >= (options.seconds ?? Infinity);
  let number = -1;
  // Has no next text while enough is expected, and has one again where less came of it.
  const next = (): IteratorResult<GenerationRequest & { readonly number: number }, undefined> => {
    if (isLate() || expected() >= wanted) return { done: true, value: undefined };
    do number += 1;
    while (log.done.has(number));
    const own = number;
    underWay.set(own, 0);
    const onToken = (): void => void underWay.set(own, underWay.get(own)! + 1);
    const sampled = { temperature: 1, seed: hash32(seed, PURPOSE, 0, own) };
    const value = {
      ids: [separator],
      number: own,
      maxTokens,
      stop: [separator],
      onToken,
      isComplete: isLate,
      ...sampled,
    };
    return { done: false, value };
  };
  const slots = Math.min(slotsFor(config, positions), Math.ceil(wanted / longest));
  const requests = { [Symbol.iterator]: () => ({ next }) };
  const texts = generator.generateMany(requests, { slots, positions, signal });
  for await (const { request, made, isStopped: isWhole } of texts) {
    const tokens = made.length + (isWhole ? 1 : 0);
    underWay.delete(request.number);
    await log.add(request.number, { text: tokenizer.decode(made, { skipSpecial: true }), tokens, isWhole });
    options.onProgress(Math.min(wanted, doneTokens()), wanted);
  }
  return enoughOf(log.done, wanted);
}

/** Texts that no retention text holds: what is trained on cannot show what was kept. */
export function apartFrom(texts: readonly OwnText[], retention: readonly { readonly text: string }[]): OwnText[] {
  const whole = new Set(retention.map(({ text }) => text.trim()));
  const lines = new Set(retention.flatMap(({ text }) => lineHashes(text, { mask: false })));
  return texts.filter(({ text }) => {
    const known = shareOf(lineHashes(text, { mask: false }), (line) => lines.has(line));
    return !whole.has(text.trim()) && known <= MAX_SHARED_LINES;
  });
}

/** Texts in the order of their numbers until they have the tokens; empty ones count, but are left out. */
function enoughOf(done: ReadonlyMap<number, OwnText>, wanted: number): OwnText[] {
  const chosen: OwnText[] = [];
  let tokens = 0;
  for (const [, text] of [...done].sort(([a], [b]) => a - b)) {
    if (tokens >= wanted) break;
    tokens += text.tokens;
    if (text.text.trim() !== "") chosen.push(text);
  }
  return chosen;
}
