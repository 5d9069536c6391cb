/** MinHash sketches of texts, cut into bands: texts that share a band may be near duplicates. It compares nothing. */
import { hash32 } from "../../formats/random.ts";
import { RecentShingles, shingleHash, sortDistinct } from "./shingle-set.ts";
import { finish, scanShingles, shingleWords } from "./shingles.ts";

/** Changes whenever the same text may get another sketch, or the same sketches other classes. */
export const duplicateRule = "near@2";

/** Bands of a sketch. Texts of similarity J share at least one with probability 1 - (1 - J^rows)^bands: 0.996 at 0.8. */
export const bandCount = 14;
const bandRows = 5;
const minimaCount = bandCount * bandRows;
const seed = 1;

/** Texts of more bytes take no part in near and template duplicates. */
export const sketchLimit = 8 << 20;

/** Distinct shingles of which all minima come in the first round, but for a chance of 1 in 10^10. */
const manyShingles = 2048;
/** The sets of texts with many shingles are larger than what is worth keeping. */
const smallSet = 512;

export interface SketchOptions {
  /** Whether the text is log-like, and so may be of a template. */
  readonly template: boolean;
}

export interface Sketch {
  readonly words: number;
  /** One 32-bit hash per band; null for texts of under 5 words or over `sketchLimit`. */
  readonly bands: Uint32Array | null;
  /** The same of the text with numbers masked; null unless asked for. */
  readonly template: Uint32Array | null;
  /** The shingles of the text with numbers masked, as `shingleSet` gives them; null where they are many. */
  readonly templateSet: Float64Array | null;
}

interface Sketched {
  readonly words: number;
  readonly bands: Uint32Array | null;
  readonly set: Float64Array | null;
}

/** Makes a function that sketches texts in UTF-8; it holds scratch space of 70 kB. */
export function createSketcher(): (text: Uint8Array, options: SketchOptions) => Sketch {
  const keys = Int32Array.from({ length: 2 * minimaCount }, (_, round) => hash32(seed, duplicateRule, round, 0));
  const minima = new Int32Array(minimaCount);
  const isFilled = new Uint8Array(minimaCount);
  const recent = new RecentShingles();
  const distinct = new Float64Array(2 * manyShingles);

  /**
   * Fast similarity sketching (Dahlgaard, Knudsen and Thorup 2017): in each round every shingle falls into one bin, whose
   * least hash counts; rounds follow until no bin is empty. As good as a permutation of its own for each minimum, and one
   * round does for most texts. In the rounds from `minimaCount` on all fall into one bin, the next each time, so that there is an end.
   */
  const sketchOf = (text: Uint8Array, masked: boolean): Sketched => {
    minima.fill(0x7fffffff);
    isFilled.fill(0);
    recent.clear();
    let count = 0;
    let isNeeded = true; // For further rounds, and for the set of a template.
    let isLarge = false;
    const words = scanShingles(text, { masked }, (low, high, all) => {
      const kept = recent.leaveOut(low, high, all);
      firstRound(low, kept);
      for (let i = 0; i < kept && isNeeded; i++) {
        distinct[count++] = shingleHash(low[i]!, high[i]!);
        if (count < distinct.length) continue;
        isNeeded = masked || isFilled.includes(0);
        if (!isNeeded) break;
        count = sortDistinct(distinct, count);
        isLarge = count > manyShingles;
        isNeeded = !isLarge;
      }
    });
    if (words < shingleWords) return { words, bands: null, set: null };
    if (!isLarge && (masked || isFilled.includes(0))) {
      count = sortDistinct(distinct, count);
      if (count <= manyShingles) laterRounds(count);
    }
    const isSmall = masked && !isLarge && count <= smallSet;
    return { words, bands: bandsOf(minima), set: isSmall ? distinct.slice(0, count) : null };
  };

  const firstRound = (low: Int32Array, count: number): void => {
    const key = keys[0]!;
    for (let i = 0; i < count; i++) {
      const hash = finish(low[i]! ^ key);
      const bin = binOf(hash);
      const value = valueOf(hash);
      isFilled[bin] = 1;
      if (value < minima[bin]!) minima[bin] = value;
    }
  };

  const laterRounds = (count: number): void => {
    const empty = isFilled.slice(); // What an earlier round filled stays.
    for (let round = 1; round < 2 * minimaCount && isFilled.includes(0); round++) {
      empty.set(isFilled);
      for (let i = 0; i < count; i++) {
        const hash = finish((distinct[i]! | 0) ^ keys[round]!);
        const bin = round < minimaCount ? binOf(hash) : round - minimaCount;
        if (empty[bin] === 1) continue;
        isFilled[bin] = 1;
        minima[bin] = Math.min(minima[bin]!, valueOf(hash));
      }
    }
  };

  return (text, { template }) => {
    if (text.length > sketchLimit) return { words: 0, bands: null, template: null, templateSet: null };
    const { words, bands } = sketchOf(text, false);
    const masked = template ? sketchOf(text, true) : { bands: null, set: null };
    return { words, bands, template: masked.bands, templateSet: masked.set };
  };
}

/** By the upper 16 bits of a hash. */
function binOf(hash: number): number {
  return Math.imul(hash >>> 16, minimaCount) >>> 16;
}

/** What is compared among the hashes of one bin, whose upper bits are much the same. */
function valueOf(hash: number): number {
  return Math.imul(hash, 0x9e3779b1);
}

function bandsOf(minima: Int32Array): Uint32Array {
  return Uint32Array.from({ length: bandCount }, (_, band) => {
    let hash = 0;
    for (let row = 0; row < bandRows; row++) {
      hash = Math.imul(hash ^ minima[band * bandRows + row]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash;
  });
}
