import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CorpusBuilder, packCorpus } from "../pack.ts";
import { createMarkedStream } from "./marked-stream.ts";
import type { MarkedStream } from "./marked-stream.ts";

const T = 8;

/** Of each group as many documents as `sizes` says, each a sequence; the token of document d is 1 + d. */
function corpusOf(sizes: readonly number[]) {
  const builder = new CorpusBuilder({ separator: 0, vocabularySize: 60_000 });
  const groupOf = sizes.flatMap((size, group) => Array.from({ length: size }, () => group));
  for (const d of groupOf.keys()) builder.add(new Uint16Array(T - 1).fill(1 + d));
  return { packed: packCorpus(builder.build(), T, { groupOf: (d) => groupOf[d]! }), groupOf };
}

const options = { B: 2, microBatches: 2, seed: 5 };
const streamOf = (sizes: readonly number[], more: object = {}): MarkedStream =>
  createMarkedStream(corpusOf(sizes).packed, { ...options, count: sizes.length, ...more });
const batches = (stream: MarkedStream, steps: number) =>
  Array.from({ length: steps }, (_, step) => [0, 1].map((micro) => stream.batch(step, micro)));
const documents = (stream: MarkedStream, from: number, to: number): number[] =>
  Array.from({ length: 4 * (to - from) }, (_, i) => {
    const slot = 4 * from + i;
    const micro = Math.floor((slot % 4) / 2);
    return stream.batch(Math.floor(slot / 4), micro).targets[(slot % 2) * T]! - 1;
  });

test("with all marks 1 every pass reads all of every group once, evenly spread", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }), (sizes) => {
      const total = sizes.reduce((a, b) => a + b, 0);
      const stream = streamOf(sizes);
      const read = documents(stream, 0, 3 * total); // twelve passes
      for (let pass = 0; pass < 12; pass++) {
        const own = read.slice(pass * total, (pass + 1) * total);
        assert.deepEqual(
          own.toSorted((a, b) => a - b),
          Array.from({ length: total }, (_, d) => d),
        );
      }
    }),
  );
});

test("each group gets its part of sequences times marks, at every moment within one slot for each", () => {
  const sizes = [40, 10, 20, 0];
  const stream = streamOf(sizes);
  stream.mark(0, [0.25, 1, 0, 1]);
  const { groupOf } = corpusOf(sizes);
  const counts = [0, 0, 0, 0];
  documents(stream, 0, 100).forEach((d, slot) => {
    counts[groupOf[d]!]! += 1;
    assert.ok(Math.abs(counts[0]! - (slot + 1) / 2) <= 1 && Math.abs(counts[1]! - (slot + 1) / 2) <= 1);
  });
  assert.deepEqual(counts, [200, 200, 0, 0]);
  assert.deepEqual(stream.taken(100), counts);
  assert.deepEqual(stream.groups[1], { sequences: 10, tokensPerSequence: T });
  assert.deepEqual(stream.groups[3], { sequences: 0, tokensPerSequence: 0 });
});

test("marks given live and marks known from the start give the same batches, with replay, in any order of asking", () => {
  const replay = { corpus: corpusOf([7]).packed, share: 0.3 };
  const changes: [number, number[]][] = [
    [0, [1, 1, 1]],
    [9, [0.5, 1, 0.1]],
    [17, [0.25, 0, 1]],
  ];
  const live = streamOf([30, 5, 12], { replay });
  const seen: ReturnType<typeof batches> = [];
  for (let step = 0; step < 40; step++) {
    const change = changes.find(([at]) => at === step);
    if (change) live.mark(...change);
    seen.push([0, 1].map((micro) => live.batch(step, micro)));
  }
  const replayed = streamOf([30, 5, 12], { replay });
  for (const change of changes) replayed.mark(...change);
  assert.deepEqual(replayed.batch(33, 1), seen[33]![1]);
  assert.deepEqual(batches(replayed, 40), seen);
  const other = streamOf([30, 5, 12], { replay });
  assert.deepEqual(batches(other, 9), seen.slice(0, 9));
  assert.notDeepEqual(batches(other, 40).slice(9), seen.slice(9));
});

test("what is said of a step later counts, and what came before it stays", () => {
  const stream = streamOf([6, 6]);
  const before = batches(stream, 30).slice(0, 10);
  stream.mark(20, [0, 1]);
  stream.mark(10, [1, 0]);
  assert.deepEqual(batches(stream, 30).slice(0, 10), before);
  assert.ok(documents(stream, 10, 30).every((d) => d < 6));
  assert.throws(() => stream.mark(12, [0, 0]), /some group/);
});
