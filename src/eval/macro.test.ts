import assert from "node:assert/strict";
import { test } from "node:test";
import type { DocumentScore } from "./bits-per-byte.ts";
import { bitsPerByteMacro, scoreByGroup } from "./macro.ts";

/** A document of `bytes` bytes at `bits` bits per byte. */
function scored(group: string | undefined, bytes: number, bits: number): DocumentScore {
  const of = { id: "x", nats: bits * bytes * Math.LN2, bytes, bitsPerByte: bits, tokens: bytes };
  return group === undefined ? of : { ...of, group };
}

const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

test("a repository of five files counts as much as another, the small ones count as one", () => {
  const scores = [
    ...Array.from({ length: 5 }, () => scored("a", 10, 1)),
    ...Array.from({ length: 6 }, () => scored("b", 1000, 2)),
    scored("c", 100, 3),
    scored("d", 300, 5),
    scored(undefined, 100, 4),
  ];
  near(bitsPerByteMacro(scores), (1 + 2 + (3 * 100 + 5 * 300 + 4 * 100) / 500) / 3);
  near(bitsPerByteMacro(scores, { minFiles: 6 }), (2 + (50 * 1 + 300 + 1500 + 400) / 550) / 2);
});

test("a group without a byte is not averaged", () => {
  near(bitsPerByteMacro([...Array.from({ length: 5 }, () => scored("a", 10, 1)), scored("b", 0, 0)]), 1);
});

test("groups sum nats and bytes, not bits per byte", () => {
  const [prose, code] = scoreByGroup([scored("r", 100, 1), scored("r", 300, 3), scored("r", 50, 2)], (_, index) =>
    index < 2 ? "a prose" : "code",
  );
  assert.deepEqual([prose!.group, prose!.files, prose!.bytes], ["a prose", 2, 400]);
  near(prose!.bitsPerByte, 2.5);
  near(code!.bitsPerByte, 2);
});
