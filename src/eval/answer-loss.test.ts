import assert from "node:assert/strict";
import { test } from "node:test";
import { answerLosses } from "./answer-loss.ts";

test("the mean over counted ids only, each given those before it in its own sequence", async () => {
  const seen: number[][] = [];
  const scorer = {
    B: 2,
    T: 4,
    /** A token costs its id, and ten times the one before it. */
    evaluate: (batch: { ids: Int32Array; targets: Int32Array; weights: Float32Array; documents: Int32Array }) => {
      seen.push([...batch.documents]);
      return Promise.resolve(batch.targets.map((id, at) => (batch.weights[at] === 0 ? 0 : id + 10 * batch.ids[at]!)));
    },
  } as unknown as Parameters<typeof answerLosses>[0];
  const losses = await answerLosses(
    scorer,
    [
      { ids: [9, 1, 2, 3], counted: [false, false, true, true] },
      { ids: [9, 5], counted: [true, true] },
      { ids: [9, 1, 1, 1, 7], counted: [false, false, false, false, true] },
      { ids: [9, 1], counted: [true, false] },
    ],
    0,
  );
  assert.deepEqual(losses, [(2 + 10 + 3 + 20) / 2, 95, 17, Infinity]);
  assert.deepEqual(seen[0], [0, 0, 0, -1, 0, -1, -1, -1]);
  const long = { ids: [1, 2, 3, 4, 5, 6], counted: [true, true, true, true, true, true] };
  await assert.rejects(answerLosses(scorer, [long], 0), /6 ids in a sequence of 4/);
});
