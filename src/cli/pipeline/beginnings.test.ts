import assert from "node:assert/strict";
import { test } from "node:test";
import type { Document } from "../../eval/bits-per-byte.ts";
import { beginnings } from "./beginnings.ts";

test("texts are cut by the same part, between characters; all of what fits is kept", () => {
  const documents = [
    { id: "a", text: "x".repeat(100) },
    { id: "b", text: "🦋".repeat(25) },
  ];
  assert.deepEqual(beginnings(documents, 200), documents);
  assert.deepEqual(
    beginnings(documents, 30).map(({ text }) => text),
    ["x".repeat(15), "🦋".repeat(4)],
  );
});

test("of sequences the same part is taken, spread over the documents, none of them cut", () => {
  const documents = Array.from({ length: 40 }, (_, d): Document => {
    const sequences = Array.from({ length: 3 }, (_, i) => {
      const length = 5 + ((d + i) % 7);
      return { ids: Array.from({ length }, () => d), scored: Array.from({ length }, () => true), bytes: length };
    });
    return { id: `${d}`, text: "x".repeat(30), sequences };
  });
  const idsOf = (of: readonly Document[]): number =>
    of.flatMap(({ sequences }) => sequences!).reduce((sum, { ids }) => sum + ids.length, 0);
  const taken = beginnings(documents, 0.25 * 40 * 30);
  assert.ok(Math.abs(idsOf(taken) / idsOf(documents) - 0.25) < 0.02, `${idsOf(taken)} of ${idsOf(documents)}`);
  const halves = [taken.slice(0, 20), taken.slice(20)].map(idsOf);
  assert.ok(Math.abs(halves[0]! / halves[1]! - 1) < 0.2, halves.join(" and "));
  for (const [d, { sequences }] of taken.entries())
    for (const of of sequences!) assert.ok(documents[d]!.sequences!.includes(of));
  assert.equal(beginnings(documents, 1).flatMap(({ sequences }) => sequences!).length, 1, "never nothing");
});
