import assert from "node:assert/strict";
import test from "node:test";
import { KeptSets } from "./kept-sets.ts";

test("sets are kept until 2 MiB are full, what they take besides their numbers counted", () => {
  const sets = new KeptSets();
  const small = Float64Array.of(1, 2);
  for (let item = 0; item < 10_000; item++) sets.add(item, small);
  const kept = Array.from({ length: 10_000 }, (_, item) => sets.get(item)).filter((set) => set !== undefined);
  assert.equal(kept.length, Math.floor((2 << 20) / (16 + 256)));
  assert.equal(sets.get(0), small);
  const large = new KeptSets();
  large.add(1, new Float64Array(1 << 18));
  assert.equal(large.get(1), undefined);
});
