import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { hash32 } from "../formats/random.ts";
import { byteEntropy, deflatedBits } from "./byte-entropy.ts";

const noise = Buffer.from(Array.from({ length: 12_000 }, (_, i) => hash32(1, "noise", 0, i) & 255));

test("entropy of byte frequencies: none of one byte, one bit of two, what the alphabet has of noise", () => {
  assert.equal(byteEntropy(Buffer.from("aaaa")), 0);
  assert.equal(byteEntropy(Buffer.from("abab")), 1);
  assert.ok(Math.abs(byteEntropy(Buffer.from(noise.toString("base64"))) - 6) < 0.02);
  assert.ok(Math.abs(byteEntropy(Buffer.from(noise.toString("hex"))) - 4) < 0.01);
  assert.equal(byteEntropy(new Uint8Array()), 0);
});

test("a compressor gains on text, and nothing on noise whatever its alphabet", () => {
  const text = readFileSync(new URL("./bits-per-byte.ts", import.meta.url));
  assert.ok(deflatedBits(text) < 0.65 * byteEntropy(text));
  for (const encoding of ["base64", "hex", "latin1"] as const) {
    const bytes = Buffer.from(noise.toString(encoding), "utf8");
    assert.ok(deflatedBits(bytes) > 0.95 * byteEntropy(bytes), encoding);
  }
});
