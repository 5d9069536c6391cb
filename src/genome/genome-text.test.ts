import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { escapeContent, escapeName, unescapeBytes, unescapeContent, unescapeName } from "./genome-text.ts";
import { markers } from "./text/testing.ts";

test("escapes of contents are undone exactly, and none is left that could be a marker", () => {
  const planted = fc
    .array(
      fc.oneof(
        fc.constantFrom(...markers, "\n", "\r", "\\", "\u2028", "\u2029", "\ufeff", "<|", "x", "𓂀"),
        fc.string({ maxLength: 4 }),
      ),
      { maxLength: 12 },
    )
    .map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(planted, (text) => {
      const escaped = escapeContent(text);
      assert.equal(unescapeContent(escaped), text);
      assert.equal(Buffer.from(unescapeBytes(Buffer.from(escaped))).toString(), text.toWellFormed());
      assert.ok(escaped.split("\n").every((line) => !markers.some((marker) => line.startsWith(marker))));
    }),
  );
  assert.equal(escapeContent("a\u2028<|file_end|>"), "a\u2028<|file_end|>");
});

test("escapes of names are undone exactly, whatever their bytes", () => {
  const name = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ minLength: 1, unit: "grapheme" }).map((text) => Buffer.from(text)),
    fc.constantFrom("\\x41", "\\n", "a\nb\rc\\", "<|file_end|>").map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(name, (bytes) => {
      const escaped = escapeName(bytes);
      assert.deepEqual(Buffer.from(unescapeName(escaped)), bytes);
      assert.ok(!/[\n\r]/.test(escaped));
    }),
  );
});
