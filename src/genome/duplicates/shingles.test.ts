import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { jaccard, scanShingles } from "./shingles.ts";
import { setOf, similarityOf } from "./testing.ts";

const words = fc.array(fc.constantFrom("a", "b", "über", "𓂀", "x-1", "longer"), { maxLength: 40 });
const gap = fc.constantFrom(" ", "\n", "\t ", "\u00a0", "\u2003", "\u3000", "\ufeff", " \u2028");
const text = fc
  .tuple(gap, fc.array(fc.tuple(fc.constantFrom("a", "b", "c", "über", "𓂀", "x-1"), gap), { maxLength: 40 }))
  .map(([first, rest]) => first + rest.flat().join(""));

test("the similarity of two texts is that of their sets of 5 words, whatever white space separates them", () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      assert.equal(jaccard(setOf(a), setOf(b)), similarityOf(a, b));
    }),
  );
});

test("the order of words counts, repeated shingles do not", () => {
  fc.assert(
    fc.property(words, (list) => {
      const once = list.join(" ");
      const kinds = new Set(list.slice(4).map((_, i) => list.slice(i, i + 5).join(" ")));
      assert.equal(setOf(once).length, kinds.size);
    }),
  );
  assert.equal(jaccard(setOf("a b c d e"), setOf("b a c d e")), 0);
  assert.equal(jaccard(setOf("a b c d e"), setOf("a b c d e")), 1);
});

test("words are counted, also where there are too few for a shingle", () => {
  const count = (of: string): [number, number] => {
    let shingles = 0;
    return [scanShingles(Buffer.from(of), { masked: false }, (_, __, count) => (shingles += count)), shingles];
  };
  assert.deepEqual(["", " \n", "one", "a b c d", "a b c d e", " a b c d e f "].map(count), [
    [0, 0],
    [0, 0],
    [1, 0],
    [4, 0],
    [5, 1],
    [6, 2],
  ]);
});

test("all white space of JavaScript separates words, and nothing else does", () => {
  for (let point = 0; point <= 0xffff; point++) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    const character = String.fromCharCode(point);
    const words = scanShingles(Buffer.from(`a${character}b`), { masked: true }, () => {});
    if (words !== (/\s/.test(character) ? 2 : 1)) assert.fail(`U+${point.toString(16)}: ${words} words`);
  }
});

test("masking makes lines equal that differ in numbers and hexadecimal words only", () => {
  const equal = (a: string, b: string): boolean => jaccard(setOf(a, true), setOf(b, true)) === 1;
  assert.ok(equal("[20:27:23] node 7 spawned at (706, 483)", "[09:01:59] node 12345 spawned at (1, 22)"));
  assert.ok(equal("id 0xdeadbeef sum 9f86d081884c7d65 of 12 x", "id 0x1 sum a1 of 7777 x"));
  assert.ok(
    equal("uuid 550e8400-e29b-41d4-a716-446655440000 is in use", "uuid 7c9e6679-7425-40de-944b-e07fc1f90ae7 is in use"),
  );
  assert.ok(
    equal("2025-10-03T14-29-55 p50ms=3 v1.2.3 run7 end_2 now", "2024-01-13T04-00-01 p99ms=42 v10.0.1 run12 end_33 now"),
  );
  assert.ok(!equal("a decade of feed and cabbage", "a facade of feed and cabbage"), "words of the letters a to f stay");
  assert.ok(!equal("state is on now 1 2", "state is off now 1 2"));
  assert.ok(
    equal("at 0x 0xf 0x_ x0 abcdef0 of", "at 3x 0x77 7x_ x9 1 of"),
    "0x is a prefix where hexadecimal digits follow",
  );
});

test("a run of a million digits and letters is masked in linear time", () => {
  const start = performance.now();
  setOf(`a b c d ${"1".repeat(1 << 20)}g ${"f".repeat(1 << 20)}_ ${"0x".repeat(1 << 19)}`, true);
  assert.ok(performance.now() - start < 2000);
});
