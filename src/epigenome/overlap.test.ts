import assert from "node:assert/strict";
import { test } from "node:test";
import { hash53, lineHashes, maskNumbers, shareOf } from "./lines.ts";
import { type NamedText, refuseOverlap } from "./overlap.ts";

const named = (name: string, ...texts: string[]): NamedText => ({
  name,
  documents: texts.map((text, i) => ({ id: `${name}:${i + 1}`, text })),
});
const line = (i: number): string => `this is sentence ${"abcdefghijklmnopqrstuvwxyz"[i]} of the text\n`;
const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => line(from + i)).join("");

test("a shared document is refused and both places are named", () => {
  assert.throws(() => refuseOverlap(named("kept.txt", "a", "b b"), named("replay.txt", "c", "b b\n")), {
    code: "overlap",
    message: "retention text kept.txt and replay text replay.txt share a document (kept.txt:2 is replay.txt:2)",
  });
});

test("more than a fifth of the lines of either in the other is refused, a fifth is not", () => {
  refuseOverlap(named("a", lines(0, 10)), named("b", lines(8, 18)));
  assert.throws(() => refuseOverlap(named("a", lines(0, 10)), named("b", lines(7, 17))), {
    message: "30.0 % of the lines of a occur in b; at most 20 % may",
  });
  assert.throws(() => refuseOverlap(named("a", lines(0, 20)), named("b", lines(19, 23))), {
    message: "25.0 % of the lines of b occur in a; at most 20 % may",
  });
});

test("short lines and empty documents do not count", () => {
  refuseOverlap(named("a", "}\n\nreturn x;\n", ""), named("b", "}\n\nreturn x;\nend\n", "  "));
});

test("a line has 20 characters or more, an emoji being one", () => {
  assert.equal(
    lineHashes(`${"x".repeat(19)}\n  ${"x".repeat(20)}  \n${"🙂".repeat(19)}\n${"🙂".repeat(20)}`, { mask: false })
      .length,
    2,
  );
});

test("masking makes numbers and hexadecimal words equal and leaves words alone", () => {
  assert.equal(maskNumbers("2024-01-02 id 0xBEEF 9f86d081 a1b2c3 facade 12ab x7"), "#-#-# id # # # facade #ab x#");
});

test("a share of no lines is none; hashes differ by content and order", () => {
  assert.equal(
    shareOf([], () => true),
    0,
  );
  assert.equal(
    shareOf([1, 2, 2, 3], (of) => of === 2),
    0.5,
  );
  assert.equal(new Set(["", "a", "b", "ab", "ba", "aa"].map(hash53)).size, 6);
});
