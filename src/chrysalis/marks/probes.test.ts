import assert from "node:assert/strict";
import { test } from "node:test";
import { CorpusBuilder, packCorpus } from "../../epigenome/pack.ts";
import { chooseProbes, groupParts, referenceParts } from "./probes.ts";

const T = 4;

function packed(sequences: number) {
  const builder = new CorpusBuilder({ separator: 0, vocabularySize: 100 });
  for (let d = 0; d < sequences; d++) builder.add([1 + d, 1 + d, 1 + d]);
  return packCorpus(builder.build(), T);
}

test("what was not seen for the longest comes first, then the heaviest, as far as the allowance goes", () => {
  const candidates = [
    { group: 0, seen: 20, weight: 100 },
    { group: 1, seen: -1, weight: 1 },
    { group: 2, seen: -1, weight: 2 },
    { group: 3, seen: 10, weight: 1 },
    { group: 4, seen: 20, weight: 101 },
  ];
  assert.deepEqual(chooseProbes(candidates, 4 + 2 * 5), [2, 1, 3, 4, 0]);
  assert.deepEqual(chooseProbes(candidates, 4 + 2 * 4 + 1), [2, 1, 3, 4]);
  // Too few to be worth the reference: saved for the next evaluation.
  assert.deepEqual(chooseProbes(candidates, 4 + 2 * 3), []);
  assert.deepEqual(chooseProbes(candidates.slice(0, 2), 4 + 2 * 2), [1, 0]);
  assert.deepEqual(chooseProbes([], 100), []);
  assert.deepEqual(chooseProbes(candidates, 0), []);
});

test("parts are of different sequences, chosen by seed and step", () => {
  const ids = (batches: readonly { readonly targets: Int32Array }[][]) =>
    batches.flat().map(({ targets }) => targets[0]!);
  const at = { seed: 1, step: 5 };
  const reference = referenceParts(packed(9), at)!;
  assert.deepEqual(
    reference.map(({ length }) => length),
    [2, 2],
  );
  assert.equal(new Set(ids(reference)).size, 4);
  assert.deepEqual(ids(referenceParts(packed(9), at)!), ids(reference));
  assert.notDeepEqual(ids(referenceParts(packed(9), { ...at, step: 6 })!), ids(reference));
  assert.deepEqual(
    referenceParts(packed(3), at)!.map(({ length }) => length),
    [1, 1],
  );
  assert.equal(referenceParts(packed(1), at), undefined);
  const parts = groupParts(packed(9), { group: 2, sequences: [4, 6, 8] }, at);
  assert.equal(parts.length, 2);
  assert.ok(ids(parts).every((id) => [5, 7, 9].includes(id)) && new Set(ids(parts)).size === 2, String(ids(parts)));
});
