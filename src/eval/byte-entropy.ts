/** Whether bytes have any structure at all: the entropy of their frequencies, and what a general compressor makes of them. */
import { deflateRawSync } from "node:zlib";

/** Bits per byte of a code that knows how often each byte comes, and nothing else (Shannon 1948). */
export function byteEntropy(bytes: Uint8Array): number {
  const counts = new Float64Array(256);
  for (const byte of bytes) counts[byte]!++;
  return counts.reduce(
    (sum, count) => (count === 0 ? sum : sum - (count / bytes.length) * Math.log2(count / bytes.length)),
    0,
  );
}

/** Bits per byte of DEFLATE at its best: it knows what repeats within 32 KB, too. */
export function deflatedBits(bytes: Uint8Array): number {
  return bytes.length === 0 ? 0 : (8 * deflateRawSync(bytes, { level: 9 }).length) / bytes.length;
}
