import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { createContentCheck } from "./content-check.ts";

const markers = ["<|repo_start|>", "<|repo_end|>", "<|file_start|>", "<|file_end|>"];
const pieces = fc.array(
  fc.oneof(
    fc.constantFrom(...markers, "\n", "\\", "<|", "x".repeat(20), "𓂀", "é", "€").map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
  ),
  { maxLength: 10 },
);

test("the answer is that of the whole, wherever it is cut", () => {
  fc.assert(
    fc.property(pieces, fc.array(fc.nat(400), { maxLength: 5 }), (parts, cuts) => {
      const whole = Buffer.concat(parts);
      const check = createContentCheck();
      const ends = [...cuts.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length];
      let from = 0;
      for (const end of ends) {
        check.add(whole.subarray(from, end));
        from = end;
      }
      const { sha256, wrong } = check.end();
      assert.equal(sha256, createHash("sha256").update(whole).digest("hex"));
      const hasMarker = whole
        .toString("latin1")
        .split("\n")
        .some((line) => markers.some((marker) => line.startsWith(marker)));
      assert.equal(wrong === undefined, isUtf8(whole) && !hasMarker);
    }),
    { numRuns: 500 },
  );
});
