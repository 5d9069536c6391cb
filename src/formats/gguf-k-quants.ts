/**
 * The "K" blocks of GGUF: 256 values, with scales of their own for each 16 or 32, in 2 to 6 bits. Layouts as in
 * ggml-common.h and ggml-quants.c of github.com/ggml-org/ggml.
 */

import { f16Value } from "./float.ts";

const VALUES = 256;

function halfAt(source: Uint8Array, at: number): number {
  return f16Value(source[at]! | (source[at + 1]! << 8));
}

/** 84 bytes: 16 scales and minima of 4 bits, 64 bytes of 2-bit values, scale, minimum. */
export function decodeQ2K(source: Uint8Array, out: Float32Array): void {
  for (let block = 0, to = 0; to < out.length; block += 84, to += VALUES) {
    const scale = halfAt(source, block + 80);
    const minimum = halfAt(source, block + 82);
    for (let group = 0; group < 16; group += 1) {
      const packed = source[block + group]!;
      const factor = scale * (packed & 15);
      const shift = minimum * (packed >>> 4);
      const from = block + 16 + (group >>> 3) * 32 + (group & 1) * 16;
      const bits = ((group >>> 1) & 3) * 2;
      for (let i = 0; i < 16; i += 1) out[to + group * 16 + i] = factor * ((source[from + i]! >>> bits) & 3) - shift;
    }
  }
}

/** 110 bytes: 32 bytes of third bits, 64 of the lower two, 16 scales of 6 bits in 12 bytes, scale. */
export function decodeQ3K(source: Uint8Array, out: Float32Array): void {
  for (let block = 0, to = 0; to < out.length; block += 110, to += VALUES) {
    const scale = halfAt(source, block + 108);
    const scales = block + 96;
    for (let group = 0; group < 16; group += 1) {
      const low = (source[scales + (group & 7)]! >>> (group < 8 ? 0 : 4)) & 15;
      const high = (source[scales + 8 + (group & 3)]! >>> (2 * (group >>> 2))) & 3;
      const factor = scale * ((low | (high << 4)) - 32);
      const half = (group & 1) * 16;
      const from = block + 32 + (group >>> 3) * 32 + half;
      const bits = ((group >>> 1) & 3) * 2;
      const third = group >>> 1;
      for (let i = 0; i < 16; i += 1) {
        const top = ((source[block + half + i]! >>> third) & 1) === 1 ? 0 : 4;
        out[to + group * 16 + i] = factor * (((source[from + i]! >>> bits) & 3) - top);
      }
    }
  }
}

/** 144 bytes: scale, minimum, 8 scales and minima of 6 bits in 12 bytes, 128 bytes of 4-bit values. */
export function decodeQ4K(source: Uint8Array, out: Float32Array): void {
  decodeQ45K(source, out, false);
}

/** 176 bytes: as Q4_K with 32 bytes of fifth bits before the values. */
export function decodeQ5K(source: Uint8Array, out: Float32Array): void {
  decodeQ45K(source, out, true);
}

function decodeQ45K(source: Uint8Array, out: Float32Array, fifthBit: boolean): void {
  const bytes = fifthBit ? 176 : 144;
  for (let block = 0, to = 0; to < out.length; block += bytes, to += VALUES) {
    const scale = halfAt(source, block);
    const minimum = halfAt(source, block + 2);
    const fifths = block + 16;
    for (let group = 0; group < 8; group += 1) {
      const { factor, shift } = sixBits(source, block + 4, group);
      const d = scale * factor;
      const m = minimum * shift;
      const from = fifths + (fifthBit ? 32 : 0) + (group >>> 1) * 32;
      const bits = (group & 1) * 4;
      for (let i = 0; i < 32; i += 1) {
        const high = fifthBit ? ((source[fifths + i]! >>> group) & 1) << 4 : 0;
        out[to + group * 32 + i] = d * (((source[from + i]! >>> bits) & 15) | high) - m;
      }
    }
  }
}

/** The 6-bit scale and minimum of a group, packed into 12 bytes. */
function sixBits(source: Uint8Array, at: number, group: number): { factor: number; shift: number } {
  if (group < 4) return { factor: source[at + group]! & 63, shift: source[at + group + 4]! & 63 };
  const low = source[at + group + 4]!;
  return {
    factor: (low & 15) | ((source[at + group - 4]! >>> 6) << 4),
    shift: (low >>> 4) | ((source[at + group]! >>> 6) << 4),
  };
}

/** 210 bytes: 128 bytes of the lower 4 bits, 64 of the upper 2, 16 signed scales, scale. */
export function decodeQ6K(source: Uint8Array, out: Float32Array): void {
  for (let block = 0, to = 0; to < out.length; block += 210, to += VALUES) {
    const scale = halfAt(source, block + 208);
    for (let group = 0; group < 16; group += 1) {
      const factor = scale * ((source[block + 192 + group]! << 24) >> 24);
      const half = group >>> 3;
      const quarter = (group >>> 1) & 3;
      const side = (group & 1) * 16;
      const low = block + half * 64 + (quarter & 1) * 32 + side;
      const high = block + 128 + half * 32 + side;
      for (let i = 0; i < 16; i += 1) {
        const value =
          ((source[low + i]! >>> (quarter < 2 ? 0 : 4)) & 15) | (((source[high + i]! >>> (2 * quarter)) & 3) << 4);
        out[to + group * 16 + i] = factor * (value - 32);
      }
    }
  }
}
