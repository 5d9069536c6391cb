/** The order of a run's text, as a blueprint decides it: what must be measured for it, and the stream that comes of it. */
import { invariant } from "../errors.ts";
import { classesOf } from "./difficulty.ts";
import type { Difficulty, Measure } from "./difficulty.ts";
import { packCorpus } from "./pack.ts";
import type { PackedCorpus, TokenCorpus } from "./pack.ts";
import { difficultyOrder, shuffledOrder } from "./pass-order.ts";
import type { PassOrder } from "./pass-order.ts";

export interface Order {
  /** What easy to hard goes by in the first pass; "shuffle": nothing. */
  readonly by: "shuffle" | Measure;
  /** The first part of the first pass, in which it holds; the rest is shuffled. */
  readonly part: number;
  /** The hardest part of the trained tokens by the parent's loss, and how often it comes again in each pass. */
  readonly repeatHard: { readonly part: number; readonly times: number } | null;
  /** Whether code is read file after file, each after what it imports, with what stands before it in sight. */
  readonly imports: boolean;
}

export const shuffled: Order = { by: "shuffle", part: 0, repeatHard: null, imports: false };

/** What must be known of each document. */
export function measuresOf({ by, repeatHard }: Order): Measure[] {
  return [...new Set<Measure>([...(by === "shuffle" ? [] : [by]), ...(repeatHard === null ? [] : ["loss" as const])])];
}

/** Tokens of one pass as a multiple of those of the text. */
export function passLength({ repeatHard }: Order): number {
  return repeatHard === null ? 1 : 1 + repeatHard.part * repeatHard.times;
}

/** Easy to hard goes by classes of equally many tokens, each of some sequences: what is equally hard is shuffled. */
const CLASSES = 10;
const SEQUENCES_OF_CLASS = 8;

/**
 * Packs a corpus for sequences of T and orders its passes: a function of the arguments alone. Where difficulty decides,
 * documents of different classes share no sequence.
 */
export function packInOrder(
  corpus: TokenCorpus,
  {
    T,
    order,
    seed,
    difficulty,
  }: { readonly T: number; readonly order: Order; readonly seed: number; readonly difficulty?: Difficulty | undefined },
): { packed: PackedCorpus; order: PassOrder } {
  const { by, part, repeatHard } = order;
  if (measuresOf(order).length === 0) {
    const packed = packCorpus(corpus, T);
    return { packed, order: shuffledOrder(packed, seed) };
  }
  const known = (measure: Measure): readonly (number | null)[] => {
    const of = difficulty?.[measure];
    invariant(of?.length === corpus.offsets.length - 1, `the ${measure} of every document is known`);
    return of;
  };
  const fitting = Math.floor((corpus.ids.length - 1) / (SEQUENCES_OF_CLASS * T));
  const count = by === "shuffle" ? 1 : Math.max(1, Math.min(CLASSES, fitting));
  const cuts = Array.from({ length: count - 1 }, (_, k) => (k + 1) / count);
  const classes = by === "shuffle" ? undefined : classesOf(corpus, known(by), cuts);
  const hard = repeatHard === null ? undefined : classesOf(corpus, known("loss"), [1 - repeatHard.part]);
  // Even groups are not hard, odd ones are.
  const groupOf = (document: number): number => 2 * (classes?.[document] ?? 0) + (hard?.[document] ?? 0);
  const packed = packCorpus(corpus, T, { groupOf });
  return {
    packed,
    order: difficultyOrder(packed, {
      seed,
      warmup: by === "shuffle" ? 0 : part,
      classOf: (sequence) => packed.groups![sequence]! >> 1,
      isHard: (sequence) => packed.groups![sequence]! % 2 === 1,
      times: repeatHard?.times ?? 0,
    }),
  };
}
