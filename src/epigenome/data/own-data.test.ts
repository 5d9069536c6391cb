import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { sha256OfFile } from "../../formats/files.ts";
import { gene } from "../testing.ts";
import { createChunks } from "./chunks.ts";
import { forms, readRecord } from "./forms.ts";
import type { Form } from "./forms.ts";
import { geneAsData } from "./gene-as-data.ts";
import { readOwnData } from "./own-data.ts";
import { recordLine } from "./record-line.ts";
import { contentsOf, noGenome, withData } from "./with-data.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "own-data-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const lines = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join("");
const mask = (text: string) => ({ text, masked: {} });

test("chunks hold every line in order, small ones of a small file, and never more than a large one's limit", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 1500 });
  fc.assert(
    fc.property(sizes, (of) => {
      const chunks = createChunks();
      const written = of.map((size, i) => `${i}`.padEnd(size, "x"));
      written.forEach((line, i) => chunks.add(line, 2 * i + 1));
      const all = chunks.end();
      assert.equal(all.map(({ text }) => text.toString()).join(""), written.map((line) => `${line}\n`).join(""));
      const total = written.join("\n").length + 1;
      for (const { text, first, last } of all) {
        const records = text.toString().split("\n").length - 1;
        assert.equal((last - first) / 2 + 1, records);
        assert.ok(records <= 64 && text.length <= 32768);
        assert.ok(text.length <= Math.max(512, total / 50) + 3001, `${text.length} of ${total}`);
      }
      if (total > 50_000 && total < 1_600_000) assert.ok(all.length >= 20, `${all.length} chunks of ${total} bytes`);
    }),
    { seed: 1, numRuns: 60 },
  );
  const large = createChunks();
  for (let i = 1; i <= 2000; i++) large.add("x".repeat(1999), i);
  const chunks = large.end();
  assert.ok(chunks.every(({ text }) => text.length <= 32768) && chunks.length < 135, `${chunks.length}`);
  const giant = createChunks();
  giant.add("y".repeat(40_000), 1);
  giant.add("z", 2);
  assert.deepEqual(
    giant.end().map(({ text }) => text.length),
    [40_001, 2],
  );
});

const examples: Readonly<Record<Form, object>> = {
  messages: {
    system: "s",
    conversations: [
      { role: "human", content: "q\n" },
      { role: "bot", content: "é" },
    ],
  },
  sharegpt: {
    conversations: [
      { from: "human", value: "q" },
      { from: "gpt", value: "a" },
    ],
  },
  alpaca: { instruction: "i", input: "x", output: "o" },
  "prompt-completion": { prompt: "p", completion: " c" },
  "question-answer": { question: "q", answer: "a" },
  text: { text: "t\u2028\n" },
};

for (const form of forms) {
  test(`a record of the form ${form} reads as the same record from its line`, () => {
    const record = readRecord(form, { ...examples[form], more: 1 });
    assert.ok(record.kind !== "misfit");
    const line = recordLine(form, record);
    assert.ok(!line.includes("\n"));
    for (const asDialogue of [false, true]) {
      const wanted = readRecord(form, examples[form], { asDialogue });
      const again = geneAsData(`${line}\n`, "jsonl", { name: "x", asDialogue });
      assert.ok(again.isData);
      assert.deepEqual(
        again.records.map((of) => of.record),
        [wanted],
      );
    }
  });
}

test("files become genes beside a genome's: masked, without repeats and what trains nothing, named as files", async () => {
  const chats = join(folder, "chats.jsonl");
  const chat = (user: string, assistant?: string) => ({
    messages: [
      { role: "user", content: user },
      ...(assistant === undefined ? [] : [{ role: "assistant", content: assistant }]),
    ],
  });
  await writeFile(
    chats,
    `${lines([chat("one", "SECRET 1")])}\n${lines([chat("two"), chat("one", "SECRET 1"), chat("é", "3")])}`,
  );
  const dataset = join(folder, "notes");
  await mkdir(join(dataset, "part"), { recursive: true });
  await writeFile(join(dataset, "part", "pairs.csv"), "question,answer\nsea?,shore\n");
  await writeFile(join(dataset, "texts.jsonl"), lines([{ text: "a" }]));
  const hide = (text: string) => {
    const masked = text.replaceAll("SECRET", "[masked]");
    return { text: masked, masked: masked === text ? {} : { secret: 1 } };
  };
  const files = await readOwnData([{ path: chats }, { path: dataset }], { mask: hide });
  assert.deepEqual(
    files.map(({ chunks: _chunks, ...file }) => file),
    [
      {
        name: "chats.jsonl",
        sha256: await sha256OfFile(chats),
        form: "messages",
        records: 2,
        repeated: 1,
        untrained: 1,
        masked: { secret: 2 },
      },
      {
        name: "notes/part/pairs.csv",
        sha256: await sha256OfFile(join(dataset, "part", "pairs.csv")),
        form: "question-answer",
        records: 1,
        repeated: 0,
        untrained: 0,
        masked: {},
      },
      {
        name: "notes/texts.jsonl",
        sha256: await sha256OfFile(join(dataset, "texts.jsonl")),
        form: "text",
        records: 1,
        repeated: 0,
        untrained: 0,
        masked: {},
      },
    ],
  );
  const own = gene({ repository: "notes", path: "a.md" });
  const repositories = [{ name: "notes" }] as unknown as typeof noGenome.repositories;
  const genome = withData({ ...noGenome, repositories, genes: [own], text: async () => "own" }, files);
  assert.deepEqual(
    genome.genes.map(({ repository, path, kind, flags }) => [repository, path, kind, ...flags]),
    [
      ["notes", "a.md", "prose"],
      ["chats.jsonl", "000001-000004.jsonl", "dialogue", "own-data"],
      ["notes-2", "part/pairs.csv/000001-000001.jsonl", "dialogue", "own-data"],
      ["notes-2", "texts.jsonl/000001-000001.jsonl", "prose", "own-data"],
    ],
  );
  const texts = await Promise.all(genome.genes.map((of) => genome.text(of)));
  assert.equal(texts[0], "own");
  assert.equal(texts[1], lines([chat("one", "[masked] 1"), chat("é", "3")]));
  assert.equal(texts[2], lines([{ question: "sea?", answer: "shore" }]));
  assert.equal(genome.genes[1]!.textBytes, Buffer.byteLength(texts[1]));
  // git hash-object of the same bytes
  const empty = await readOwnData([{ path: join(dataset, "texts.jsonl") }], { mask });
  assert.equal(empty[0]!.chunks[0]!.gene.blob, "8a1b2a04c18cc085dbff41689bbdb160c5cdb44d");
  assert.equal(contentsOf(genome.genes[1]!, texts[1]), "one\n[masked] 1\né\n3");
  assert.equal(contentsOf(own, texts[1]), texts[1]);
  assert.equal(withData(noGenome, []), noGenome);
});

test("what is no data, of two forms, or of another form than was said, is refused with file and line", async () => {
  const file = join(folder, "mixed.jsonl");
  await writeFile(file, lines([{ text: "a" }, { prompt: "a", completion: "b" }]));
  await assert.rejects(readOwnData([{ path: file }], { mask }), {
    code: "mismatch",
    message: /mixed\.jsonl .*line 1.*line 2/,
  });
  await assert.rejects(readOwnData([{ path: file }], { mask, form: "prompt-completion" }), {
    code: "invalid",
    message: /mixed\.jsonl, line 1/,
  });
  const blank = join(folder, "blank.jsonl");
  await writeFile(blank, lines([{ text: "" }]));
  await assert.rejects(readOwnData([{ path: blank }], { mask }), {
    code: "empty",
    message: /nothing to train.*blank\.jsonl/,
  });
  await writeFile(blank, "");
  await assert.rejects(readOwnData([{ path: blank }], { mask }), {
    code: "empty",
    message: /blank\.jsonl holds no records/,
  });
  assert.deepEqual(await readOwnData([], { mask }), []);
});
