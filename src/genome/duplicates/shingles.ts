/** Texts as sets of hashed word 5-grams, and their Jaccard similarity. Exact up to collisions of 53-bit hashes. */

/** Words of a shingle; texts with fewer words have none. */
export const shingleWords = 5;

export interface ShingleOptions {
  /** Read each number and each hexadecimal word as one `#`, so that lines of one template become equal. */
  readonly masked: boolean;
}

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

/**
 * Calls `emit` with two independent 32-bit hashes of each word 5-gram, repeated ones included, in the order of the text.
 * Words are what white space (JavaScript's `\s`) separates. Allocates nothing that grows with the text.
 *
 * @returns the number of words
 */
export function scanShingles(
  text: string,
  { masked }: ShingleOptions,
  emit: (low: number, high: number) => void,
): number {
  const ringLow = new Int32Array(ringMask + 1);
  const ringHigh = new Int32Array(ringMask + 1);
  const { length } = text;
  let sumLow = 0;
  let sumHigh = 0;
  let words = 0;
  let runEnd = 0;
  for (let i = 0; i < length;) {
    let code = text.charCodeAt(i);
    if (isSpace(code)) {
      i++;
      continue;
    }
    let low = startLow;
    let high = startHigh;
    do {
      if (masked && code < 0x80) {
        if (i >= runEnd && isWordCharacter(code)) {
          runEnd = endOfRun(text, i);
          if (isHexadecimal(text, i, runEnd)) {
            code = maskCharacter;
            i = runEnd - 1;
          }
        }
        if (isDigit(code)) {
          code = maskCharacter;
          while (i + 1 < length && isDigit(text.charCodeAt(i + 1))) i++;
        }
      }
      low = Math.imul(low ^ code, primeLow);
      high = Math.imul(high ^ code, primeHigh);
      high ^= high >>> 15;
      i++;
      if (i === length) break;
      code = text.charCodeAt(i);
    } while (!isSpace(code));
    low = finish(low);
    high = finish(high);
    const place = words & ringMask;
    const leaving = (words - shingleWords) & ringMask; // Zero until the first shingle is whole.
    sumLow = (Math.imul(sumLow, stepLow) + low - Math.imul(ringLow[leaving]!, leavingLow)) | 0;
    sumHigh = (Math.imul(sumHigh, stepHigh) + high - Math.imul(ringHigh[leaving]!, leavingHigh)) | 0;
    ringLow[place] = low;
    ringHigh[place] = high;
    words++;
    if (words >= shingleWords) emit(finish(sumLow), finish(sumHigh));
  }
  return words;
}

/** The distinct shingles of a text as ascending 53-bit hashes. */
export function shingleSet(text: string, options: ShingleOptions): Float64Array {
  let hashes = new Float64Array(Math.max(16, text.length >> 2)); // Enough for most: words of three letters and a space.
  let count = 0;
  scanShingles(text, options, (low, high) => {
    if (count === hashes.length) {
      const grown = new Float64Array(2 * count);
      grown.set(hashes);
      hashes = grown;
    }
    hashes[count++] = (high >>> 11) * 0x100000000 + (low >>> 0);
  });
  const sorted = hashes.subarray(0, count).sort();
  let kept = 0;
  for (let i = 0; i < count; i++) if (i === 0 || sorted[i] !== sorted[kept - 1]) sorted[kept++] = sorted[i]!;
  return sorted.slice(0, kept);
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

function isSpace(code: number): boolean {
  if (code < 0xa0) return code === 0x20 || (code >= 9 && code <= 13);
  if (code === 0xa0 || code === 0xfeff || code === 0x3000 || code === 0x1680) return true;
  return code >= 0x2000 && code <= 0x205f && (code <= 0x200a || /\s/.test(String.fromCharCode(code)));
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isWordCharacter(code: number): boolean {
  return isDigit(code) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f;
}

function endOfRun(text: string, start: number): number {
  let end = start;
  while (end < text.length && isWordCharacter(text.charCodeAt(end))) end++;
  return end;
}

/** Whether a run is hexadecimal: begins with 0x, or has a digit, or is longer than what spells a word by chance. */
function isHexadecimal(text: string, start: number, end: number): boolean {
  let digits = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (isDigit(code)) digits++;
    else if ((code | 0x20) < 0x61 || (code | 0x20) > 0x66) {
      const isPrefix = i === start + 1 && digits === 1 && (code | 0x20) === 0x78 && end > i + 1;
      if (!isPrefix || text.charCodeAt(start) !== 0x30) return false;
    }
  }
  return digits > 0 || end - start >= 8;
}

/** The last step of MurmurHash3: every bit of the input changes half of the output's. */
function finish(value: number): number {
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
