/** Finds the duplicate classes of a genome from its columns and texts. It marks; nothing is left out here. */
import { duplicateKinds } from "../gene.ts";
import type { DuplicateKind } from "../gene.ts";
import { candidateSearch } from "./candidates.ts";
import { hashBytes } from "./columns.ts";
import type { DuplicateItems, SketchColumn } from "./columns.ts";
import { completeLinkage } from "./complete-linkage.ts";
import { firstOfEqualText } from "./exact.ts";
import { SimilarPairs } from "./pairs.ts";
import { compareRanks } from "./rank.ts";
import { ShingleCache } from "./shingle-cache.ts";
import { jaccard } from "./shingles.ts";
import { bandCount } from "./sketch.ts";

/** What a gene's row says of its duplicates. */
export interface DuplicateMark {
  /** Named by the text of the representative: `near:` and the first 16 digits of its SHA-256. */
  readonly duplicateClass: string | null;
  readonly duplicateKind: DuplicateKind | null;
  /** True for the one that stands for its class, and for a gene without one. */
  readonly representative: boolean;
}

export interface FindDuplicatesOptions {
  /**
   * Reads the text of a gene, in UTF-8. It is called for one gene at a time, and again where memory does not hold what
   * came of it; what it gave is not used after the next call.
   */
  readonly text: (item: number) => Promise<Uint8Array>;
  /** Bytes of shingle sets kept in memory (default 32 MiB); it decides time, not the classes. */
  readonly cacheBytes?: number | undefined;
  /** How many of the texts with a sketch were compared with earlier ones. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Pairs from here on belong into one class. */
const linkSimilarity = 0.8;
/** No pair of a class is less similar. */
const leastSimilarity = 0.7;

/**
 * Gives each gene the widest class that applies: *template* (equal but for numbers, among log-like texts) over *near*
 * (Jaccard similarity of word 5-grams) over *exact* (equal texts). Equal texts are always in one class, and near duplicates
 * of a text that is of a template follow it. All pairs of a near class are at least 0.7 similar, and nearly all pairs of at
 * least 0.8 are in one class: candidates by MinHash (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3),
 * each verified exactly, then complete linkage. The same genes give the same classes.
 *
 * @returns the mark of a gene
 */
export async function findDuplicates(
  items: DuplicateItems,
  options: FindDuplicatesOptions,
): Promise<(item: number) => DuplicateMark> {
  const first = firstOfEqualText(items.hashes, items.count);
  const { onProgress } = options;
  const total = items.near.count + items.template.count;
  const progress = (before: number) => (done: number) => onProgress?.(before + done, total);
  const near = await similarTexts(items.near, first, {
    ...options,
    masked: false,
    known: () => undefined,
    onRow: progress(0),
  });
  const template = await similarTexts(items.template, first, {
    ...options,
    masked: true,
    known: (item) => items.templateSets.get(item),
    onRow: progress(items.near.count),
  });
  followTemplates(near, template);
  return marks(items, first, near, template);
}

/**
 * Classes of similar texts of one column.
 *
 * @returns for the first gene of each text the gene that names its class, -1 where it has none and for all others
 */
async function similarTexts(
  column: SketchColumn,
  first: Int32Array,
  options: FindDuplicatesOptions & {
    readonly masked: boolean;
    readonly known: (item: number) => Float64Array | undefined;
    readonly onRow: (done: number) => void;
  },
): Promise<Int32Array> {
  const classes = new Int32Array(first.length).fill(-1);
  const { items, bands } = distinctTexts(column, first);
  const rows = items.length;
  const sets = new ShingleCache(rows, {
    masked: options.masked,
    limit: options.cacheBytes ?? 32 << 20,
    known: (row) => options.known(items[row]!),
    text: (row) => options.text(items[row]!),
  });
  const pairs = await similarPairs(bands, sets, rows, options.onRow);
  const roots = await completeLinkage(rows, pairs, sets, leastSimilarity);
  const isShared = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) if (roots[row] !== row) isShared[row] = isShared[roots[row]!] = 1;
  for (let row = 0; row < rows; row++) {
    if (isShared[row] === 1) classes[first[items[row]!]!] = first[items[roots[row]!]!]!;
  }
  return classes;
}

/** The column without genes whose text an earlier row has. */
function distinctTexts(column: SketchColumn, first: Int32Array): { items: Uint32Array; bands: Uint32Array } {
  const isTaken = new Uint8Array(first.length);
  const items = new Uint32Array(column.count);
  const bands = new Uint32Array(column.count * bandCount);
  let rows = 0;
  for (let row = 0; row < column.count; row++) {
    const text = first[column.items[row]!]!;
    if (isTaken[text] === 1) continue;
    isTaken[text] = 1;
    items[rows] = column.items[row]!;
    bands.set(column.bands.subarray(row * bandCount, (row + 1) * bandCount), rows * bandCount);
    rows++;
  }
  return { items: items.subarray(0, rows), bands: bands.subarray(0, rows * bandCount) };
}

/** Compares each text with the earlier ones that share bands with it. */
async function similarPairs(
  bands: Uint32Array,
  sets: ShingleCache,
  rows: number,
  onRow: (done: number) => void,
): Promise<SimilarPairs> {
  const candidatesOf = candidateSearch(bands, rows);
  const pairs = new SimilarPairs();
  for (let row = 0; row < rows; row++) {
    for (const other of candidatesOf(row)) {
      const set = await sets.get(row);
      const size = sets.size(other);
      // Similarity is at most the smaller size over the larger.
      if (size > 0 && Math.min(size, set.length) < linkSimilarity * Math.max(size, set.length)) continue;
      const similarity = jaccard(set, await sets.get(other));
      if (similarity >= linkSimilarity) pairs.add(row, other, similarity);
    }
    if (row % 1024 === 1023 || row === rows - 1) onRow(row + 1);
  }
  return pairs;
}

/** Moves near duplicates of texts that are of a template into its class: where there are two, into that with more of them. */
function followTemplates(near: Int32Array, template: Int32Array): void {
  const templates = new Map<number, Map<number, number>>();
  for (const [text, named] of near.entries()) {
    if (named < 0 || template[text]! < 0) continue;
    const tally = templates.get(named) ?? new Map<number, number>();
    tally.set(template[text]!, (tally.get(template[text]!) ?? 0) + 1);
    templates.set(named, tally);
  }
  for (const [text, named] of near.entries()) {
    const tally = templates.get(named);
    if (tally === undefined || template[text]! >= 0) continue;
    template[text] = [...tally].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
  }
}

function marks(
  items: DuplicateItems,
  first: Int32Array,
  near: Int32Array,
  template: Int32Array,
): (item: number) => DuplicateMark {
  const { count } = items;
  // A class is known by kind and a text: one number, of which the representative is looked up.
  const classOf = (item: number): number => {
    const text = first[item]!;
    if (template[text]! >= 0) return 2 * count + template[text]!;
    return near[text]! >= 0 ? count + near[text]! : text;
  };
  const members = new Uint32Array(3 * count);
  const best = new Int32Array(3 * count).fill(-1);
  for (let item = 0; item < count; item++) {
    const of = classOf(item);
    members[of]!++;
    if (best[of]! < 0 || compareRanks(items.rank(item), items.rank(best[of]!)) < 0) best[of] = item;
  }
  return (item) => {
    const of = classOf(item);
    if (members[of]! < 2) return { duplicateClass: null, duplicateKind: null, representative: true };
    const representative = best[of]!;
    const kind = duplicateKinds[Math.floor(of / count)]!;
    const start = representative * hashBytes;
    const name = Buffer.from(items.hashes.buffer, items.hashes.byteOffset + start, 8).toString("hex");
    return { duplicateClass: `${kind}:${name}`, duplicateKind: kind, representative: item === representative };
  };
}
