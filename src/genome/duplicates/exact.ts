/** Genes of equal text, by the SHA-256 of their texts. */
import { hashBytes } from "./columns.ts";

/** For each gene the first of equal text, itself where there is none before; linear in their number. */
export function firstOfEqualText(hashes: Uint8Array, count: number): Int32Array {
  const view = new DataView(hashes.buffer, hashes.byteOffset, count * hashBytes);
  const equal = (a: number, b: number): boolean => {
    for (let at = 0; at < hashBytes; at += 4) {
      if (view.getUint32(a * hashBytes + at) !== view.getUint32(b * hashBytes + at)) return false;
    }
    return true;
  };
  const table = openTable(count);
  const mask = table.length - 1;
  return Int32Array.from({ length: count }, (_, item) => {
    let slot = view.getUint32(item * hashBytes) & mask;
    while (table[slot]! >= 0 && !equal(table[slot]!, item)) slot = (slot + 1) & mask;
    if (table[slot]! < 0) table[slot] = item;
    return table[slot]!;
  });
}

/** An empty hash table with open addressing, at most half full with `count` entries: -1 marks a free slot. */
export function openTable(count: number): Int32Array {
  return new Int32Array(2 ** Math.ceil(Math.log2(2 * count + 2))).fill(-1);
}
