/** Randomness as a pure function of counters: the same (seed, purpose, a, b) gives the same number on every machine. */

function mixWord(state: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const h = state ^ k;
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(state: number): number {
  let h = state;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function mixNumber(state: number, value: number): number {
  return mixWord(mixWord(state, value | 0), Math.floor(value / 4294967296) | 0);
}

function mixPurpose(seed: number, purpose: string): number {
  let state = mixNumber(0x9747b28c, seed);
  for (let i = 0; i < purpose.length; i++) state = mixWord(state, purpose.charCodeAt(i));
  return mixWord(state, purpose.length);
}

/**
 * Counter hash (MurmurHash3, 32 bits, over the words of seed, purpose, `a` and `b`): an integer in [0, 2^32).
 * `purpose` keeps the streams of different uses apart; `a` and `b` are integers, usually step or epoch and index.
 */
export function hash32(seed: number, purpose: string, a: number, b: number): number {
  return finish(mixNumber(mixNumber(mixPurpose(seed, purpose), a), b));
}

/** A number in [0, 1), uniform with 32 bits of resolution. */
export function uniform(seed: number, purpose: string, a: number, b: number): number {
  return hash32(seed, purpose, a, b) / 4294967296;
}

/** A standard normal number, by Box and Muller from two lanes of the same counter. */
export function normal(seed: number, purpose: string, a: number, b: number): number {
  const state = mixNumber(mixNumber(mixPurpose(seed, purpose), a), b);
  const u = (finish(mixWord(state, 1)) + 1) / 4294967296; // (0, 1]: the logarithm stays finite
  const v = finish(mixWord(state, 2)) / 4294967296;
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
}

/** A seeded permutation of 0..count-1 (Fisher and Yates), a function of (seed, purpose, a) alone. */
export function permutation(seed: number, purpose: string, a: number, count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(uniform(seed, purpose, a, i) * (i + 1));
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
  return order;
}
