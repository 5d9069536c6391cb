import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bestFit } from "./best-fit.ts";

/** The same rule by searching all sequences: what the tree must agree with. */
function bySearch(lengths: number[], T: number): number {
  const rooms: number[] = [];
  for (const length of [...lengths].sort((a, b) => b - a)) {
    let best = -1;
    for (let s = 0; s < rooms.length; s++) {
      if (rooms[s]! >= length && (best < 0 || rooms[s]! < rooms[best]!)) best = s;
    }
    if (best < 0) rooms.push(T - length);
    else rooms[best]! -= length;
  }
  return rooms.length;
}

test("every piece is placed once, nothing overflows, and the count is that of plain best-fit decreasing", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }).chain((T) => fc.tuple(fc.constant(T), fc.array(fc.integer({ min: 1, max: T })))),
      ([T, lengths]) => {
        const { pieces, offsets } = bestFit(lengths, T);
        assert.deepEqual(
          [...pieces].sort((a, b) => a - b),
          lengths.map((_, i) => i),
        );
        for (let s = 0; s + 1 < offsets.length; s++) {
          const inside = [...pieces.subarray(offsets[s], offsets[s + 1])];
          assert.ok(inside.length > 0);
          assert.ok(inside.reduce((sum, piece) => sum + lengths[piece]!, 0) <= T);
        }
        assert.equal(offsets.length - 1, bySearch(lengths, T));
      },
    ),
  );
});

test("an exact fit is preferred to a new sequence and to a looser one", () => {
  const { pieces, offsets } = bestFit([6, 5, 3, 4], 10);
  assert.deepEqual([...pieces], [0, 3, 1, 2]);
  assert.deepEqual([...offsets], [0, 2, 4]);
});

test("half a million pieces pack in seconds", () => {
  const lengths = Uint32Array.from({ length: 500_000 }, (_, i) => 1 + ((i * 2654435761) % 509));
  const started = performance.now();
  const { offsets } = bestFit(lengths, 512);
  assert.ok(performance.now() - started < 30_000);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  assert.ok((offsets.length - 1) * 512 < total * 1.01);
});

test("a piece that is longer than a sequence is a defect of the caller", () => {
  assert.throws(() => bestFit([11], 10), /a piece of 11 positions/);
});
