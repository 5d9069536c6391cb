/** The training stream: which packed sequences make up each micro-batch, as a function of the step number and a seed. */
import { UserError, invariant } from "../errors.ts";
import { permutation } from "../formats/random.ts";
import { type Batch, blankBatch } from "../models/batch.ts";
import { fillSequence, type PackedCorpus } from "./pack.ts";

export interface StreamOptions {
  /** Sequences of each micro-batch. */
  readonly B: number;
  /** Micro-batches of each optimiser step. */
  readonly microBatches: number;
  readonly seed: number;
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
  /** Sequences of one pass over the corpus, replay apart. */
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
 * Endless passes over a corpus, each in its own seeded order. Sequences of replay are spread evenly among the others
 * (slot n takes one where floor(n x share) rises) and pass over theirs at their own pace. A batch depends on the step
 * number, the seed and the corpora alone, so going on after a stop needs no state.
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
  const replayRate = replay && replay.share > 0 ? sequenceShare(replay.share, corpus, replay.corpus) : 0;
  const replayBefore = (slot: number): number => Math.floor(slot * replayRate);
  const orderOf = shuffles(seed, "shuffle", corpus.sequences);
  const replayOrderOf = shuffles(seed, "shuffle-replay", replay?.corpus.sequences ?? 0);
  const slotsPerStep = B * microBatches;
  const meanTokens = density(corpus) * (1 - replayRate) + (replayRate > 0 ? density(replay!.corpus) * replayRate : 0);
  const sequenceAt: Stream["sequenceAt"] = (slot) => {
    const replayed = replayBefore(slot);
    if (replay && replayBefore(slot + 1) > replayed) {
      const { epoch, index } = cursorAt(replayed, replay.corpus.sequences);
      return { from: "replay", packed: replay.corpus, sequence: replayOrderOf(epoch)[index]! };
    }
    const { epoch, index } = cursorAt(slot - replayed, corpus.sequences);
    return { from: "corpus", packed: corpus, sequence: orderOf(epoch)[index]! };
  };
  return {
    B,
    T: corpus.T,
    microBatches,
    sequences: corpus.sequences,
    tokensPerEpoch: corpus.tokens,
    tokensPerStep: meanTokens * slotsPerStep,
    stepsPerEpoch: corpus.sequences / ((1 - replayRate) * slotsPerStep),
    sequenceAt,
    batch(step, micro) {
      invariant(step >= 0 && micro >= 0 && micro < microBatches, `micro-batch ${micro} of step ${step}`);
      const batch = blankBatch(B, corpus.T, corpus.corpus.separator);
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
        corpus: cursorAt(slot - replayed, corpus.sequences),
        replay: replayRate > 0 ? cursorAt(replayed, replay!.corpus.sequences) : undefined,
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
function density(packed: PackedCorpus): number {
  return packed.tokens / packed.sequences;
}

/** The share of sequences that gives replay `share` of the tokens, from the mean fill of both. */
function sequenceShare(share: number, corpus: PackedCorpus, replay: PackedCorpus): number {
  const of = share * density(corpus);
  return of / (of + (1 - share) * density(replay));
}

/** The order of each pass, kept for the two last asked for: a batch may span the end of one. */
function shuffles(seed: number, purpose: string, sequences: number): (epoch: number) => Uint32Array {
  const kept = new Map<number, Uint32Array>();
  return (epoch) => {
    const known = kept.get(epoch);
    if (known) return known;
    const order = permutation(seed, purpose, epoch, sequences);
    for (const old of [...kept.keys()].slice(0, -1)) kept.delete(old);
    kept.set(epoch, order);
    return order;
  };
}
