import assert from "node:assert/strict";
import test from "node:test";
import { bandCount, createSketcher, sketchLimit } from "./sketch.ts";
import type { Sketch, SketchOptions } from "./sketch.ts";
import { edited, randomWords, setOf, similarityOf } from "./testing.ts";

const sketchBytes = createSketcher();
const sketch = (text: string, options: SketchOptions): Sketch => sketchBytes(Buffer.from(text), options);
const bandsOf = (text: string): Uint32Array => sketch(text, { template: false }).bands!;

test("texts share bands as often as their similarity says", () => {
  // 1 - (1 - J^5)^14: nearly always at 0.8, seldom at 0.2.
  const sharing = (edits: number): { shared: number; similarity: number } => {
    let shared = 0;
    let similarity = 0;
    for (let seed = 0; seed < 200; seed++) {
      const words = randomWords(seed, 120);
      const [a, b] = [words.join(" "), edited(words, seed, edits).join(" ")];
      const bands = bandsOf(b);
      if (bandsOf(a).some((hash, band) => hash === bands[band])) shared++;
      similarity += similarityOf(a, b) / 200;
    }
    return { shared: shared / 200, similarity };
  };
  for (const edits of [2, 6, 12, 24]) {
    const { shared, similarity } = sharing(edits);
    const expected = 1 - (1 - similarity ** 5) ** bandCount;
    assert.ok(Math.abs(shared - expected) < 0.12, `${shared} at similarity ${similarity}, expected ${expected}`);
  }
});

test("a sketch is a function of the set of shingles and the fixed seed", () => {
  const words = randomWords(1, 50);
  assert.deepEqual(bandsOf(words.join(" ")), bandsOf(`\n${words.join("\t ")}\n`));
  assert.deepEqual(bandsOf([...words, ...words, ...words].join(" ")), bandsOf([...words, ...words].join(" ")));
  assert.deepEqual(createSketcher()(Buffer.from(words.join(" ")), { template: false }).bands, bandsOf(words.join(" ")));
  // Sketches are kept between runs: other values need another version of the rule.
  assert.deepEqual(
    [...bandsOf("the quick brown fox jumps over the lazy dog")].slice(0, 3),
    [2977194075, 4097549537, 1420000050],
  );
});

test("texts under 5 words and over the limit have no sketch", () => {
  assert.deepEqual(sketch("one two three four", { template: true }), {
    words: 4,
    bands: null,
    template: null,
    templateSet: null,
  });
  assert.deepEqual(sketch("a b c d e ".repeat(sketchLimit / 10 + 1), { template: true }).bands, null);
});

test("the template sketch is there when asked for, and blind to numbers", () => {
  const a = sketch("[12:01:07] node 17 joined at (3, 4)", { template: true });
  const b = sketch("[09:59:59] node 2 joined at (55, 6)", { template: true });
  assert.deepEqual(a.template, b.template);
  assert.notDeepEqual(a.bands, b.bands);
  assert.equal(sketch("[12:01:07] node 17 joined at (3, 4)", { template: false }).template, null);
});

test("the template set is that of the text with numbers masked, where it is small", () => {
  const line = (i: number): string =>
    `[20:27:${i}] node ${i} ${i % 3 === 0 ? "spawned" : "joined"} at (${i}, 0x${i})\n`;
  const log = Array.from({ length: 5000 }, (_, i) => line(i)).join("");
  assert.deepEqual(sketch(log, { template: true }).templateSet, setOf(log, true));
  assert.equal(sketch(log, { template: false }).templateSet, null);
  assert.equal(sketch("one two three four", { template: true }).templateSet, null);
  const many = randomWords(3, 600).join("x ");
  assert.equal(sketch(many, { template: true }).templateSet, null);
});

test("the order and the number of shingles do not matter, however many there are", () => {
  for (const count of [5, 6, 70, 600, 2040, 2060, 6000]) {
    const words = randomWords(count, count);
    const turned = [...words.slice(count >> 1), ...words.slice(0, count >> 1)];
    // Twice round: both have the shingles of the ring.
    assert.deepEqual(bandsOf([...turned, ...turned, ...turned].join(" ")), bandsOf([...words, ...words].join(" ")));
  }
});
