import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Batch } from "../models/batch.ts";
import { CorpusBuilder, packCorpus, type PackedCorpus } from "./pack.ts";
import { createStream } from "./stream.ts";

/** `count` documents of `length` tokens; document d is `base + d` repeated. */
function packed(count: number, length: number, base: number, T = 8): PackedCorpus {
  const builder = new CorpusBuilder({ separator: 0, vocabularySize: 60_000 });
  for (let d = 0; d < count; d++) builder.add(new Uint16Array(length).fill(base + d));
  return packCorpus(builder.build(), T);
}

const trained = (batch: Batch): number[] => [...batch.targets].filter((id, i) => batch.weights[i]! > 0 && id !== 0);

test("each pass trains every document once, in an order of its own", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 0, max: 2 ** 40 }),
      (B, microBatches, documents, seed) => {
        const stream = createStream(packed(documents, 7, 100), { B, microBatches, seed });
        const slots: number[] = []; // the document of each slot
        for (let step = 0; slots.length < 3 * documents; step++) {
          for (let micro = 0; micro < microBatches; micro++) {
            const batch = stream.batch(step, micro);
            for (let b = 0; b < B; b++) slots.push(batch.targets[b * 8]!);
          }
        }
        for (let epoch = 0; epoch < 3; epoch++) {
          const pass = slots.slice(epoch * documents, (epoch + 1) * documents);
          assert.deepEqual(
            pass.sort((a, b) => a - b),
            Array.from({ length: documents }, (_, d) => 100 + d),
          );
        }
      },
    ),
  );
});

test("orders differ between passes and between seeds", () => {
  const corpus = packed(100, 7, 100);
  const order = (seed: number, epoch: number): number[] => {
    const stream = createStream(corpus, { B: 1, microBatches: 1, seed });
    return Array.from({ length: 100 }, (_, i) => stream.batch(epoch * 100 + i, 0).targets[0]!);
  };
  assert.notDeepEqual(order(1, 0), order(1, 1));
  assert.notDeepEqual(order(1, 0), order(2, 0));
});

test("a batch depends on the step alone, not on what was asked before, and not on the micro-batching", () => {
  const corpus = packed(37, 7, 100);
  const replay = { corpus: packed(11, 7, 1000), share: 0.25 };
  const whole = createStream(corpus, { B: 4, microBatches: 1, seed: 5, replay });
  const split = createStream(corpus, { B: 1, microBatches: 4, seed: 5, replay });
  for (const step of [40, 3, 17, 0]) {
    const fresh = createStream(corpus, { B: 4, microBatches: 1, seed: 5, replay });
    const batch = whole.batch(step, 0);
    assert.deepEqual(batch, fresh.batch(step, 0));
    assert.deepEqual(
      [...batch.ids],
      [0, 1, 2, 3].flatMap((micro) => [...split.batch(step, micro).ids]),
    );
  }
});

test("replay has its share of the tokens, evenly spread, and passes at its own pace", () => {
  const corpus = packed(500, 7, 100); // 8 predictions a sequence
  const replay = { corpus: packed(20, 4, 50_000), share: 0.2 }; // 5 predictions a sequence: one document in each
  assert.equal(replay.corpus.sequences, 20);
  const stream = createStream(corpus, { B: 2, microBatches: 2, seed: 9, replay });
  let replayed = 0;
  let all = 0;
  const gaps: number[] = [];
  let since = 0;
  for (let step = 0; step < 1000; step++) {
    for (let micro = 0; micro < 2; micro++) {
      const batch = stream.batch(step, micro);
      for (let b = 0; b < 2; b++) {
        const weight = batch.weights.subarray(b * 8, b * 8 + 8).reduce((x, y) => x + y, 0);
        all += weight;
        since++;
        if (batch.targets[b * 8]! < 50_000) continue;
        replayed += weight;
        gaps.push(since);
        since = 0;
      }
    }
  }
  assert.ok(Math.abs(replayed / all - 0.2) < 0.002, `${replayed / all}`);
  assert.ok(Math.abs(all / 1000 / stream.tokensPerStep - 1) < 0.002);
  assert.ok(Math.max(...gaps.slice(1)) - Math.min(...gaps.slice(1)) <= 1);
  const { corpus: main, replay: other } = stream.cursor(1000);
  assert.equal(main.epoch * 500 + main.index + other!.epoch * 20 + other!.index, 4000);
  assert.equal(other!.epoch * 20 + other!.index, gaps.length);
  assert.ok(Math.abs(stream.stepsPerEpoch - (500 * 1000) / (4000 - gaps.length)) < 0.5);
});

test("without replay only the corpus is trained", () => {
  const stream = createStream(packed(3, 7, 100), { B: 1, microBatches: 1, seed: 0 });
  assert.equal(stream.cursor(4).replay, undefined);
  assert.equal(stream.tokensPerEpoch, 24);
  assert.deepEqual(new Set(trained(stream.batch(1, 0))).size, 1);
});

test("a corpus's reference losses go with its targets, replay has none", () => {
  const plain = packed(6, 5, 100);
  const reference = Float32Array.from(plain.corpus.ids, (id) => id / 2);
  const corpus = packCorpus({ ...plain.corpus, reference }, 8);
  const replay = { corpus: packed(3, 5, 1000), share: 0.5 };
  const stream = createStream(corpus, { B: 2, microBatches: 1, seed: 1, replay });
  assert.equal(createStream(plain, { B: 2, microBatches: 1, seed: 1 }).batch(0, 0).reference, undefined);
  const { reference: losses, targets, weights } = stream.batch(0, 0);
  let known = 0;
  targets.forEach((id, i) => {
    const replayed = targets.subarray(8 * Math.floor(i / 8)).at(0)! >= 1000;
    if (replayed || weights[i] === 0) return assert.ok(Number.isNaN(losses![i]));
    known++;
    return assert.equal(losses![i], id / 2);
  });
  assert.equal(known, 6);
});

test("a corpus without tokens is the user's error", () => {
  assert.throws(() => createStream(packed(0, 0, 1), { B: 1, microBatches: 1, seed: 0 }), { code: "empty" });
});
