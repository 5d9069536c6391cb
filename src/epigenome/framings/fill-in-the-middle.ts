/**
 * The framing that teaches to fill a gap: prefix and suffix first, then what stood between them (Bavarian et al. 2022,
 * arXiv 2207.14255).
 */
import { uniform } from "../../formats/random.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import type { Framed, FramedStretch, Framing } from "./framing.ts";

/** Part of the pieces that are rearranged; the rest stays as it is, so that going on from the left is not forgotten. */
const RATE = 0.5;
/** Of these, the part in which the suffix comes first: what a cursor's editor sends is one or the other. */
const SUFFIX_FIRST = 0.5;
/** Shorter pieces hold no gap worth filling, in characters. */
const SHORTEST = 32;

export interface Gap {
  readonly prefix: FramedStretch;
  readonly suffix: FramedStretch;
  readonly middle: FramedStretch;
}

/** What families of models were trained to find around a gap. Code Llama's marks are left out: they take no suffix first. */
const families = [
  ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"], // Qwen2.5, Qwen3
  ["<fim_prefix>", "<fim_suffix>", "<fim_middle>"], // StarCoder, SmolLM's kin
  ["<fim-prefix>", "<fim-suffix>", "<fim-middle>"], // SantaCoder
  ["<|fim▁begin|>", "<|fim▁hole|>", "<|fim▁end|>"], // DeepSeek-Coder
] as const;

/** The marks around a gap: special tokens of the model's family, else the StarCoder's spelled out, which it learns. */
export function gapMarks(tokenizer: Pick<Tokenizer, "specialTokens" | "encodeContent">): Gap {
  const special = new Map(tokenizer.specialTokens.map(({ id, content }) => [content, id]));
  const family = families.find((marks) => marks.every((mark) => special.has(mark)));
  const stretch = (mark: string): FramedStretch => ({
    part: "header",
    ids: family === undefined ? tokenizer.encodeContent(mark) : [special.get(mark)!],
  });
  const [prefix, suffix, middle] = family ?? families[1];
  // The middle's mark is predicted: where a suffix ends is for the model to see.
  return { prefix: stretch(prefix), suffix: stretch(suffix), middle: { ...stretch(middle), part: "text" } };
}

/**
 * Cuts a text into pieces that fit a training sequence, and rearranges half of them as prefix, suffix, middle or suffix,
 * prefix, middle, split at two characters chosen at random. A gap lies in one sequence whole.
 */
export const fillInTheMiddle: Framing = {
  summary: "half of its pieces with a gap, to be filled from what stands before and after it",
  *frame({ gene: { repository, path, blob }, text, copy }, { seed, sequence, tokenizer }) {
    const marks = gapMarks(tokenizer);
    const room = sequence - (sizeOf(marks.prefix) + sizeOf(marks.suffix) + sizeOf(marks.middle)) - 2;
    const purpose = `gap ${repository}/${path} ${blob}`;
    // Cut at a gap's two ends, a piece has a few tokens more than in one.
    const fits = (piece: string): boolean => tokenizer.encodeContent(piece).length <= 0.9 * room;
    for (const [i, piece] of piecesOf(text, fits).entries()) {
      const chance = (k: number): number => uniform(seed, purpose, copy, 4 * i + k);
      if (piece.length < SHORTEST || chance(0) >= RATE) yield [{ part: "text", text: piece }];
      else yield withGap(piece, marks, chance(1) < SUFFIX_FIRST, [chance(2), chance(3)]);
    }
  },
};

function withGap(piece: string, marks: Gap, suffixFirst: boolean, cuts: readonly [number, number]): Framed {
  const [from, to] = cuts.map((cut) => outsidePair(piece, Math.floor(cut * (piece.length + 1)))).sort((a, b) => a - b);
  const text = (of: string): FramedStretch => ({ part: "text", text: of });
  const [prefix, middle, suffix] = [piece.slice(0, from), piece.slice(from, to), piece.slice(to)].map(text);
  const around = suffixFirst
    ? [marks.suffix, suffix!, marks.prefix, prefix!]
    : [marks.prefix, prefix!, marks.suffix, suffix!];
  return [...around, marks.middle, middle!];
}

function sizeOf(stretch: FramedStretch): number {
  return "ids" in stretch ? stretch.ids.length : 0;
}

/** Consecutive pieces that fit and join to the text: halves of halves, cut at the line end nearest the middle. */
function piecesOf(text: string, fits: (piece: string) => boolean): string[] {
  if (text.length <= 1 || fits(text)) return [text];
  const middle = Math.ceil(text.length / 2);
  const line = text.lastIndexOf("\n", middle - 1) + 1;
  const at = line > middle / 2 ? line : outsidePair(text, middle);
  if (at >= text.length) return [text];
  return [...piecesOf(text.slice(0, at), fits), ...piecesOf(text.slice(at), fits)];
}

/** The place, or the next one where it lies inside a surrogate pair. */
function outsidePair(text: string, at: number): number {
  return at > 0 && at < text.length && (text.charCodeAt(at) & 0xfc00) === 0xdc00 ? at + 1 : at;
}
