/** What is kept of every gene until its duplicates are known: numbers in typed arrays, no objects. */
import { KeptSets } from "./kept-sets.ts";
import type { Rank } from "./rank.ts";
import { bandCount } from "./sketch.ts";
import type { Sketch } from "./sketch.ts";

export const hashBytes = 32;

/** The sketches of those genes that have one, in the order of the genome. */
export interface SketchColumn {
  readonly count: number;
  /** The gene of each row. */
  readonly items: Uint32Array;
  /** `bandCount` hashes per row. */
  readonly bands: Uint32Array;
}

/** Genes as columns; a gene is an index, in the order of the genome. */
export interface DuplicateItems {
  readonly count: number;
  /** SHA-256 of each text. */
  readonly hashes: Uint8Array;
  readonly near: SketchColumn;
  readonly template: SketchColumn;
  /** The template sets of some genes. */
  readonly templateSets: Pick<KeptSets, "get">;
  rank(item: number): Rank;
}

/** Collects genes; takes 180 bytes of each one, and half as much again while it grows; kept sets at most 2 MiB. */
export class DuplicateColumns implements DuplicateItems {
  readonly near = new SketchRows();
  readonly template = new SketchRows();
  readonly templateSets = new KeptSets();
  count = 0;
  hashes = new Uint8Array(0);
  #textBytes = new Float64Array(0);
  #textOffsets = new Float64Array(0);
  #dates = new Float64Array(0);
  #backups = new Uint8Array(0);

  /**
   * Adds the next gene.
   *
   * @param gene SHA-256 of its text in hexadecimal, where that begins in genome.txt, and its rank
   * @returns its index
   */
  add(
    gene: { readonly textSha256: string; readonly textOffset: number; readonly rank: Rank },
    sketch: Pick<Sketch, "bands" | "template" | "templateSet">,
  ): number {
    const item = this.count++;
    if (item === this.#dates.length) this.#grow();
    this.hashes.set(Buffer.from(gene.textSha256, "hex"), item * hashBytes);
    this.#textBytes[item] = gene.rank.textBytes;
    this.#textOffsets[item] = gene.textOffset;
    this.#dates[item] = gene.rank.date;
    this.#backups[item] = gene.rank.backup ? 1 : 0;
    if (sketch.bands !== null) this.near.add(item, sketch.bands);
    if (sketch.template !== null) this.template.add(item, sketch.template);
    if (sketch.templateSet !== null) this.templateSets.add(item, sketch.templateSet);
    return item;
  }

  rank(item: number): Rank {
    return { backup: this.#backups[item] === 1, date: this.#dates[item]!, textBytes: this.#textBytes[item]! };
  }

  /** Where the text of a gene stands in genome.txt. */
  place(item: number): { offset: number; bytes: number } {
    return { offset: this.#textOffsets[item]!, bytes: this.#textBytes[item]! };
  }

  #grow(): void {
    const room = grownRoom(this.#dates.length);
    this.hashes = enlarged(this.hashes, room * hashBytes);
    this.#textBytes = enlarged(this.#textBytes, room);
    this.#textOffsets = enlarged(this.#textOffsets, room);
    this.#dates = enlarged(this.#dates, room);
    this.#backups = enlarged(this.#backups, room);
  }
}

class SketchRows implements SketchColumn {
  count = 0;
  items = new Uint32Array(0);
  bands = new Uint32Array(0);

  add(item: number, bands: Uint32Array): void {
    const row = this.count++;
    if (row === this.items.length) {
      const room = grownRoom(row);
      this.items = enlarged(this.items, room);
      this.bands = enlarged(this.bands, room * bandCount);
    }
    this.items[row] = item;
    this.bands.set(bands, row * bandCount);
  }
}

function grownRoom(room: number): number {
  return Math.max(256, Math.ceil(1.5 * room));
}

/** A copy with room for `length` entries, the new ones zero. */
export function enlarged<T extends Uint8Array | Uint16Array | Uint32Array | Float64Array>(array: T, length: number): T {
  const larger = new (array.constructor as new (length: number) => T)(length);
  larger.set(array);
  return larger;
}
