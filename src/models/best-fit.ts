/** Best-fit decreasing: puts pieces of many lengths into as few sequences of one length as it can, cutting none. */
import { invariant } from "../errors.ts";

/** Pieces grouped into sequences: sequence `s` holds `pieces[offsets[s]..offsets[s+1]]`, in that order. */
export interface Packing {
  readonly pieces: Uint32Array;
  readonly offsets: Uint32Array;
}

/**
 * Packs pieces of 1..T positions by best-fit decreasing (arXiv 2404.10830): longest first, each into the sequence with
 * the least room that still holds it. Ties go to the lower piece index and the sequence filled last, so the result is a
 * function of the lengths alone. O(n log T) time, O(n + T) memory.
 */
export function bestFit(lengths: ArrayLike<number>, T: number): Packing {
  const n = lengths.length;
  const order = descending(lengths, T);
  const room = new RoomTree(T);
  const newestWithRoom = new Int32Array(T + 1).fill(-1); // head of a list of sequences per room left
  const olderWithRoom = new Int32Array(n).fill(-1);
  const sequenceOf = new Uint32Array(n);
  const count = new Uint32Array(n);
  let sequences = 0;
  for (let i = 0; i < n; i++) {
    const piece = order[i]!;
    const length = lengths[piece]!;
    let left = room.atLeast(length);
    let sequence: number;
    if (left < 0) {
      sequence = sequences++;
      left = T;
    } else {
      sequence = newestWithRoom[left]!;
      newestWithRoom[left] = olderWithRoom[sequence]!;
      if (newestWithRoom[left] === -1) room.remove(left);
    }
    sequenceOf[piece] = sequence;
    count[sequence]!++;
    const rest = left - length;
    if (rest > 0) {
      if (newestWithRoom[rest] === -1) room.add(rest);
      olderWithRoom[sequence] = newestWithRoom[rest]!;
      newestWithRoom[rest] = sequence;
    }
  }
  const offsets = new Uint32Array(sequences + 1);
  for (let s = 0; s < sequences; s++) offsets[s + 1] = offsets[s]! + count[s]!;
  const next = offsets.slice();
  const pieces = new Uint32Array(n);
  for (let i = 0; i < n; i++) pieces[next[sequenceOf[order[i]!]!]!++] = order[i]!;
  return { pieces, offsets };
}

/** Piece indices by falling length, by counting; equal lengths keep their order. */
function descending(lengths: ArrayLike<number>, T: number): Uint32Array {
  const start = new Uint32Array(T + 2);
  for (let i = 0; i < lengths.length; i++) {
    const length = lengths[i]!;
    invariant(
      Number.isInteger(length) && length >= 1 && length <= T,
      `a piece of ${length} positions in sequences of ${T}`,
    );
    start[T - length + 1]!++;
  }
  for (let i = 1; i < start.length; i++) start[i]! += start[i - 1]!;
  const order = new Uint32Array(lengths.length);
  for (let i = 0; i < lengths.length; i++) order[start[T - lengths[i]!]!++] = i;
  return order;
}

/** The set of rooms 1..T that some sequence has left; answers "the least one that is at least x" in O(log T). */
class RoomTree {
  readonly #leaves: number;
  readonly #used: Uint32Array; // members below each node of a complete binary tree

  constructor(T: number) {
    this.#leaves = 2 ** Math.ceil(Math.log2(T + 1));
    this.#used = new Uint32Array(2 * this.#leaves);
  }

  add(value: number): void {
    for (let node = this.#leaves + value; node >= 1; node >>= 1) this.#used[node]!++;
  }

  remove(value: number): void {
    for (let node = this.#leaves + value; node >= 1; node >>= 1) this.#used[node]!--;
  }

  atLeast(value: number): number {
    let node = this.#leaves + value;
    if (this.#used[node]! > 0) return value;
    while (node > 1 && !(node % 2 === 0 && this.#used[node + 1]! > 0)) node >>= 1;
    if (node <= 1) return -1;
    node++;
    while (node < this.#leaves) node = this.#used[2 * node]! > 0 ? 2 * node : 2 * node + 1;
    return node - this.#leaves;
  }
}
