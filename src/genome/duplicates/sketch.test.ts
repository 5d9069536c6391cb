import assert from "node:assert/strict";
import test from "node:test";
import { bandCount, createSketcher, sketchLimit } from "./sketch.ts";
import { edited, randomWords, similarityOf } from "./testing.ts";

const sketch = createSketcher();
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
  assert.deepEqual(createSketcher()(words.join(" "), { template: false }).bands, bandsOf(words.join(" ")));
  // Sketches are kept between runs: other values need another version of the rule.
  assert.deepEqual(
    [...bandsOf("the quick brown fox jumps over the lazy dog")].slice(0, 3),
    [1493525431, 3545132002, 2118577094],
  );
});

test("texts under 5 words and over the limit have no sketch", () => {
  assert.deepEqual(sketch("one two three four", { template: true }), { words: 4, bands: null, template: null });
  assert.deepEqual(sketch("a b c d e ".repeat(sketchLimit / 10 + 1), { template: true }).bands, null);
});

test("the template sketch is there when asked for, and blind to numbers", () => {
  const a = sketch("[12:01:07] node 17 joined at (3, 4)", { template: true });
  const b = sketch("[09:59:59] node 2 joined at (55, 6)", { template: true });
  assert.deepEqual(a.template, b.template);
  assert.notDeepEqual(a.bands, b.bands);
  assert.equal(sketch("[12:01:07] node 17 joined at (3, 4)", { template: false }).template, null);
});
