/** MinHash sketches of texts, cut into bands: texts that share a band may be near duplicates. It compares nothing. */
import { hash32 } from "../../formats/random.ts";
import { scanShingles, shingleWords } from "./shingles.ts";

/** Changes whenever the same text may get another sketch, or the same sketches other classes. */
export const duplicateRule = "near@1";

/** Bands of a sketch. Texts of similarity J share at least one with probability 1 - (1 - J^rows)^bands: 0.996 at 0.8. */
export const bandCount = 14;
const bandRows = 5;
const seed = 1;

/** Texts of more UTF-16 units take no part in near and template duplicates. */
export const sketchLimit = 8 << 20;

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
}

/** Makes a function that sketches texts; it holds the constants of the permutations and scratch space of 20 kB. */
export function createSketcher(): (text: string, options: SketchOptions) => Sketch {
  const count = bandCount * bandRows;
  const factors = Int32Array.from({ length: count }, (_, i) => hash32(seed, duplicateRule, i, 0) | 1);
  const offsets = Int32Array.from({ length: count }, (_, i) => hash32(seed, duplicateRule, i, 1));
  const minima = new Int32Array(count);
  const recent = new Int32Array(1 << 12);

  /** MinHash (Broder 1997) with the permutations `factor * x + offset` modulo 2^32. */
  const sketchOf = (text: string, masked: boolean): { words: number; bands: Uint32Array | null } => {
    minima.fill(0x7fffffff);
    recent.fill(0);
    const words = scanShingles(text, { masked }, (low) => {
      // Repeats change nothing, and logs are full of them.
      if (recent[low & 0xfff] === low) return;
      recent[low & 0xfff] = low;
      for (let i = 0; i < count; i++) {
        const value = (Math.imul(low, factors[i]!) + offsets[i]!) | 0;
        if (value < minima[i]!) minima[i] = value;
      }
    });
    return { words, bands: words < shingleWords ? null : bandsOf(minima) };
  };

  return (text, { template }) => {
    if (text.length > sketchLimit) return { words: 0, bands: null, template: null };
    const { words, bands } = sketchOf(text, false);
    return { words, bands, template: template ? sketchOf(text, true).bands : null };
  };
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
