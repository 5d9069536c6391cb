/** Collects the distinct shingles of a text as ascending 53-bit hashes. */
import { scanShingles } from "./shingles.ts";
import type { ShingleOptions } from "./shingles.ts";

const recentMask = 0xfff;

/** Leaves out shingles that came a short while ago; logs are full of them. */
export class RecentShingles {
  readonly #low = new Int32Array(recentMask + 1);
  readonly #high = new Int32Array(recentMask + 1);

  clear(): void {
    this.#low.fill(0);
    this.#high.fill(0);
  }

  /** Moves those that did not come to the front of the arrays; returns their number. */
  leaveOut(low: Int32Array, high: Int32Array, count: number): number {
    const recentLow = this.#low;
    const recentHigh = this.#high;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const a = low[i]!;
      const b = high[i]!;
      const slot = a & recentMask;
      // A shingle of two zeros is left out where its slot is free; with 64 bits that does not happen.
      if (recentLow[slot] === a && recentHigh[slot] === b) continue;
      recentLow[slot] = a;
      recentHigh[slot] = b;
      low[kept] = a;
      high[kept++] = b;
    }
    return kept;
  }
}

/** Both lanes as one number of 53 bits. */
export function shingleHash(low: number, high: number): number {
  return (high >>> 11) * 0x100000000 + (low >>> 0);
}

/** Sorts the first `count` hashes and drops repeated ones; returns the number of those left. */
export function sortDistinct(hashes: Float64Array, count: number): number {
  const sorted = hashes.subarray(0, count).sort();
  let kept = 0;
  for (let i = 0; i < count; i++) if (i === 0 || sorted[i] !== sorted[kept - 1]) sorted[kept++] = sorted[i]!;
  return kept;
}

const recentOfSet = new RecentShingles();

/** The distinct shingles of a text (UTF-8) as ascending 53-bit hashes, in memory of their own. */
export function shingleSet(text: Uint8Array, options: ShingleOptions): Float64Array {
  recentOfSet.clear();
  let hashes = new Float64Array(Math.max(16, text.length >> 3));
  let count = 0;
  scanShingles(text, options, (low, high, all) => {
    const kept = recentOfSet.leaveOut(low, high, all);
    if (count + kept > hashes.length) {
      const grown = new Float64Array(2 * hashes.length + kept);
      grown.set(hashes);
      hashes = grown;
    }
    for (let i = 0; i < kept; i++) hashes[count++] = shingleHash(low[i]!, high[i]!);
  });
  return hashes.slice(0, sortDistinct(hashes, count));
}
