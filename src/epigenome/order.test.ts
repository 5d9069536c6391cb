import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { measuresOf, packInOrder, passLength, shuffled, type Order } from "./order.ts";
import { CorpusBuilder, packCorpus, type PackedCorpus, type TokenCorpus } from "./pack.ts";
import { piecesOfSequence } from "./pieces.ts";
import { createStream } from "./stream.ts";

/** `count` documents of `length` tokens; document d is `100 + d` repeated. */
function corpusOf(count: number, length: number): TokenCorpus {
  const builder = new CorpusBuilder({ separator: 0, vocabularySize: 60_000 });
  for (let d = 0; d < count; d++) builder.add(new Uint16Array(length).fill(100 + d));
  return builder.build();
}

/** The documents of each slot of a pass. */
function passOf(packed: PackedCorpus, order: Uint32Array): number[][] {
  return Array.from(order, (sequence) => piecesOfSequence(packed, sequence).map(({ document }) => document));
}

const T = 8;

test("a shuffle is packed and ordered as if nothing was said of order", () => {
  const corpus = corpusOf(30, 3);
  const { packed, order } = packInOrder(corpus, { T, order: shuffled, seed: 3 });
  assert.deepEqual(packed, packCorpus(corpus, T));
  const [said, unsaid] = [{ order }, {}].map((of) => createStream(packed, { B: 2, microBatches: 1, seed: 3, ...of }));
  for (const step of [0, 7, 40]) assert.deepEqual(said!.batch(step, 0), unsaid!.batch(step, 0));
});

test("the first pass begins with the easiest documents, class by class and shuffled inside; the next are as ever", () => {
  const count = 1000;
  const corpus = corpusOf(count, 7);
  // Document d is the harder the smaller d is.
  const loss = Array.from({ length: count }, (_, d) => count - d);
  const of = (part: number, seed: number) =>
    packInOrder(corpus, { T, order: { ...shuffled, by: "loss", part }, seed, difficulty: { loss } });
  const { packed, order } = of(0.35, 5);
  const pass = passOf(packed, order.of(0)).flat();
  const deciles = pass.slice(0, 350).map((d) => Math.floor((count - 1 - d) / 100));
  assert.deepEqual(
    deciles,
    deciles.toSorted((a, b) => a - b),
  );
  assert.deepEqual([...new Set(deciles)], [0, 1, 2, 3]);
  // A class is shuffled, and the last one begun is a random half of it.
  assert.notDeepEqual(
    pass.slice(0, 100),
    pass.slice(0, 100).toSorted((a, b) => b - a),
  );
  assert.ok(Math.max(...pass.slice(300, 350)) - Math.min(...pass.slice(300, 350)) > 70);
  const rest = pass.slice(350);
  assert.ok(mean(rest.slice(0, 300)) / mean(rest.slice(-300)) > 0.8, "what follows is not ordered");
  assert.deepEqual(new Set(pass).size, count);
  assert.equal(pass.length, count);
  assert.deepEqual(new Set(passOf(packed, order.of(1)).flat()).size, count);
  assert.ok(Math.abs(mean(passOf(packed, order.of(1)).flat().slice(0, 300)) - 500) < 60);
  assert.deepEqual(of(0.35, 5).order.of(0), order.of(0));
  assert.notDeepEqual(of(0.35, 6).order.of(0), order.of(0));
  const whole = passOf(packed, of(1, 5).order.of(0)).flat();
  const classes = whole.map((d) => Math.floor((count - 1 - d) / 100));
  assert.deepEqual(
    classes,
    classes.toSorted((a, b) => a - b),
  );
});

test("documents of different classes share no sequence, and none is lost", () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 80 });
  fc.assert(
    fc.property(lengths, fc.double({ min: 0.05, max: 0.9, noNaN: true }), (of, part) => {
      const builder = new CorpusBuilder({ separator: 0, vocabularySize: 60_000 });
      for (const [d, length] of of.entries()) builder.add(new Uint16Array(length).fill(100 + d));
      const corpus = builder.build();
      const loss = of.map((length, d) => (d % 7 === 3 ? null : length % 5));
      const order: Order = { ...shuffled, by: "loss", part, repeatHard: { part, times: 1 } };
      const { packed } = packInOrder(corpus, { T: 16, order, seed: 1, difficulty: { loss } });
      const groupOf = new Map<number, number>();
      let tokens = 0;
      for (let s = 0; s < packed.sequences; s++) {
        for (const { document, targets } of piecesOfSequence(packed, s)) {
          assert.equal(groupOf.get(document) ?? packed.groups![s], packed.groups![s]);
          groupOf.set(document, packed.groups![s]!);
          tokens += targets.length;
        }
      }
      assert.equal(tokens, corpus.ids.length - 1);
    }),
  );
});

test("the hardest documents come again in each pass, at distances that double", () => {
  const count = 400;
  const corpus = corpusOf(count, 7);
  const loss = Array.from({ length: count }, (_, d) => d);
  const order: Order = { ...shuffled, repeatHard: { part: 0.1, times: 2 } };
  const { packed, order: passes } = packInOrder(corpus, { T, order, seed: 2, difficulty: { loss } });
  assert.equal(passes.slots, 400 + 2 * 40);
  assert.equal(passes.tokens, packed.tokens + 2 * 40 * 8);
  assert.ok(Math.abs(passes.tokens / packed.tokens / passLength(order) - 1) < 0.01);
  for (const epoch of [0, 3]) {
    const pass = passOf(packed, passes.of(epoch)).flat();
    for (let d = 0; d < count; d++) {
      const at = [...pass.keys()].filter((slot) => pass[slot] === d);
      assert.equal(at.length, d >= 360 ? 3 : 1, `document ${d}`);
      if (d < 360) continue;
      const [near, far] = [at[1]! - at[0]!, at[2]! - at[1]!];
      assert.ok(near > 0.2 * passes.slots && far > 1.4 * near && far < 2.4 * near, at.join(" "));
    }
  }
});

test("what begins the first pass comes there once, and again where it is hard", () => {
  const corpus = corpusOf(100, 7);
  const loss = Array.from({ length: 100 }, (_, d) => d);
  const order: Order = { ...shuffled, by: "loss", part: 1, repeatHard: { part: 0.2, times: 1 } };
  const { packed, order: passes } = packInOrder(corpus, { T, order, seed: 2, difficulty: { loss } });
  const pass = passOf(packed, passes.of(0)).flat();
  assert.equal(pass.length, 120);
  assert.deepEqual(
    pass.slice(0, 100).toSorted((a, b) => a - b),
    Array.from({ length: 100 }, (_, d) => d),
  );
  assert.deepEqual(
    pass.slice(100).toSorted((a, b) => a - b),
    Array.from({ length: 20 }, (_, d) => 80 + d),
  );
});

test("a stream with repetitions has its longer pass, and replay keeps its share", () => {
  const corpus = corpusOf(50, 7);
  const loss = Array.from({ length: 50 }, (_, d) => d);
  const order: Order = { ...shuffled, repeatHard: { part: 0.2, times: 3 } };
  const { packed, order: passes } = packInOrder(corpus, { T, order, seed: 2, difficulty: { loss } });
  const replay = { corpus: packCorpus(corpusOf(5, 7), T), share: 0.2 };
  const stream = createStream(packed, { B: 1, microBatches: 1, seed: 2, order: passes, replay });
  assert.deepEqual([stream.sequences, stream.tokensPerEpoch, stream.stepsPerEpoch], [80, 640, 100]);
  const first = Array.from({ length: 100 }, (_, slot) => stream.sequenceAt(slot));
  assert.equal(first.filter(({ from }) => from === "replay").length, 20);
  assert.deepEqual(stream.cursor(100), { corpus: { epoch: 1, index: 0 }, replay: { epoch: 4, index: 0 } });
});

test("what must be measured follows from the order", () => {
  assert.deepEqual(measuresOf(shuffled), []);
  assert.deepEqual(measuresOf({ ...shuffled, repeatHard: { part: 0.1, times: 1 } }), ["loss"]);
  assert.deepEqual(measuresOf({ ...shuffled, by: "compressibility", part: 1, repeatHard: { part: 0.1, times: 1 } }), [
    "compressibility",
    "loss",
  ]);
});

function mean(of: readonly number[]): number {
  return of.reduce((sum, value) => sum + value, 0) / of.length;
}
