/**
 * Whole arrays of 16-bit floats to and from f32: IEEE half precision (f16) and bfloat16 (bf16), as bit patterns in
 * `Uint16Array`. Narrowing rounds to nearest, ties to even; NaN stays NaN, subnormals are kept.
 */

let halfTable: Float32Array | undefined;

/** Bits of one f16 as the bits of the f32 of the same value; NaN payloads are kept. */
function widenHalf(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}

/** The values of all 65,536 f16 patterns, made once: a lookup is several times faster than computing each. */
function halfValues(): Float32Array {
  if (halfTable === undefined) {
    halfTable = new Float32Array(65536);
    const words = new Uint32Array(halfTable.buffer);
    for (let bits = 0; bits < words.length; bits += 1) words[bits] = widenHalf(bits);
  }
  return halfTable;
}

/** The value of one f16 bit pattern. */
export function f16Value(bits: number): number {
  return halfValues()[bits]!;
}

/**
 * Widens f16 bit patterns to f32, exactly.
 *
 * @param out where to write, of the same length; a new array where left out
 */
export function f16ToF32(bits: Uint16Array, out: Float32Array = new Float32Array(bits.length)): Float32Array {
  // As words: a NaN copied as a number may lose its payload.
  const table = new Uint32Array(halfValues().buffer);
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bits.length; i += 1) words[i] = table[bits[i]!]!;
  return out;
}

/**
 * Widens bf16 bit patterns to f32, exactly.
 *
 * @param out where to write, of the same length; a new array where left out
 */
export function bf16ToF32(bits: Uint16Array, out: Float32Array = new Float32Array(bits.length)): Float32Array {
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bits.length; i += 1) words[i] = bits[i]! << 16;
  return out;
}

/**
 * Narrows f32 to f16 bit patterns: nearest, ties to even; from 65520 on infinity, up to 2^-25 zero.
 *
 * @param out where to write, of the same length; a new array where left out
 */
export function f32ToF16(values: Float32Array, out: Uint16Array = new Uint16Array(values.length)): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < words.length; i += 1) out[i] = narrowToHalf(words[i]!);
  return out;
}

function narrowToHalf(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x1ff);
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rebased = magnitude - 0x38000000;
    return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
  }
  if (magnitude <= 0x33000000) return sign;
  // Subnormal: the significand counted in units of 2^-24.
  const shift = 126 - (magnitude >>> 23);
  const significand = (magnitude & 0x7fffff) | 0x800000;
  const quotient = significand >>> shift;
  const remainder = significand & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (remainder > half || (remainder === half && (quotient & 1) === 1) ? quotient + 1 : quotient);
}

/**
 * Narrows f32 to bf16 bit patterns: nearest, ties to even; NaN becomes quiet and keeps its sign.
 *
 * @param out where to write, of the same length; a new array where left out
 */
export function f32ToBf16(values: Float32Array, out: Uint16Array = new Uint16Array(values.length)): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i]!;
    out[i] = (word & 0x7fffffff) > 0x7f800000 ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return out;
}
