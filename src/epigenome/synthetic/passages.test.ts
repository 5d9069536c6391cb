import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { passagesOf } from "./passages.ts";

const tokensOf = (text: string): number => text.split(/\s+/).filter(Boolean).length;
const words = (count: number, word = "word"): string =>
  Array.from({ length: count }, (_, i) => `${word}${"abcdefghij"[i % 10]!}`).join(" ");

test("blocks are joined while they fit, and cut at line ends where one does not", () => {
  const [a, b, c] = [words(25), words(25, "other"), words(30, "third")];
  assert.deepEqual(passagesOf(`${a}\n\n${b}\n \n\n${c}\n`, { maxTokens: 50, tokensOf }), [`${a}\n\n${b}`, c]);
  const long = `${words(40)}\n${words(30, "other")}\n`;
  assert.deepEqual(passagesOf(long, { maxTokens: 50, tokensOf }), long.trim().split("\n"));
});

test("tables, short texts and lines without end are no passages", () => {
  const table = Array.from({ length: 30 }, (_, i) => `| ${i} | 0.${i} | 12,${i} | ab |`).join("\n");
  assert.deepEqual(passagesOf(table, { maxTokens: 500, tokensOf }), []);
  assert.deepEqual(passagesOf(words(19), { maxTokens: 50, tokensOf }), []);
  assert.deepEqual(passagesOf(words(90), { maxTokens: 50, tokensOf }), []);
});

test("passages fit, stand in the text, and come in its order", () => {
  const line = fc
    .array(fc.constantFrom("some", "plain", "words", "42", "|"), { maxLength: 30 })
    .map((of) => of.join(" "));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 40 }), fc.integer({ min: 20, max: 80 }), (lines, maxTokens) => {
      const text = lines.join("\n");
      let at = 0;
      for (const passage of passagesOf(text, { maxTokens, tokensOf })) {
        assert.ok(tokensOf(passage) <= maxTokens);
        const found = text.indexOf(passage, at);
        assert.ok(found >= 0);
        at = found + passage.length;
      }
    }),
  );
});
