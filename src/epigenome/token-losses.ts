/** What a model loses on each token of a corpus, read once: the parent's view of the text, before anything is trained. */
import { invariant } from "../errors.ts";
import type { Scorer } from "../eval/score-sequences.ts";
import { blankBatch } from "../models/batch.ts";
import { fillSequence, packCorpus } from "./pack.ts";
import type { TokenCorpus } from "./pack.ts";

export interface TokenLossOptions {
  /** Hears predictions. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Stops between two batches. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Negative log-likelihood in nats of each id as a target, in the places of the ids; 0 where it has no weight. Documents are cut as
 * for training in sequences of the scorer's T. Costs one forward pass over the corpus.
 */
export async function tokenLosses(
  scorer: Scorer,
  corpus: TokenCorpus,
  { onProgress, signal }: TokenLossOptions = {},
): Promise<Float32Array> {
  const { B, T } = scorer;
  const packed = packCorpus(corpus, T);
  const losses = new Float32Array(corpus.ids.length);
  let done = 0;
  for (let first = 0; first < packed.sequences; first += B) {
    signal?.throwIfAborted();
    const batch = blankBatch(B, T, corpus.separator);
    const rows = Math.min(B, packed.sequences - first);
    for (let b = 0; b < rows; b++) fillSequence(batch, b, packed, first + b);
    const nll = await scorer.evaluate(batch);
    invariant(nll.length === B * T, `a scorer of ${B} x ${T} gave ${nll.length} values`);
    for (let b = 0; b < rows; b++) {
      let at = b * T;
      const { pieces, offsets } = packed.packing;
      for (const piece of pieces.subarray(offsets[first + b], offsets[first + b + 1])) {
        const length = packed.pieceLengths[piece]!;
        losses.set(nll.subarray(at, at + length), packed.pieceStarts[piece]! + 1);
        at += length;
        done += length;
      }
    }
    onProgress?.(done, packed.tokens);
  }
  return losses;
}
