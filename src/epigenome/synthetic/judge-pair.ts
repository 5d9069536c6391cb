/** Whether a question with its answer, as a model wrote them about a passage, is fit to be trained on; and why not. */
import { contentWords, isNumber } from "./words.ts";

export interface Pair {
  readonly question: string;
  readonly answer: string;
}

/** Why a pair was left out. */
export type Fault =
  | "form"
  | "length"
  | "loop"
  | "speaks of the passage"
  | "says nothing new"
  | "not in the passage"
  /** The model takes the answer for no likelier when it has read the passage. */
  | "passage does not matter"
  | "repeated";

const LONGEST_QUESTION = 240;
const LONGEST_ANSWER = 480;
/** Part of the answer's content words that the passage must have; of its numbers it must have all. */
const GROUNDED_ANSWER = 0.8;
/** Part of the question's. A question adds words of asking. */
const GROUNDED_QUESTION = 0.5;
/** Part of its runs of three words that must differ. */
const DIFFERENT_RUNS = 0.7;
/** Part of its content words that must. */
const DIFFERENT_WORDS = 0.6;

/** A pair is learned without its passage, which it must not point at. */
const POINTING =
  /\b(?:passage|paragraph|excerpt|snippet|(?:the|this|given|following|above) (?:text|document|article|section|statement|sentence|example|code|file|context|information)|(?:mentioned|described|stated|listed|shown|given|provided) (?:above|below|here|in)|the (?:above|following|author)|according to)\b/i;

/** The first fault of a pair that can be seen without a model; undefined where there is none. */
export function faultOf({ question, answer }: Pair, passage: string): Fault | undefined {
  if (!/^[\p{L}\p{N}`"'(].*\?$/su.test(question) || question.includes("\n")) return "form";
  if (/[:;,(-]$/.test(answer.trim())) return "form";
  const asked = contentWords(question);
  const said = contentWords(answer);
  if (question.length > LONGEST_QUESTION || question.split(/\s+/).length < 4 || asked.length === 0) return "length";
  if (answer.length > LONGEST_ANSWER || said.length === 0) return "length";
  if (isLoop(question) || isLoop(answer)) return "loop";
  if (POINTING.test(question) || POINTING.test(answer)) return "speaks of the passage";
  const known = new Set(asked);
  if (said.every((word) => known.has(word))) return "says nothing new";
  const found = new Set(contentWords(passage));
  const isFound = (word: string): boolean => found.has(word);
  if (!said.filter(isNumber).every(isFound)) return "not in the passage";
  if (said.filter(isFound).length < GROUNDED_ANSWER * said.length) return "not in the passage";
  if (asked.filter(isFound).length < GROUNDED_QUESTION * asked.length) return "not in the passage";
  return undefined;
}

/** Words that come round again and again, or a character that does. */
function isLoop(text: string): boolean {
  if (/(.)\1{9}/su.test(text)) return true;
  const words = text.toLowerCase().split(/\s+/);
  const runs = words.slice(2).map((_, i) => words.slice(i, i + 3).join(" "));
  const content = contentWords(text);
  const differs = (of: readonly string[], part: number): boolean =>
    of.length < 4 || new Set(of).size >= part * of.length;
  return !differs(runs, DIFFERENT_RUNS) || !differs(content, DIFFERENT_WORDS);
}

/** Equal for questions that ask the same in nearly the same words. */
export function questionKey({ question }: Pair): string {
  return [...new Set(contentWords(question))].sort().join(" ");
}
