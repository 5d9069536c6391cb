/** The shingle sets of texts, read when they are asked for; those used last stay in memory, up to a limit. */
import { shingleSet } from "./shingle-set.ts";
import type { ShingleOptions } from "./shingles.ts";

export interface ShingleCacheOptions extends ShingleOptions {
  /** Bytes of sets that are kept; the one asked for last always is. */
  readonly limit: number;
  /** The set of a row that is known already. */
  readonly known: (row: number) => Float64Array | undefined;
  /** Reads the text of a row, in UTF-8; it is not used after the next call. */
  readonly text: (row: number) => Promise<Uint8Array>;
}

/** Owns the memory of the sets. */
export class ShingleCache {
  readonly #options: ShingleCacheOptions;
  /** From the one used longest ago to the last. */
  readonly #sets = new Map<number, Float64Array>();
  #bytes = 0;
  readonly #sizes: Uint32Array;

  constructor(rows: number, options: ShingleCacheOptions) {
    this.#options = options;
    this.#sizes = new Uint32Array(rows);
  }

  /** The set of a row: ascending hashes. */
  async get(row: number): Promise<Float64Array> {
    let set = this.#sets.get(row);
    if (set === undefined) {
      const { known, text } = this.#options;
      set = known(row) ?? shingleSet(await text(row), this.#options);
      this.#sizes[row] = set.length;
      this.#bytes += set.byteLength;
      for (const [oldest, { byteLength }] of this.#sets) {
        if (this.#bytes <= this.#options.limit) break;
        this.#sets.delete(oldest);
        this.#bytes -= byteLength;
      }
    } else {
      this.#sets.delete(row);
    }
    this.#sets.set(row, set);
    return set;
  }

  /** Members of a row's set; 0 where it was not read yet. */
  size(row: number): number {
    return this.#sizes[row]!;
  }
}
