/** Verified pairs of near duplicates as columns, and their order by falling similarity. */
import { enlarged } from "./columns.ts";

const levels = 1 << 16;

/** Pairs of rows with their Jaccard similarity; takes 10 bytes each, and grows by half. */
export class SimilarPairs {
  count = 0;
  first = new Uint32Array(256);
  second = new Uint32Array(256);
  #levels = new Uint16Array(256);

  add(first: number, second: number, similarity: number): void {
    if (this.count === this.first.length) {
      const room = Math.ceil(1.5 * this.count);
      this.first = enlarged(this.first, room);
      this.second = enlarged(this.second, room);
      this.#levels = enlarged(this.#levels, room);
    }
    this.first[this.count] = first;
    this.second[this.count] = second;
    this.#levels[this.count++] = Math.round((1 - similarity) * (levels - 1));
  }

  /** Indices of pairs from the most similar to the least (to 1/65536), in the order they came where equal. */
  descending(): Uint32Array {
    const start = new Uint32Array(levels + 1);
    for (let i = 0; i < this.count; i++) start[this.#levels[i]! + 1]!++;
    for (let level = 0; level < levels; level++) start[level + 1]! += start[level]!;
    const order = new Uint32Array(this.count);
    for (let i = 0; i < this.count; i++) order[start[this.#levels[i]!]!++] = i;
    return order;
  }
}
