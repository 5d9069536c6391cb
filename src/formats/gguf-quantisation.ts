/**
 * The tensor types of GGUF that can be read, and their values as f32. Blocks as in ggml-common.h of
 * github.com/ggml-org/ggml; checked value by value against the `gguf` Python package.
 */

import { bf16ToF32, f16ToF32, f16Value } from "./float.ts";
import { decodeQ2K, decodeQ3K, decodeQ4K, decodeQ5K, decodeQ6K } from "./gguf-k-quants.ts";

export interface Encoding {
  readonly name: string;
  /** Values of one block. */
  readonly values: number;
  /** Bytes of one block. */
  readonly bytes: number;
  /** Decodes whole blocks; `source` starts at a multiple of 8 of its buffer. */
  readonly decode: (source: Uint8Array, out: Float32Array) => void;
}

/** The f16 at a byte position. */
function halfAt(source: Uint8Array, at: number): number {
  return f16Value(source[at]! | (source[at + 1]! << 8));
}

/** 4 and 5 bits: the low halves of 16 bytes are the first 16 values, the high halves the others. */
function decodeNibbles(
  source: Uint8Array,
  out: Float32Array,
  layout: { readonly bytes: number; readonly minimum: boolean; readonly fifthBit: boolean },
): void {
  const { bytes, minimum, fifthBit } = layout;
  const offset = minimum ? 0 : fifthBit ? -16 : -8;
  for (let block = 0, to = 0; to < out.length; block += bytes, to += 32) {
    const scale = halfAt(source, block);
    // Adding -0 changes nothing, adding 0 would change -0.
    const shift = minimum ? halfAt(source, block + 2) : -0;
    let at = block + (minimum ? 4 : 2);
    let high = 0;
    if (fifthBit) {
      high = source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24);
      at += 4;
    }
    for (let i = 0; i < 16; i += 1) {
      const byte = source[at + i]!;
      const low = (byte & 15) | (((high >>> i) & 1) << 4);
      const top = (byte >>> 4) | (((high >>> (i + 16)) & 1) << 4);
      out[to + i] = scale * (low + offset) + shift;
      out[to + i + 16] = scale * (top + offset) + shift;
    }
  }
}

function decodeQ8(source: Uint8Array, out: Float32Array): void {
  for (let block = 0, to = 0; to < out.length; block += 34, to += 32) {
    const scale = halfAt(source, block);
    for (let i = 0; i < 32; i += 1) out[to + i] = scale * ((source[block + 2 + i]! << 24) >> 24);
  }
}

function words(source: Uint8Array): Uint16Array {
  return new Uint16Array(source.buffer, source.byteOffset, source.length / 2);
}

/** What can be read, by ggml's number. */
export const ENCODINGS: ReadonlyMap<number, Encoding> = new Map<number, Encoding>([
  [
    0,
    {
      name: "F32",
      values: 1,
      bytes: 4,
      decode: (source, out) => new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(source),
    },
  ],
  [1, { name: "F16", values: 1, bytes: 2, decode: (source, out) => f16ToF32(words(source), out) }],
  [2, nibbles("Q4_0", { bytes: 18, minimum: false, fifthBit: false })],
  [3, nibbles("Q4_1", { bytes: 20, minimum: true, fifthBit: false })],
  [6, nibbles("Q5_0", { bytes: 22, minimum: false, fifthBit: true })],
  [7, nibbles("Q5_1", { bytes: 24, minimum: true, fifthBit: true })],
  [8, { name: "Q8_0", values: 32, bytes: 34, decode: decodeQ8 }],
  [10, { name: "Q2_K", values: 256, bytes: 84, decode: decodeQ2K }],
  [11, { name: "Q3_K", values: 256, bytes: 110, decode: decodeQ3K }],
  [12, { name: "Q4_K", values: 256, bytes: 144, decode: decodeQ4K }],
  [13, { name: "Q5_K", values: 256, bytes: 176, decode: decodeQ5K }],
  [14, { name: "Q6_K", values: 256, bytes: 210, decode: decodeQ6K }],
  [
    28,
    {
      name: "F64",
      values: 1,
      bytes: 8,
      decode: (source, out) => out.set(new Float64Array(source.buffer, source.byteOffset, out.length)),
    },
  ],
  [30, { name: "BF16", values: 1, bytes: 2, decode: (source, out) => bf16ToF32(words(source), out) }],
]);

function nibbles(name: string, layout: { bytes: number; minimum: boolean; fifthBit: boolean }): Encoding {
  return { name, values: 32, bytes: layout.bytes, decode: (source, out) => decodeNibbles(source, out, layout) };
}

/** Names of the types that cannot be read, by ggml's number. */
export const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [9, "Q8_1"],
  [15, "Q8_K"],
  [16, "IQ2_XXS"],
  [17, "IQ2_XS"],
  [18, "IQ3_XXS"],
  [19, "IQ1_S"],
  [20, "IQ4_NL"],
  [21, "IQ3_S"],
  [22, "IQ2_S"],
  [23, "IQ4_XS"],
  [24, "I8"],
  [25, "I16"],
  [26, "I32"],
  [27, "I64"],
  [29, "IQ1_M"],
  [34, "TQ1_0"],
  [35, "TQ2_0"],
  [39, "MXFP4"],
]);
