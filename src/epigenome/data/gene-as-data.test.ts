import assert from "node:assert/strict";
import { test } from "node:test";
import { geneAsData } from "./gene-as-data.ts";
import type { GeneAsData } from "./gene-as-data.ts";

const read = (text: string, language: string | null): GeneAsData => geneAsData(text, language, { name: "owner/x" });

test("genes of the languages of data give their records", () => {
  const record = { kind: "completion", prompt: "q\n", completion: "a" };
  const form = "question-answer";
  assert.deepEqual(read('{"question": "q", "answer": "a"}\n\n{"question": "q", "answer": "a"}', "jsonl"), {
    isData: true,
    form,
    records: [
      { line: 1, record },
      { line: 3, record },
    ],
  });
  assert.deepEqual(read('[{"question": "q",\n"answer": "a"}]', "json"), {
    isData: true,
    form,
    records: [{ line: 1, record }],
  });
  for (const [text, language] of [
    ["question,answer\nq,a\n", "csv"],
    ["question\tanswer\nq\ta\n", "tsv"],
  ] as const) {
    assert.deepEqual(read(text, language), { isData: true, form, records: [{ line: 2, record }] });
  }
  const given = geneAsData('{"text": "t", "prompt": "p", "completion": "c"}', "jsonl", { name: "x", form: "text" });
  assert.deepEqual(given, { isData: true, form: "text", records: [{ line: 1, record: { kind: "text", text: "t" } }] });
});

test("anything else stays text, and says why", () => {
  const reasonOf = (text: string, language: string | null): string => {
    const found = read(text, language);
    assert.equal(found.isData, false, text);
    return found.isData ? "" : found.reason;
  };
  assert.match(reasonOf('{"text": "a"}', "markdown"), /no language of data/);
  assert.match(reasonOf('{"text": "a"}', null), /no language of data/);
  assert.match(reasonOf('{"name": "package"}', "json"), /holds no JSON array/);
  assert.match(reasonOf('[{"x": 1}]', "json"), /owner\/x, line 1: .*no known form/);
  assert.match(reasonOf("[]", "json"), /no records/);
  assert.match(reasonOf('{"text": "a"}\n{"text"', "jsonl"), /owner\/x, line 2: not valid JSON/);
  assert.match(reasonOf('{"text": "a"}\n{"question": "q", "answer": "a"}', "jsonl"), /mixes forms/);
  assert.match(reasonOf("a,b\n1\n", "csv"), /line 2/);
});
