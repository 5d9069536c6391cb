import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { applyChange, diffTexts } from "./text-diff.ts";

test("applying the hunks to the old text gives the new text exactly", () => {
  const line = fc.constantFrom("", "a", "b", "c\r", "\u2028", "\u{10348}", "<|file_start|>x");
  const text = fc
    .tuple(fc.array(line, { maxLength: 30 }), fc.boolean())
    .map(([lines, ends]) => lines.join("\n") + (ends ? "\n" : ""));
  fc.assert(
    fc.property(text, text, (old, next) => {
      const hunks = diffTexts(old, next)!;
      assert.equal(applyChange(old, { hunks }), next);
      assert.equal(hunks.length === 0, old === next);
      const oldLines = old.match(/[^\n]*\n|[^\n]+$/g) ?? [];
      const newLines = next.match(/[^\n]*\n|[^\n]+$/g) ?? [];
      for (const hunk of hunks) {
        const { contextBefore: before, contextAfter: after } = hunk;
        assert.notEqual(hunk.old, hunk.new);
        assert.ok(
          oldLines
            .slice(hunk.oldStart - 1)
            .join("")
            .startsWith(hunk.old + after),
        );
        assert.ok(
          newLines
            .slice(hunk.newStart - 1)
            .join("")
            .startsWith(hunk.new + after),
        );
        assert.ok(
          oldLines
            .slice(0, hunk.oldStart - 1)
            .join("")
            .endsWith(before),
        );
        assert.ok(
          newLines
            .slice(0, hunk.newStart - 1)
            .join("")
            .endsWith(before),
        );
      }
    }),
  );
});

test("gives minimal hunks with up to three unchanged lines around", () => {
  const old = "1\n2\n3\n4\n5\n6\n7\n8\n9";
  const hunks = diffTexts(old, "1\n2\n3\n4\nfive\nsix\n7\n8\nnew\n9");
  assert.deepEqual(hunks, [
    { oldStart: 5, newStart: 5, old: "5\n6\n", new: "five\nsix\n", contextBefore: "2\n3\n4\n", contextAfter: "7\n8\n" },
    { oldStart: 9, newStart: 9, old: "", new: "new\n", contextBefore: "7\n8\n", contextAfter: "9" },
  ]);
});

test("leaves a context's long lines out whole", () => {
  const long = `${"x".repeat(1100)}\n`;
  const [hunk] = diffTexts(`0\n${long}1\nold\n2\n${long}`, `0\n${long}1\nnew\n2\n${long}`)!;
  assert.deepEqual([hunk!.contextBefore, hunk!.contextAfter], ["1\n", "2\n"]);
});

test("gives up where the texts differ too much, and copes with many lines otherwise", () => {
  const lines = (count: number, name: string): string =>
    Array.from({ length: count }, (_, i) => `${name}${i}\n`).join("");
  assert.equal(diffTexts(lines(1001, "a"), lines(1001, "b")), undefined);
  assert.equal(diffTexts(lines(1000, "a"), lines(1000, "b"))!.length, 1);
  assert.equal(diffTexts("a\n", "b\n".repeat(20_001)), undefined);
  const many = "\n".repeat(400_000);
  const hunks = diffTexts(`a\n${many}b`, `c\n${many}b`)!;
  assert.deepEqual([hunks[0]!.old, hunks[0]!.new], ["a\n", "c\n"]);
  assert.equal(applyChange(`a\n${many}b`, { hunks }), `c\n${many}b`);
});

test("refuses hunks that do not fit the text", () => {
  const [hunk] = diffTexts("1\n2\n3\n", "1\ntwo\n3\n")!;
  const misfits = [
    ["1\n2", [hunk!]],
    ["1\n3\n", [hunk!]],
    ["", [hunk!]],
    ["1\n2\n3\n", [hunk!, hunk!]],
    ["1\n2\n3\n", [{ ...hunk!, oldStart: 0 }]],
    ["1\n2\n3\n", [{ ...hunk!, oldStart: Number.NaN }]],
    ["1\n2\n3\n", [{ ...hunk!, oldStart: 9, old: "" }]],
  ] as const;
  for (const [text, hunks] of misfits) assert.throws(() => applyChange(text, { hunks }), { code: "mismatch" });
});
