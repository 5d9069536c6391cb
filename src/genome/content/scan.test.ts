import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hasMoreThan, longestLine, meanLine, withLineFeeds, withoutFinalLineFeeds } from "./scan.ts";

test("lines are measured without their line feeds; the last may be empty", () => {
  assert.deepEqual(["", "a\n", "\nab\nc"].map(longestLine), [0, 1, 2]);
  assert.deepEqual(["", "a\n", "ab\n\nc"].map(meanLine), [0, 1, 5 / 3]);
});

test("line feeds at the end go, however many come before", () => {
  assert.deepEqual(
    ["", "\n\n", "\na\n\n", `${"\n".repeat(200_000)}a`].map((text) => withoutFinalLineFeeds(text).length),
    [0, 0, 2, 200_001],
  );
});

test("CRLF and CR become LF, all else stays", () => {
  assert.equal(withLineFeeds("\ufeffé\r\n𓂀\rc\r\r\n\nd\u2028\r"), "\ufeffé\n𓂀\nc\n\n\nd\u2028\n");
  const text = fc.string({ unit: fc.constantFrom("\r", "\n", "a", "漢", "𓂀", "\ufeff") });
  fc.assert(fc.property(text, (value) => assert.equal(withLineFeeds(value), value.replace(/\r\n?/g, "\n"))));
});

test("characters are counted together", () => {
  assert.equal(hasMoreThan(3, "[{", "[{[{"), true);
  assert.equal(hasMoreThan(4, "[{", "[{[{,"), false);
});
