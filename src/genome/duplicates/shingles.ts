/** Texts as sets of hashed word 5-grams, and their Jaccard similarity. Exact up to collisions of 53-bit hashes. */
import { spaceAt, spaceLeads } from "./white-space.ts";

/** Words of a shingle; texts with fewer words have none. */
export const shingleWords = 5;

export interface ShingleOptions {
  /** Read each number and each hexadecimal word as one `#`, so that lines of one template become equal. */
  readonly masked: boolean;
}

/**
 * Takes the next shingles of a text: two independent 32-bit hashes of each. The arrays are used again after the call.
 *
 * @param count how many entries hold a shingle
 */
export type TakeShingles = (low: Int32Array, high: Int32Array, count: number) => void;

// Two lanes of 32 bits: a word is hashed like FNV-1a, five words as a polynomial whose multiplier is 3 modulo 8,
// so that exchanging two words changes all but the lowest four bits of the sum.
const startLow = 0x811c9dc5 | 0;
const startHigh = 0x2f0b4c47 | 0;
const primeLow = 0x01000193;
const primeHigh = 0x85ebca6b | 0;
const stepLow = 0x9e3779b3 | 0;
const stepHigh = 0xc2b2ae3b | 0;
const leavingLow = power(stepLow, shingleWords);
const leavingHigh = power(stepHigh, shingleWords);
const ringMask = 7;
const maskCharacter = 0x23;
/** Shingles are handed over so many at a time: a call for each would take longer than hashing it. */
const blockLength = 1024;
/** Used by one scan after the other, which end before they return; most texts are too short to be worth an allocation. */
const blockLow = new Int32Array(blockLength);
const blockHigh = new Int32Array(blockLength);

/** What a byte is, as bits; white space and what may begin such above ASCII have none of the others. */
const other = 0;
const digit = 1;
const hexadecimal = 2;
const word = 4;
const space = 8;
const spaceLead = 16;
const bytes = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0x20 || (byte >= 9 && byte <= 13)) return space;
  if (byte >= 0x80) return spaceLeads.has(byte) ? spaceLead : other;
  const character = String.fromCharCode(byte);
  if (/\d/.test(character)) return word | hexadecimal | digit;
  if (/[a-f]/i.test(character)) return word | hexadecimal;
  return /\w/.test(character) ? word : other;
});

/**
 * Hashes each word 5-gram, repeated ones included, in the order of the text. Words are what white space (JavaScript's
 * `\s`) separates. Allocates nothing that grows with the text; `take` must not scan another one.
 *
 * @param text in UTF-8
 * @returns the number of words
 */
export function scanShingles(text: Uint8Array, { masked }: ShingleOptions, take: TakeShingles): number {
  const ringLow = new Int32Array(ringMask + 1);
  const ringHigh = new Int32Array(ringMask + 1);
  const { length } = text;
  let count = 0;
  let sumLow = 0;
  let sumHigh = 0;
  let words = 0;
  let runEnd = 0;
  for (let i = 0; i < length;) {
    let byte = text[i]!;
    let kind = bytes[byte]!;
    const gap = kind === space ? 1 : kind === spaceLead ? spaceAt(text, i) : 0;
    if (gap > 0) {
      i += gap;
      continue;
    }
    let low = startLow;
    let high = startHigh;
    for (;;) {
      if (masked && (kind & word) !== 0) {
        if (i >= runEnd) {
          runEnd = endOfRun(text, i);
          if (runEnd < 0) {
            runEnd = -runEnd;
            byte = maskCharacter;
            kind = other;
            i = runEnd - 1;
          }
        }
        if ((kind & digit) !== 0) {
          byte = maskCharacter;
          while (i + 1 < length && (bytes[text[i + 1]!]! & digit) !== 0) i++;
        }
      }
      low = Math.imul(low ^ byte, primeLow);
      high = Math.imul(high ^ byte, primeHigh);
      high ^= high >>> 15;
      i++;
      if (i === length) break;
      byte = text[i]!;
      kind = bytes[byte]!;
      if (kind >= space && (kind === space || spaceAt(text, i) > 0)) break;
    }
    low = finish(low);
    high = finish(high);
    const place = words & ringMask;
    const leaving = (words - shingleWords) & ringMask; // Zero until the first shingle is whole.
    sumLow = (Math.imul(sumLow, stepLow) + low - Math.imul(ringLow[leaving]!, leavingLow)) | 0;
    sumHigh = (Math.imul(sumHigh, stepHigh) + high - Math.imul(ringHigh[leaving]!, leavingHigh)) | 0;
    ringLow[place] = low;
    ringHigh[place] = high;
    words++;
    if (words < shingleWords) continue;
    blockLow[count] = finish(sumLow);
    blockHigh[count++] = finish(sumHigh);
    if (count < blockLength) continue;
    take(blockLow, blockHigh, count);
    count = 0;
  }
  take(blockLow, blockHigh, count);
  return words;
}

/** Jaccard similarity of two ascending sets: what they share over what either has; of two empty ones 1. */
export function jaccard(a: Float64Array, b: Float64Array): number {
  if (a.length + b.length === 0) return 1;
  let i = 0;
  let j = 0;
  let shared = 0;
  while (i < a.length && j < b.length) {
    const x = a[i]!;
    const y = b[j]!;
    if (x === y) shared++;
    if (x <= y) i++;
    if (y <= x) j++;
  }
  return shared / (a.length + b.length - shared);
}

/**
 * Where a run of digits, letters and underscores ends; negative where it is hexadecimal: it begins with 0x, or has a
 * digit, or is longer than what spells a word by chance.
 */
function endOfRun(text: Uint8Array, start: number): number {
  // The x of a prefix counts as a digit of it, if something follows.
  const isPrefixed = text[start] === 0x30 && (text[start + 1]! | 0x20) === 0x78;
  let end = start;
  let every = word | hexadecimal;
  let any = 0;
  if (isPrefixed) {
    end = start + 2;
    any = digit;
    if ((bytes[text[end] ?? 0x20]! & word) === 0) return end;
  }
  for (; end < text.length; end++) {
    const kind = bytes[text[end]!]!;
    if ((kind & word) === 0) break;
    every &= kind;
    any |= kind;
  }
  const isHexadecimal = (every & hexadecimal) !== 0 && ((any & digit) !== 0 || end - start >= 8);
  return isHexadecimal ? -end : end;
}

/** The last step of MurmurHash3: every bit of the input changes half of the output's. */
export function finish(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function power(base: number, exponent: number): number {
  let result = 1;
  for (let i = 0; i < exponent; i++) result = Math.imul(result, base);
  return result;
}
