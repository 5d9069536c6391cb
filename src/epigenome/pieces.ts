/** What a packed sequence holds, piece by piece: for people and for tests; training reads batches. */
import type { PackedCorpus } from "./pack.ts";

/** A stretch of a document in a sequence. */
export interface Piece {
  /** Index of the document in the corpus. */
  readonly document: number;
  /** Tokens of the document before it. */
  readonly from: number;
  /** What is predicted, in order: tokens, and the closing separator where the document ends in this piece. */
  readonly targets: readonly number[];
  /** Weight of each in the loss. */
  readonly weights: readonly number[];
}

/** What one packed sequence trains, document by document; joined ones each apart. */
export function piecesOfSequence(packed: PackedCorpus, sequence: number): Piece[] {
  const { corpus, packing, pieceStarts, pieceLengths } = packed;
  const pieces = packing.pieces.subarray(packing.offsets[sequence], packing.offsets[sequence + 1]);
  return Array.from(pieces).flatMap((piece) => {
    const parts: Piece[] = [];
    const end = pieceStarts[piece]! + pieceLengths[piece]!;
    let start = pieceStarts[piece]!;
    for (let document = lastAtMost(corpus.offsets, start); start < end; document++) {
      const to = Math.min(end, corpus.offsets[document + 1]!);
      parts.push({
        document,
        from: start - corpus.offsets[document]!,
        targets: Array.from(corpus.ids.subarray(start + 1, to + 1)),
        weights: Array.from({ length: to - start }, (_, i) => corpus.weights?.[start + 1 + i] ?? 1),
      });
      start = to;
    }
    return parts;
  });
}

/** Index of the last of ascending numbers that is at most `value`. */
function lastAtMost(numbers: Uint32Array, value: number): number {
  let low = 0;
  let high = numbers.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (numbers[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
