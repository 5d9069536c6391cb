/** Pairs of texts that may be near duplicates: locality-sensitive hashing by the bands of their sketches. */
import { openTable } from "./exact.ts";
import { bandCount } from "./sketch.ts";

/** A text is compared with this many earlier ones, those that share most bands with it. */
const candidateLimit = 16;
/** Earlier texts of the same band that are looked at, so that a crowded bucket costs no more than others. */
const bucketLimit = 256;

/**
 * Makes a function that gives, for a row, the earlier rows that may be near duplicates of it, at most 16.
 *
 * @param bands `bandCount` hashes per row
 */
export function candidateSearch(bands: Uint32Array, rows: number): (row: number) => readonly number[] {
  const previous = linkBuckets(bands, rows);
  const shared = new Uint8Array(rows);
  const met = new Int32Array(bandCount * bucketLimit);
  return (row) => {
    let count = 0;
    for (let band = 0; band < bandCount; band++) {
      let other = previous[row * bandCount + band]!;
      for (let step = 0; step < bucketLimit && other >= 0; step++) {
        if (shared[other]!++ === 0) met[count++] = other;
        other = previous[other * bandCount + band]!;
      }
    }
    const found = mostShared(met.subarray(0, count), shared);
    for (let i = 0; i < count; i++) shared[met[i]!] = 0;
    return found;
  };
}

/** For each row and band the last row before it with the same hash in that band, or -1. */
function linkBuckets(bands: Uint32Array, rows: number): Int32Array {
  const previous = new Int32Array(rows * bandCount);
  const table = openTable(rows);
  const mask = table.length - 1;
  for (let band = 0; band < bandCount; band++) {
    table.fill(-1);
    for (let row = 0; row < rows; row++) {
      const hash = bands[row * bandCount + band]!;
      let slot = Math.imul(hash, 0x9e3779b1) & mask;
      while (table[slot]! >= 0 && bands[table[slot]! * bandCount + band] !== hash) slot = (slot + 1) & mask;
      previous[row * bandCount + band] = table[slot]!;
      table[slot] = row;
    }
  }
  return previous;
}

/** The `candidateLimit` rows of `met` with the highest counts; among equal ones those met first. */
function mostShared(met: Int32Array, shared: Uint8Array): readonly number[] {
  if (met.length <= candidateLimit) return Array.from(met).sort((a, b) => shared[b]! - shared[a]!);
  const tally = new Uint32Array(bandCount + 1);
  for (const row of met) tally[shared[row]!]!++;
  const found: number[] = [];
  for (let level = bandCount; level > 0 && found.length < candidateLimit; level--) {
    if (tally[level] === 0) continue;
    for (let i = 0; i < met.length && found.length < candidateLimit; i++) {
      if (shared[met[i]!] === level) found.push(met[i]!);
    }
  }
  return found;
}
