import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { packageRoot } from "../formats/package-root.ts";
import { loadTokenizer } from "../tokenizer/tokenizer.ts";
import { heldOutDocuments, heldOutRecords, sequencesOfLine } from "./heldout-records.ts";
import { gene } from "./testing.ts";

const tokenizer = await loadTokenizer(join(packageRoot(), "models", "larva"));

test("records carry what the report names, documents what is scored", async () => {
  const records = await heldOutRecords(
    [gene({ path: "a/b.md" })],
    async () => "zwölf\n",
    () => "document",
  );
  const [line] = records;
  const { blob } = gene({ path: "a/b.md" });
  assert.deepEqual(line, { repository: "repo", path: "a/b.md", blob, kind: "prose", bytes: 7, text: "zwölf\n" });
  assert.deepEqual(heldOutDocuments(records, tokenizer), [{ id: "repo/a/b.md", text: "zwölf\n", group: "repo" }]);
  assert.equal(sequencesOfLine(line, tokenizer), undefined);
});

test("what is framed as records is measured by its answers, from heldout.jsonl too", async () => {
  const text = '{"prompt": "2+2=", "completion": "4 é"}\n{"prompt": "", "completion": "x"}\n';
  const records = await heldOutRecords(
    [gene({ path: "pairs.jsonl", language: "jsonl" })],
    async () => text,
    () => "records",
  );
  const [document] = heldOutDocuments(records, tokenizer);
  const [asked, answer, only] = ["2+2=", "4 é", "x"].map((of) => tokenizer.encodeContent(of));
  assert.deepEqual(document, {
    id: "repo/pairs.jsonl",
    text,
    group: "repo",
    sequences: [
      { ids: [...asked!, ...answer!], scored: [...asked!.map(() => false), ...answer!.map(() => true)], bytes: 4 },
      { ids: only, scored: [true], bytes: 1 },
    ],
  });
  const line: unknown = JSON.parse(JSON.stringify(records[0]));
  assert.deepEqual(sequencesOfLine(line, tokenizer), document.sequences);
  // A framing that this program does not know, and text that is no data: the text alone.
  assert.equal(sequencesOfLine({ ...records[0], framed: { framing: "new" } }, tokenizer), undefined);
  assert.equal(sequencesOfLine({ ...records[0], text: "{no data" }, tokenizer), undefined);
});
