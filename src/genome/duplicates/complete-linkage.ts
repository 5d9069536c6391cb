/** Joins pairs of near duplicates to classes in which every two members are similar, not only neighbours in a chain. */
import { consensusOf, sampleElements } from "./consensus.ts";
import type { SimilarPairs } from "./pairs.ts";
import type { ShingleCache } from "./shingle-cache.ts";
import { jaccard } from "./shingles.ts";

/** Classes of up to this many members together, if their sets are small, are joined by comparing all pairs. */
const smallClass = 64;
/** Pairs of members that are compared where distances to a centre do not prove them similar. */
const comparisonLimit = 1024;
/** Failed joins that are remembered, so that other pairs of the same two classes do not repeat them. */
const memoryLimit = 1 << 16;

interface Centre {
  readonly set: Float64Array;
  /** Members when it was made. */
  readonly size: number;
  /** The greatest distance of a member to it. */
  reach: number;
}

/**
 * Complete-linkage clustering: takes pairs from the most similar down, and joins the classes of each where every member of
 * the one has at least the similarity `floor` to every member of the other. Small classes are compared member by member.
 * In large ones each member's distance to a centre is kept instead: the Jaccard distance is a metric, so that members
 * whose distances add up to at most 1 - `floor` need no comparison.
 *
 * @returns for each row the row that names its class, equal for members of one class
 */
export async function completeLinkage(
  rows: number,
  pairs: SimilarPairs,
  sets: ShingleCache,
  floor: number,
): Promise<Int32Array> {
  const parent = Int32Array.from({ length: rows }, (_, row) => row);
  /** Members of a class as a ring. */
  const next = parent.slice();
  const sizes = new Int32Array(rows).fill(1);
  const elements = new Float64Array(rows); // Of the sets of all members together.
  const distances = new Float64Array(rows); // To the centre of the class, where it has one.
  const centres = new Map<number, Centre>();
  const failed = new Set<number>();

  const rootOf = (row: number): number => {
    let root = row;
    while (parent[root] !== root) {
      parent[root] = parent[parent[root]!]!;
      root = parent[root]!;
    }
    return root;
  };
  const elementsOf = (root: number): number => (sizes[root] === 1 ? sets.size(root) : elements[root]!);
  const membersOf = (root: number): Int32Array => {
    const members = new Int32Array(sizes[root]!);
    for (let i = 0, row = root; i < members.length; i++, row = next[row]!) members[i] = row;
    return members;
  };
  const similar = async (a: number, b: number): Promise<boolean> =>
    jaccard(await sets.get(a), await sets.get(b)) >= floor;
  const distance = async (row: number, centre: Centre): Promise<number> => 1 - jaccard(await sets.get(row), centre.set);
  const proven = (detour: number): boolean => detour <= 1 - floor - 1e-12; // Less what floating point rounds.

  const centreOf = async (root: number): Promise<Centre> => {
    const known = centres.get(root);
    if (known !== undefined && sizes[root]! <= 2 * known.size) return known;
    const members = membersOf(root);
    const made: Centre = { set: await consensusOf(members, sets), size: members.length, reach: 0 };
    for (const row of members) made.reach = Math.max(made.reach, (distances[row] = await distance(row, made)));
    centres.set(root, made);
    return made;
  };

  const allSimilar = async (large: number, small: number): Promise<boolean> => {
    const members = membersOf(large);
    for (const a of membersOf(small)) for (const b of members) if (!(await similar(a, b))) return false;
    return true;
  };
  const similarByCentre = async (large: number, small: number): Promise<boolean> => {
    const centre = await centreOf(large);
    let { reach } = centre;
    let comparisons = 0;
    for (const a of membersOf(small)) {
      const own = (distances[a] = await distance(a, centre));
      reach = Math.max(reach, own);
      if (proven(own + centre.reach)) continue;
      for (const b of membersOf(large)) {
        if (proven(own + distances[b]!)) continue;
        if (++comparisons > comparisonLimit || !(await similar(a, b))) return false;
      }
    }
    centre.reach = reach;
    return true;
  };

  for (const i of pairs.descending()) {
    const a = rootOf(pairs.first[i]!);
    const b = rootOf(pairs.second[i]!);
    if (a === b) continue;
    const [large, small] = sizes[a]! > sizes[b]! || (sizes[a] === sizes[b] && a < b) ? [a, b] : [b, a];
    const key = large * rows + small;
    if (failed.has(key)) continue;
    const total = elementsOf(large) + elementsOf(small);
    const isSmall = sizes[large]! + sizes[small]! <= smallClass && total <= sampleElements;
    if (!(await (isSmall ? allSimilar : similarByCentre)(large, small))) {
      if (failed.size === memoryLimit) failed.clear();
      failed.add(key);
      continue;
    }
    if (isSmall) centres.delete(large);
    centres.delete(small);
    elements[large] = total;
    sizes[large]! += sizes[small]!;
    parent[small] = large;
    [next[large], next[small]] = [next[small]!, next[large]!];
  }
  return Int32Array.from({ length: rows }, (_, row) => rootOf(row));
}
