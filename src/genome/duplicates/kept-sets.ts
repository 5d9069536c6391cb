/** Shingle sets that were made with the sketches and are small enough to keep until texts are compared. */

/** Bytes of all together, and what each takes besides its numbers. */
const limit = 2 << 20;
const overhead = 256;

export class KeptSets {
  readonly #sets = new Map<number, Float64Array>();
  #bytes = 0;

  /** Keeps the set of a gene, unless there is no room. */
  add(item: number, set: Float64Array): void {
    const bytes = set.byteLength + overhead;
    if (this.#bytes + bytes > limit) return;
    this.#bytes += bytes;
    this.#sets.set(item, set);
  }

  get(item: number): Float64Array | undefined {
    return this.#sets.get(item);
  }
}
