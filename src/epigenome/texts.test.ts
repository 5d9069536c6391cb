import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { cutText, readGeneralText, sampleText } from "./texts.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "texts-"));
});
after(() => rm(folder, { recursive: true }));

test("text is one document, JSONL one per line and split; nothing but empty lines is an error", async () => {
  await writeFile(join(folder, "a.txt"), "one\n\ntwo\n");
  await writeFile(join(folder, "a.jsonl"), '{"text":"x","split":"train"}\n{"text":"","split":"train"}\n{"text":"y"}\n');
  await writeFile(join(folder, "empty.txt"), "");
  assert.deepEqual(
    (await readGeneralText(join(folder, "a.txt"))).documents.map(({ text }) => text),
    ["one\n\ntwo\n"],
  );
  const lines = await readGeneralText(join(folder, "a.jsonl"));
  assert.deepEqual(
    lines.documents.map(({ text }) => text),
    ["x", "y"],
  );
  const split = await readGeneralText(join(folder, "a.jsonl"), { split: "train" });
  assert.deepEqual(
    split.documents.map(({ text }) => text),
    ["x"],
  );
  await assert.rejects(readGeneralText(join(folder, "empty.txt")), { code: "empty" });
});

const documents = Array.from({ length: 100 }, (_, i) => ({ id: `d${i}`, text: `${i} `.padEnd(50 + i, "ü") }));

test("a small text is used whole, of a larger one whole documents are sampled by seed", () => {
  const whole = sampleText({ name: "x", documents }, { seed: 1 });
  assert.deepEqual([whole.documents, whole.sampled], [documents, false]);
  const sample = sampleText({ name: "x", documents }, { seed: 1, maxBytes: 4000 });
  assert.equal(sample.sampled, true);
  assert.ok(sample.bytes <= 4000 && sample.bytes > 3700, `${sample.bytes}`);
  assert.equal(sample.bytes, Buffer.byteLength(sample.documents.map(({ text }) => text).join("")));
  assert.ok(sample.documents.every((document) => documents.includes(document)));
  assert.deepEqual(sample, sampleText({ name: "x", documents }, { seed: 1, maxBytes: 4000 }));
  assert.notDeepEqual(sample, sampleText({ name: "x", documents }, { seed: 2, maxBytes: 4000 }));
});

test("one large text is sampled in pieces that end where paragraphs do and split no character", () => {
  const paragraph = `${"Some words of a sentence. ".repeat(20)}\n\n`;
  const text = paragraph.repeat(400) + "🙂".repeat(20_000);
  const { documents: pieces, bytes } = sampleText(
    { name: "x", documents: [{ id: "x", text }] },
    { seed: 3, maxBytes: 100_000 },
  );
  assert.ok(bytes <= 100_000 && bytes > 80_000, `${bytes}`);
  for (const piece of pieces) {
    assert.ok(text.includes(piece.text));
    assert.ok(piece.text.endsWith("\n\n") || piece.text.includes("🙂"));
    assert.ok(piece.text.isWellFormed());
  }
});

test("a text is cut into pieces of a length that join to it, at blank lines before lines", () => {
  const text = "one\n\ntwo\nthree\n\n" + "x".repeat(25);
  const pieces = cutText({ id: "a", text }, 12);
  assert.deepEqual(
    pieces.map((piece) => piece.text),
    ["one\n\n", "two\nthree\n\n", "x".repeat(12), "x".repeat(12), "x"],
  );
  assert.deepEqual(pieces[1]!.id, "a@5");
});
