/** The training stream under marks that change: a function of the step number, the seed and the marks so far. */
import type { PackedCorpus } from "../pack.ts";
import { createStream, type Stream, type StreamOptions } from "../stream.ts";
import { markedOrder } from "./marked-order.ts";

export interface MarkedStreamOptions extends Omit<StreamOptions, "order"> {
  /** Groups that the corpus was packed by: numbers from 0. */
  readonly count: number;
}

export interface MarkedStream extends Stream {
  /** Sequences of each group, and the predictions that one of them trains on average. */
  readonly groups: readonly { readonly sequences: number; readonly tokensPerSequence: number }[];
  /** Groups have these marks from step `step` on. */
  mark(step: number, marks: readonly number[]): void;
  /** Sequences of each group in the steps before `step`. */
  taken(step: number): number[];
  /** Sequences of the corpus in the steps before `step`, replay apart. */
  slots(step: number): number;
}

/**
 * A stream whose groups come by their marks; replay keeps the slots that it has under marks of 1, so its part of the tokens
 * moves a little where groups fill their sequences unequally.
 *
 * @param corpus packed by groups
 * @throws UserError `empty` as `createStream`
 */
export function createMarkedStream(corpus: PackedCorpus, options: MarkedStreamOptions): MarkedStream {
  const order = markedOrder(corpus, options);
  const stream = createStream(corpus, { ...options, order });
  const slots = (step: number): number => {
    const { epoch, index } = stream.cursor(step).corpus;
    return epoch * order.slots + index;
  };
  const tokens = order.sizes.map(() => 0);
  const { packing, pieceLengths, groups } = corpus;
  groups!.forEach((group, sequence) => {
    for (let i = packing.offsets[sequence]!; i < packing.offsets[sequence + 1]!; i++) {
      tokens[group]! += pieceLengths[packing.pieces[i]!]!;
    }
  });
  return {
    ...stream,
    groups: order.sizes.map((sequences, group) => ({
      sequences,
      tokensPerSequence: sequences === 0 ? 0 : tokens[group]! / sequences,
    })),
    mark: (step, marks) => order.mark(slots(step), marks),
    taken: (step) => order.taken(slots(step)),
    slots,
  };
}
