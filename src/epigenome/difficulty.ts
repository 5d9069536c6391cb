/** How hard each document of a corpus is, by the parent's own loss or by how well its text compresses, and classes of that. */
import { deflateRawSync } from "node:zlib";
import type { TokenCorpus } from "./pack.ts";

export const measures = ["loss", "compressibility"] as const;
export type Measure = (typeof measures)[number];

/**
 * Bits per byte of what is trained of each document, the larger the harder; null where nothing of it is. `loss`: what the
 * parent needs, its closing separator left out; `compressibility`: what raw deflate at its highest level needs.
 */
export type Difficulty = { readonly [K in Measure]?: readonly (number | null)[] };

/** @param decode text of ids */
export function lossDifficulty(
  corpus: TokenCorpus,
  losses: Float32Array,
  decode: (ids: readonly number[]) => string,
): (number | null)[] {
  return documentsOf(corpus).map((places) => {
    const bytes = Buffer.byteLength(decode(places.map((at) => corpus.ids[at]!)));
    if (bytes === 0) return null;
    return places.reduce((sum, at) => sum + losses[at]!, 0) / (Math.LN2 * bytes);
  });
}

/** @param decode text of ids */
export function compressionDifficulty(
  corpus: TokenCorpus,
  decode: (ids: readonly number[]) => string,
): (number | null)[] {
  return documentsOf(corpus).map((places) => {
    const text = Buffer.from(decode(places.map((at) => corpus.ids[at]!)));
    return text.length === 0 ? null : (8 * deflateRawSync(text, { level: 9 }).length) / text.length;
  });
}

/** Of each document the places of its ids that carry weight, the closing separator's left out. */
function documentsOf({ ids, weights, offsets }: TokenCorpus): number[][] {
  return Array.from(offsets.subarray(1), (end, d) => {
    const places: number[] = [];
    for (let at = offsets[d]! + 1; at < Math.min(end, ids.length); at++) if (weights?.[at] !== 0) places.push(at);
    return places;
  });
}

/**
 * Puts documents into classes, easy ones first, so that a class ends where the given part of the trained tokens is reached, as
 * nearly as whole documents come; what nothing is known of is in the first. Equally hard ones stay in their order.
 *
 * @param cuts ascending parts, in (0, 1)
 */
export function classesOf(
  corpus: TokenCorpus,
  difficulty: readonly (number | null)[],
  cuts: readonly number[],
): Uint32Array {
  const tokens = documentsOf(corpus).map(({ length }) => length);
  const known = [...difficulty.keys()].filter((d) => difficulty[d] !== null);
  known.sort((a, b) => difficulty[a]! - difficulty[b]! || a - b);
  const total = known.reduce((sum, d) => sum + tokens[d]!, 0);
  const classes = new Uint32Array(difficulty.length);
  let before = 0;
  for (const d of known) {
    const middle = before + tokens[d]! / 2;
    classes[d] = cuts.filter((cut) => middle >= cut * total).length;
    before += tokens[d]!;
  }
  return classes;
}
