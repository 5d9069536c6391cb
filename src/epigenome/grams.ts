/** How much of one token sequence stands in another: the 50-grams that they have in common. */
import type { TokenCorpus } from "./pack.ts";

/** Tokens of a gram: so long a run of equal tokens is a copy, not chance. */
const GRAM = 50;
/** Of larger corpora every n-th gram by its hash is looked at, so that about so many are kept. */
const MOST = 2_000_000;

/**
 * The part of the different 50-grams of `corpus` that `other` has too; 0 where it has none. Grams lie inside documents.
 * Of more than two million grams a sample by hash is compared, the same of both.
 */
export function sharedGrams(corpus: TokenCorpus, other: TokenCorpus): number {
  const every = Math.max(1, Math.ceil(Math.max(corpus.ids.length, other.ids.length) / MOST));
  const own = gramsOf(corpus, every);
  const others = gramsOf(other, every);
  let shared = 0;
  for (const gram of own) if (others.has(gram)) shared += 1;
  return own.size === 0 ? 0 : shared / own.size;
}

/** Polynomial hashes modulo two primes, rolled along each document, joined to 52 bits. */
const MODULUS_A = 67_108_859;
const MODULUS_B = 67_108_837;
const BASE_A = 31_337;
const BASE_B = 65_537;

function gramsOf({ ids, offsets }: TokenCorpus, every: number): Set<number> {
  const grams = new Set<number>();
  const leaveA = power(BASE_A, GRAM - 1, MODULUS_A);
  const leaveB = power(BASE_B, GRAM - 1, MODULUS_B);
  for (let d = 0; d + 1 < offsets.length; d++) {
    const [from, to] = [offsets[d]! + 1, offsets[d + 1]!];
    let [a, b] = [0, 0];
    for (let i = from; i < to; i++) {
      if (i >= from + GRAM) {
        const left = ids[i - GRAM]! + 1;
        a = modulo(a - multiply(left, leaveA, MODULUS_A), MODULUS_A);
        b = modulo(b - multiply(left, leaveB, MODULUS_B), MODULUS_B);
      }
      a = modulo(multiply(a, BASE_A, MODULUS_A) + ids[i]! + 1, MODULUS_A);
      b = modulo(multiply(b, BASE_B, MODULUS_B) + ids[i]! + 1, MODULUS_B);
      if (i + 1 - from >= GRAM && b % every === 0) grams.add(a * MODULUS_B + b);
    }
  }
  return grams;
}

// Factors are below 2^26, so that products are exact.
const multiply = (x: number, y: number, modulus: number): number => (x * y) % modulus;
const modulo = (x: number, modulus: number): number => ((x % modulus) + modulus) % modulus;

function power(base: number, exponent: number, modulus: number): number {
  let result = 1;
  for (let i = 0; i < exponent; i++) result = multiply(result, base, modulus);
  return result;
}
