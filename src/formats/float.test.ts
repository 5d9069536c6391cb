import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { bf16ToF32, f16ToF32, f16Value, f32ToBf16, f32ToF16 } from "./float.ts";

/** Made by test/fixtures/make-formats.py. */
const { rounding } = JSON.parse(readFileSync(new URL("../../test/fixtures/formats.json", import.meta.url), "utf8")) as {
  rounding: { step: number; count: number; kept: number; f16: string; bf16: string; allF16AsF32: string };
};

const sha256 = (array: NodeJS.ArrayBufferView): string => createHash("sha256").update(array).digest("hex");
const ALL = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

test("every f16 widens to the f32 that numpy gives, NaN payloads included", () => {
  assert.equal(sha256(f16ToF32(ALL)), rounding.allF16AsF32);
  assert.equal(f16Value(0x3c01), 1 + 2 ** -10);
  assert.equal(f16Value(0x8001), -(2 ** -24));
});

test("a million f32 of all exponents narrow to the f16 of numpy and the bf16 of ml_dtypes", () => {
  const words = Uint32Array.from({ length: rounding.count }, (_, i) => Math.imul(i, rounding.step));
  const floats = new Float32Array(words.buffer).filter((value) => !Number.isNaN(value));
  assert.equal(floats.length, rounding.kept);
  assert.equal(sha256(f32ToF16(floats)), rounding.f16);
  assert.equal(sha256(f32ToBf16(floats)), rounding.bf16);
});

for (const [name, widen, narrow, infinity] of [
  ["f16", f16ToF32, f32ToF16, 0x7c00],
  ["bf16", bf16ToF32, f32ToBf16, 0x7f80],
] as const) {
  test(`${name}: widening and narrowing again gives the same bits; NaN stays NaN`, () => {
    const widened = widen(ALL);
    const back = narrow(widened);
    for (let bits = 0; bits < 65536; bits += 1) {
      if ((bits & 0x7fff) > infinity) assert.ok((back[bits]! & 0x7fff) > infinity, `NaN ${bits}`);
      else assert.equal(back[bits], bits);
    }
  });

  test(`${name}: halfway between two neighbours goes to the even one, anything else to the nearer one`, () => {
    for (let bits = 0; bits + 1 < infinity; bits += 1) {
      const [low, high] = widen(Uint16Array.of(bits, bits + 1)) as unknown as [number, number];
      const middle = Float32Array.of((low + high) / 2);
      const word = new Uint32Array(middle.buffer)[0]!;
      const beside = new Float32Array(Uint32Array.of(word - 1, word, word + 1).buffer);
      const expected = [bits, bits % 2 === 0 ? bits : bits + 1, bits + 1];
      assert.deepEqual([...narrow(beside)], expected);
      assert.deepEqual(
        [...narrow(beside.map((value) => -value))],
        expected.map((positive) => positive | 0x8000),
      );
    }
  });

  test(`${name}: beyond the largest number comes infinity`, () => {
    const narrowed = narrow(Float32Array.of(Infinity, -Infinity, 3.4e38));
    assert.deepEqual([...narrowed], [infinity, infinity | 0x8000, infinity]);
  });
}

test("results go where they are told", () => {
  const out = new Float32Array(4);
  f16ToF32(Uint16Array.of(0x3c00, 0x4000), out.subarray(1, 3));
  assert.deepEqual([...out], [0, 1, 2, 0]);
});
