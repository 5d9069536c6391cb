import assert from "node:assert/strict";
import { test } from "node:test";
import { blankBatch } from "../models/batch.ts";
import { createStagedStream } from "./staged-stream.ts";

/** A stream whose batches say which stage and step they are of. */
const stream = (stage: number) => ({
  batch: (step: number, micro: number) => {
    const batch = blankBatch(1, 3, 0);
    batch.ids.set([stage, step, micro]);
    return batch;
  },
});

test("each stage counts its steps from where it begins, and a stage begun anew goes before", () => {
  const staged = createStagedStream([stream(0), stream(1), stream(2)]);
  const at = (step: number) => [...staged.batch(step, 4).ids];
  assert.deepEqual(at(9), [0, 9, 4]);
  staged.begin(1, 5);
  assert.deepEqual(
    [at(4), at(5), at(7)],
    [
      [0, 4, 4],
      [1, 0, 4],
      [1, 2, 4],
    ],
  );
  staged.begin(2, 8);
  assert.deepEqual(
    [at(7), at(8)],
    [
      [1, 2, 4],
      [2, 0, 4],
    ],
  );
  staged.begin(1, 6);
  assert.deepEqual(
    [at(5), at(6), at(8)],
    [
      [0, 5, 4],
      [1, 0, 4],
      [1, 2, 4],
    ],
  );
  assert.throws(() => staged.begin(3, 9));
});
