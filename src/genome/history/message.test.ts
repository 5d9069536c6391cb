import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeMessage, splitMessage } from "./message.ts";

test("keeps what a message says and drops trailers, control characters and invalid bytes", () => {
  const bytes = Buffer.from(
    "Fix\x1b[31m it\r\n\r\nBecause\tof this.\xff\n\nReviewed-by: A <a@example.invalid>\nCC: B\nBy-line: kept\n",
    "latin1",
  );
  assert.equal(decodeMessage(bytes), "Fix[31m it\n\nBecause\tof this.\n\n\n\nBy-line: kept");
  assert.equal(decodeMessage(new Uint8Array()), "");
});

test("parts a message at its first line end and bounds both parts, halving no character", () => {
  assert.deepEqual(splitMessage("one\n\ntwo\n\n\n\nthree"), { subject: "one", body: "two\n\nthree" });
  assert.deepEqual(splitMessage(""), { subject: "", body: "" });
  const { subject, body } = splitMessage(`${"a".repeat(499)}\u{10348}\n${"b".repeat(5000)}`);
  assert.equal(subject, "a".repeat(499));
  assert.equal(body, "b".repeat(4000));
});
