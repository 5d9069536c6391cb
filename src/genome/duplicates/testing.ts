/** Texts of random words with edits, and duplicate classes of lists of texts, for tests. */
import { createHash } from "node:crypto";
import { uniform } from "../../formats/random.ts";
import { DuplicateColumns } from "./columns.ts";
import { findDuplicates } from "./find-duplicates.ts";
import type { DuplicateMark, FindDuplicatesOptions } from "./find-duplicates.ts";
import type { Rank } from "./rank.ts";
import { shingleSet } from "./shingle-set.ts";
import { createSketcher } from "./sketch.ts";

export interface TestText {
  readonly text: string;
  readonly log?: boolean;
  readonly rank?: Partial<Rank>;
}

export function randomWords(seed: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `w${Math.floor(20_000 * uniform(seed, "words", i, 0)).toString(36)}`);
}

/** A copy with some words replaced, each at a random place. */
export function edited(words: readonly string[], seed: number, edits: number): string[] {
  const copy = [...words];
  for (let i = 0; i < edits; i++) {
    copy[Math.floor(copy.length * uniform(seed, "place", i, 0))] = `edit${seed.toString(36)}x${i}`;
  }
  return copy;
}

export async function marksOf(
  texts: readonly TestText[],
  options: Partial<FindDuplicatesOptions> = {},
): Promise<DuplicateMark[]> {
  const sketch = createSketcher();
  const columns = new DuplicateColumns();
  for (const { text, log = false, rank } of texts) {
    const textSha256 = createHash("sha256").update(text).digest("hex");
    const textBytes = Buffer.byteLength(text);
    const gene = { textSha256, textOffset: 0, rank: { backup: false, date: 0, textBytes, ...rank } };
    columns.add(gene, sketch(Buffer.from(text), { template: log }));
  }
  const mark = await findDuplicates(columns, { text: async (item) => Buffer.from(texts[item]!.text), ...options });
  return texts.map((_, item) => mark(item));
}

/** What two texts share of their words 5-grams, counted without hashes. */
export function similarityOf(a: string, b: string): number {
  const [x, y] = [a, b].map((text) => {
    const words = text.split(/\s+/).filter((word) => word !== "");
    return new Set(words.slice(4).map((_, i) => words.slice(i, i + 5).join(" ")));
  }) as [Set<string>, Set<string>];
  return x.union(y).size === 0 ? 1 : x.intersection(y).size / x.union(y).size;
}

export function setOf(text: string, masked = false): Float64Array {
  return shingleSet(Buffer.from(text), { masked });
}
