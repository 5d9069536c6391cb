/** A packed batch: what the engine trains or scores in one micro-batch. Shapes are static; padding has weight 0. */

export interface Batch {
  /** Sequences. */
  readonly B: number;
  /** Positions of each sequence. */
  readonly T: number;
  /** Token ids, [B, T]; padding holds any valid id. */
  readonly ids: Int32Array;
  /** Token to be predicted at each position, [B, T]; never one of another document. */
  readonly targets: Int32Array;
  /** Loss weight of each prediction, [B, T]; 0 where there is nothing to predict. */
  readonly weights: Float32Array;
  /** A reference model's loss of each prediction in nats, [B, T], where it was measured; NaN where that one was not. */
  readonly reference?: Float32Array | undefined;
  /** Position inside the document, [B, T], from 0. */
  readonly positions: Int32Array;
  /** Document index inside the sequence, [B, T]; attention never crosses it; -1 for padding. */
  readonly documents: Int32Array;
}

/** A batch of padding only (weights 0, documents -1), to be filled; `padding` is any valid token id. */
export function blankBatch(B: number, T: number, padding: number): Batch {
  return {
    B,
    T,
    ids: new Int32Array(B * T).fill(padding),
    targets: new Int32Array(B * T).fill(padding),
    weights: new Float32Array(B * T),
    positions: new Int32Array(B * T),
    documents: new Int32Array(B * T).fill(-1),
  };
}
