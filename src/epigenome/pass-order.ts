/** In which order the sequences of a packed corpus come in each pass, and which of them come again. */
import { permutation } from "../formats/random.ts";
import type { PackedCorpus } from "./pack.ts";

/** The order of every pass, a function of the seed and of what the corpus was packed by. */
export interface PassOrder {
  /** Sequences of a pass, those that come again counted again. */
  readonly slots: number;
  /** Predictions of a pass. */
  readonly tokens: number;
  /** The sequence of each slot of pass `epoch`, from 0. */
  of(epoch: number): Uint32Array;
}

/** A seeded permutation for each pass. */
export function shuffledOrder(packed: PackedCorpus, seed: number, purpose = "shuffle"): PassOrder {
  const { sequences, tokens } = packed;
  return { slots: sequences, tokens, of: kept((epoch) => permutation(seed, purpose, epoch, sequences)) };
}

export interface DifficultyOrderOptions {
  readonly seed: number;
  /** The first part of the first pass, in which sequences come class by class, from 0. */
  readonly warmup: number;
  readonly classOf: (sequence: number) => number;
  readonly isHard: (sequence: number) => boolean;
  /** How often a hard sequence comes again in each pass. */
  readonly times: number;
}

/**
 * The shuffle, but for two things. The first pass begins with the easiest sequences, as many as fill the given part of it
 * without repetitions, class by class and shuffled inside of each. And hard sequences come again: with w = 2^-times
 * of a pass they come first in its first w, and then each after a distance of w, 2w, 4w and so on.
 */
export function difficultyOrder(
  packed: PackedCorpus,
  { seed, warmup, classOf, isHard, times }: DifficultyOrderOptions,
): PassOrder {
  const { sequences } = packed;
  const all = Array.from({ length: sequences }, (_, sequence) => sequence);
  const hard = all.filter((sequence) => times > 0 && isHard(sequence));
  const again = new Set(hard);
  const first = 1 / 2 ** times;
  const order = (epoch: number): Uint32Array => {
    const rank = new Float64Array(sequences);
    permutation(seed, "shuffle", epoch, sequences).forEach((sequence, i) => (rank[sequence] = (i + 0.5) / sequences));
    const easy = epoch > 0 ? [] : byKey(all, (s) => classOf(s) + rank[s]!).slice(0, Math.round(warmup * sequences));
    const begun = new Set(easy);
    const rest = all.flatMap((sequence) => {
      if (!again.has(sequence)) return begun.has(sequence) ? [] : [{ sequence, at: rank[sequence]! }];
      const places = Array.from({ length: times + 1 }, (_, k) => first * (rank[sequence]! + 2 ** k - 1));
      return (begun.has(sequence) ? places.slice(1) : places).map((at) => ({ sequence, at }));
    });
    return Uint32Array.from([...easy, ...byKey(rest, ({ at }) => at).map(({ sequence }) => sequence)]);
  };
  return {
    slots: sequences + times * hard.length,
    tokens: packed.tokens + times * hard.reduce((sum, sequence) => sum + tokensOf(packed, sequence), 0),
    of: kept(order),
  };
}

/** In rising order; equal ones stay in theirs. */
function byKey<T>(of: readonly T[], key: (item: T) => number): T[] {
  return of.toSorted((a, b) => key(a) - key(b));
}

function tokensOf({ packing, pieceLengths }: PackedCorpus, sequence: number): number {
  const pieces = packing.pieces.subarray(packing.offsets[sequence], packing.offsets[sequence + 1]);
  return pieces.reduce((sum, piece) => sum + pieceLengths[piece]!, 0);
}

/** Keeps the two orders that were asked for last: a batch may span the end of a pass. */
function kept(of: (epoch: number) => Uint32Array): (epoch: number) => Uint32Array {
  const known = new Map<number, Uint32Array>();
  return (epoch) => {
    const found = known.get(epoch);
    if (found) return found;
    const order = of(epoch);
    for (const old of [...known.keys()].slice(0, -1)) known.delete(old);
    known.set(epoch, order);
    return order;
  };
}
