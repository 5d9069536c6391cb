import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { UserError } from "../errors.ts";
import { jsonArrayElements, readJsonArray } from "./json-array.ts";

const elements = (text: string): unknown[] => [...jsonArrayElements(text, "x.json")].map(({ value }) => value);

const fails =
  (code: string, pattern: RegExp) =>
  (error: unknown): boolean =>
    error instanceof UserError && error.code === code && pattern.test(error.message);

test("the elements are those that JSON.parse finds, however the array is laid out", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 2, "\t"), (values, indent) => {
      const text = JSON.stringify(values, null, indent);
      assert.deepEqual(elements(text), JSON.parse(text));
    }),
    { seed: 11, numRuns: 300 },
  );
});

test("a text that JSON.parse refuses is refused, one that it takes is read alike", () => {
  const pieces = ["[", "]", "{", "}", ",", ":", '"', "\\", "1", " ", "\n", "null", '"a"'];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 10 }), (parts) => {
      const text = `[${parts.join("")}`;
      let expected: unknown;
      try {
        expected = JSON.parse(text);
      } catch {
        assert.throws(() => elements(text), UserError, text);
        return;
      }
      assert.deepEqual(elements(text), expected);
    }),
    { seed: 5, numRuns: 3000 },
  );
});

test("each element has the line that it begins on, and an error names it", () => {
  const text = '\uFEFF\n[\n  {"a": "x\\"],["},\n\n  {\n    "b": [1]\n  }, 3\n]\n';
  assert.deepEqual(
    [...jsonArrayElements(text, "x.json")],
    [
      { line: 3, value: { a: 'x"],[' } },
      { line: 5, value: { b: [1] } },
      { line: 7, value: 3 },
    ],
  );
  assert.throws(() => elements('[1,\n{"a":}]'), fails("damaged", /x\.json, line 2: not valid JSON/));
  assert.throws(() => elements("[1,\n]"), fails("damaged", /line 2: a comma without a record/));
  assert.throws(() => elements("[1]\n[2]"), fails("damaged", /line 2: something follows/));
  assert.throws(() => elements("[1,\n2"), fails("damaged", /line 2: the file ends/));
  assert.throws(() => elements('{"a": 1}'), fails("invalid", /holds no JSON array/));
  assert.throws(() => elements(" "), fails("empty", /x\.json is empty/));
});

test("elements cross the chunks of a stream, gzipped or not", async () => {
  const folder = await mkdtemp(join(tmpdir(), "json-array-"));
  try {
    const values = Array.from({ length: 40 }, (_, i) => ({ text: 'ä€😀\\"'.repeat(3000 * (i % 5)) + i }));
    const text = JSON.stringify(values, null, 1);
    await writeFile(join(folder, "a.json"), text);
    await writeFile(join(folder, "a.json.gz"), gzipSync(text));
    for (const name of ["a.json", "a.json.gz"]) {
      const found: unknown[] = [];
      for await (const { value } of readJsonArray(join(folder, name))) found.push(value);
      assert.deepEqual(found, values);
    }
    await assert.rejects(readJsonArray(join(folder, "none.json")).next(), fails("not-found", /none\.json/));
  } finally {
    await rm(folder, { recursive: true });
  }
});
