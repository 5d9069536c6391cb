import assert from "node:assert/strict";
import { test } from "node:test";
import { type Batch, blankBatch } from "../models/batch.ts";
import type { Step } from "../models/step.ts";
import type { Optimiser } from "./optimisers/optimiser.ts";
import { probe } from "./probe.ts";

const B = 1;
const T = 8;

/** A model whose every token costs `nats`, less one for every update; a second passes with each micro-batch. */
function fake(nats: number) {
  let updates = 0;
  let time = 0;
  const trained: number[] = [];
  const step: Step = {
    B,
    T,
    parameters: [],
    accumulate: async ({ ids }) => {
      time += updates === 0 ? 10 : 1;
      trained.push(ids[0]!);
      return { loss: nats - updates, weight: T };
    },
    evaluate: async ({ weights }) => weights.map((weight) => weight * (nats - updates)),
    release: async () => {},
  };
  const optimiser = { step: async () => void updates++ } as unknown as Optimiser;
  const stream = {
    batch: (k: number): Batch => {
      const batch = blankBatch(B, T, 0);
      batch.documents.fill(0);
      batch.ids.fill(k);
      return batch;
    },
  };
  return { step, optimiser, stream, trained, clock: () => time };
}

const documents = [
  { id: "a/x", text: "four", group: "a" },
  { id: "b/y", text: "more", group: "b" },
];

function run(of: ReturnType<typeof fake>, from: number, signal = new AbortController().signal) {
  return probe({
    ...of,
    tokenizer: { separator: 0, encodeContent: (text) => [...text].map(() => 1) },
    documents,
    steps: 3,
    doubt: { from, steps: 5 },
    learningRate: 1e-3,
    clip: 1,
    onProgress: () => {},
    signal,
  });
}

test("the parent is scored by group before anything is trained, and the first step is not timed", async () => {
  const model = fake(Math.LN2);
  const found = await run(model, 2);
  assert.deepEqual(
    found.perGroup.map(({ group, bitsPerByte }) => [group, Math.round(1e6 * bitsPerByte) / 1e6]),
    [
      ["a", 1],
      ["b", 1],
    ],
  );
  assert.deepEqual([found.steps, found.bitsPerByteAfter, found.tokensPerSecond], [3, null, T]);
  assert.deepEqual(model.trained, [0, 1, 2]);
});

test("where the first score raises doubt, more is trained and scored again", async () => {
  const found = await run(fake(9 * Math.LN2), 8);
  assert.equal(found.steps, 5);
  assert.ok(Math.abs(found.bitsPerByte - 9) < 1e-6);
  assert.ok(Math.abs(found.bitsPerByteAfter! - (9 - 5 / Math.LN2)) < 1e-6);
});

test("an abort ends it between two steps", async () => {
  await assert.rejects(run(fake(1), 2, AbortSignal.abort(new Error("stopped"))), /stopped/);
});
