import assert from "node:assert/strict";
import { test } from "node:test";
import { gene } from "../epigenome/testing.ts";
import type { Plan, ProbeRecord } from "./plan.ts";
import { refuseCopies, refuseUnready, unreadiness } from "./readiness.ts";

function planOf(trained: number, replay = 0.25): Plan {
  const diet = { stages: [{ name: "all", documents: 3, tokens: trained, trained }], overlap: [] };
  const settings = { replay: { value: replay } };
  return { diet, settings, predicted: { tokensPerStep: 2048 }, probe: null } as unknown as Plan;
}

test("noise is what neither a compressor nor the parent, trained a little or not, can tell from its byte frequencies", () => {
  const noise = {
    bitsPerByte: 7.9,
    bitsPerByteAfter: 6.2,
    steps: 8,
    byteEntropy: 6,
    deflatedBits: 6.05,
    sampleBytes: 65536,
  };
  const reasonsOf = (change: Partial<typeof noise> | { bitsPerByteAfter: null }): string[] =>
    unreadiness({ ...planOf(1e6), probe: { ...noise, ...change } as ProbeRecord });
  assert.match(
    reasonsOf({})[0]!,
    /^the genome looks like noise: the parent needs 7\.90 .* 6\.20 after 8 steps, .* 6\.00$/,
  );
  for (const change of [
    { deflatedBits: 5.6 },
    { bitsPerByte: 5.6 },
    { bitsPerByteAfter: 5.6 },
    { bitsPerByteAfter: null },
    { sampleBytes: 4095 },
  ]) {
    assert.deepEqual(reasonsOf(change), [], JSON.stringify(change));
  }
});

test("a genome of fewer tokens than an optimiser step takes of it is too small", () => {
  assert.deepEqual(unreadiness(planOf(1536)), []);
  assert.deepEqual(unreadiness(planOf(1535)), [
    "the genome is too small: one pass trains 1,535 tokens of it, one optimiser step takes 1,536",
  ]);
});

test("what speaks against a run refuses it, or becomes a warning where the user accepts it", () => {
  const reasons = unreadiness(planOf(10));
  assert.throws(() => refuseUnready(reasons, false), { code: "unready", message: /too small/, hint: /--unready/ });
  assert.deepEqual(refuseUnready(reasons, true), reasons);
  assert.deepEqual(refuseUnready([], false), []);
});

test("a genome of nothing but copies of one text is refused", () => {
  const copies = ["a.md", "b.md"].map((path) => gene({ path, duplicateClass: "c" }));
  const empty = gene({ path: "empty.md", textBytes: 0 });
  assert.throws(() => refuseCopies([...copies, empty]), { code: "unready", message: /all 2 files .*\(repo\/a\.md\)/ });
  refuseCopies([...copies, gene({ path: "other.md" })]);
  refuseCopies([copies[0]!]);
});
