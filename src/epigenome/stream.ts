/** The training stream: which packed sequences make up each micro-batch, as a function of the step number and a seed. */
import { UserError, invariant } from "../errors.ts";
import { type Batch, blankBatch } from "../models/batch.ts";
import { fillSequence, type PackedCorpus } from "./pack.ts";
import { shuffledOrder, type PassOrder } from "./pass-order.ts";

export interface StreamOptions {
  /** Sequences of each micro-batch. */
  readonly B: number;
  /** Micro-batches of each optimiser step. */
  readonly microBatches: number;
  readonly seed: number;
  /** Of the corpus; default: shuffled. */
  readonly order?: PassOrder | undefined;
  /** General text mixed in; `share` is its part of all trained tokens, in [0, 1). */
  readonly replay?: { readonly corpus: PackedCorpus; readonly share: number };
}

/** A place in a corpus: full passes done, and sequences taken of the pass under way. */
export interface Cursor {
  readonly epoch: number;
  readonly index: number;
}

export interface Stream {
  readonly B: number;
  readonly T: number;
  readonly microBatches: number;
  /** Sequences of one pass over the corpus, those that come again counted again, replay apart. */
  readonly sequences: number;
  /** Predictions that one pass over the corpus trains, replay apart. */
  readonly tokensPerEpoch: number;
  /** Predictions that an optimiser step trains, replay included: the mean over many steps. */
  readonly tokensPerStep: number;
  /** Optimiser steps until the corpus has been passed once, not rounded. */
  readonly stepsPerEpoch: number;
  /** The sequence in a slot, counted from 0: B of each micro-batch, of each step. */
  sequenceAt(slot: number): {
    readonly from: "corpus" | "replay";
    readonly packed: PackedCorpus;
    readonly sequence: number;
  };
  /** Micro-batch `micro` of optimiser step `step`, both from 0. */
  batch(step: number, micro: number): Batch;
  /** Where the corpus and the replay stand before optimiser step `step`. */
  cursor(step: number): { readonly corpus: Cursor; readonly replay: Cursor | undefined };
}

/**
 * Endless passes over a corpus, each in an order of its own, by default a seeded shuffle. Sequences of replay are spread
 * evenly among the others (slot n takes one where floor(n x share) rises) and pass over theirs at their own pace. A batch
 * depends on the step number, the seed, the order and the corpora alone, so going on after a stop needs no state.
 *
 * @throws UserError `empty` when the corpus or the replay has no token.
 */
export function createStream(corpus: PackedCorpus, options: StreamOptions): Stream {
  const { B, microBatches, seed, replay } = options;
  requireTokens(corpus, "the training text");
  if (replay) {
    invariant(replay.share >= 0 && replay.share < 1, `a replay share of ${replay.share}`);
    invariant(replay.corpus.T === corpus.T, `replay in sequences of ${replay.corpus.T}, training text in ${corpus.T}`);
    if (replay.share > 0) requireTokens(replay.corpus, "the replay text");
  }
  const order = options.order ?? shuffledOrder(corpus, seed);
  const replayRate = replay && replay.share > 0 ? sequenceShare(replay.share, density(order), replay.corpus) : 0;
  const replayBefore = (slot: number): number => Math.floor(slot * replayRate);
  const replayOrder = replay && shuffledOrder(replay.corpus, seed, "shuffle-replay");
  const slotsPerStep = B * microBatches;
  const meanTokens = density(order) * (1 - replayRate) + (replayRate > 0 ? density(replayOrder!) * replayRate : 0);
  const sequenceAt: Stream["sequenceAt"] = (slot) => {
    const replayed = replayBefore(slot);
    if (replay && replayBefore(slot + 1) > replayed) {
      const { epoch, index } = cursorAt(replayed, replayOrder!.slots);
      return { from: "replay", packed: replay.corpus, sequence: replayOrder!.of(epoch)[index]! };
    }
    const { epoch, index } = cursorAt(slot - replayed, order.slots);
    return { from: "corpus", packed: corpus, sequence: order.of(epoch)[index]! };
  };
  return {
    B,
    T: corpus.T,
    microBatches,
    sequences: order.slots,
    tokensPerEpoch: order.tokens,
    tokensPerStep: meanTokens * slotsPerStep,
    stepsPerEpoch: order.slots / ((1 - replayRate) * slotsPerStep),
    sequenceAt,
    batch(step, micro) {
      invariant(step >= 0 && micro >= 0 && micro < microBatches, `micro-batch ${micro} of step ${step}`);
      const blank = blankBatch(B, corpus.T, corpus.corpus.separator);
      const { reference } = corpus.corpus;
      const batch =
        reference === undefined ? blank : { ...blank, reference: new Float32Array(B * corpus.T).fill(Number.NaN) };
      for (let b = 0; b < B; b++) {
        const { packed, sequence } = sequenceAt(step * slotsPerStep + micro * B + b);
        fillSequence(batch, b, packed, sequence);
      }
      return batch;
    },
    cursor(step) {
      const slot = step * slotsPerStep;
      const replayed = replayBefore(slot);
      return {
        corpus: cursorAt(slot - replayed, order.slots),
        replay: replayRate > 0 ? cursorAt(replayed, replayOrder!.slots) : undefined,
      };
    },
  };
}

function requireTokens(packed: PackedCorpus, what: string): void {
  if (packed.sequences === 0) throw new UserError("empty", `${what} holds no token`, { hint: "give text to train on" });
}

function cursorAt(taken: number, sequences: number): Cursor {
  return { epoch: Math.floor(taken / sequences), index: taken % sequences };
}

/** Mean predictions per sequence. */
function density({ tokens, slots }: Pick<PassOrder, "tokens" | "slots">): number {
  return tokens / slots;
}

/** The share of sequences that gives replay `share` of the tokens, from the mean fill of both. */
function sequenceShare(share: number, ofCorpus: number, { tokens, sequences }: PackedCorpus): number {
  const of = share * ofCorpus;
  return of / (of + (1 - share) * (tokens / sequences));
}
