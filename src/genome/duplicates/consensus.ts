/** The centre of a class of near duplicates: what most of its members have, which need not be a text itself. */
import type { ShingleCache } from "./shingle-cache.ts";

const sampleLimit = 31;
/** Elements of the sets of a sample together; not less where memory is short, since the classes depend on it. */
export const sampleElements = 2 << 20;

/**
 * The shingles that more than half of a sample of the members have. Copies that were edited each in their own place are
 * nearer to it, the text they come from, than to each other.
 *
 * @param members at least one; an odd number of them is taken, evenly spaced, less where their sets are large
 */
export async function consensusOf(members: Int32Array, sets: ShingleCache): Promise<Float64Array> {
  const largest = members.reduce((most, row) => Math.max(most, sets.size(row)), 1);
  const fitting = Math.min(sampleLimit, members.length, Math.floor(sampleElements / largest));
  const count = Math.max(1, fitting - 1 + (fitting % 2));
  const sample = Array.from({ length: count }, (_, i) => members[Math.floor((i * members.length) / count)]!);
  const all = new Float64Array(sample.reduce((sum, row) => sum + sets.size(row), 0));
  let filled = 0;
  for (const row of sample) {
    const set = await sets.get(row);
    all.set(set, filled);
    filled += set.length;
  }
  all.sort();
  let kept = 0;
  for (let start = 0; start < all.length;) {
    let end = start + 1;
    while (end < all.length && all[end] === all[start]) end++;
    if (2 * (end - start) > count) all[kept++] = all[start]!;
    start = end;
  }
  return all.slice(0, kept);
}
