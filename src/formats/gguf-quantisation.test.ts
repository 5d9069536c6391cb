import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ENCODINGS, TYPE_NAMES } from "./gguf-quantisation.ts";

/** Made by test/fixtures/make-formats.py with the `gguf` Python package. */
const { blocks } = JSON.parse(readFileSync(new URL("../../test/fixtures/formats.json", import.meta.url), "utf8")) as {
  blocks: Record<string, { blocks: string; values: string }>;
};

/** Bytes at the start of a buffer of their own, as the decoders need them. */
function bytes(base64: string): Uint8Array {
  return Uint8Array.from(Buffer.from(base64, "base64"));
}

for (const encoding of ENCODINGS.values()) {
  if (encoding.name === "F32" || encoding.name === "F64") continue;
  test(`${encoding.name}: random blocks give the values of the gguf package, bit for bit`, () => {
    const fixture = blocks[encoding.name];
    assert.ok(fixture !== undefined, "the fixture has this type");
    const expected = new Float32Array(bytes(fixture.values).buffer);
    const out = new Float32Array(expected.length);
    const source = bytes(fixture.blocks);
    assert.equal((source.length / encoding.bytes) * encoding.values, expected.length);
    encoding.decode(source, out);
    assert.deepEqual(new Uint32Array(out.buffer), new Uint32Array(expected.buffer));
  });
}

test("F32 is copied, F64 rounded", () => {
  const out = new Float32Array(2);
  ENCODINGS.get(0)!.decode(new Uint8Array(Float32Array.of(1.5, -0).buffer), out);
  assert.deepEqual(out, Float32Array.of(1.5, -0));
  ENCODINGS.get(28)!.decode(new Uint8Array(Float64Array.of(0.1, 1e-300).buffer), out);
  assert.deepEqual(out, Float32Array.of(0.1, 0));
});

test("no type is both known and unknown", () => {
  assert.deepEqual(
    [...TYPE_NAMES.keys()].filter((type) => ENCODINGS.has(type)),
    [],
  );
});
