import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { UserError } from "../errors.ts";
import { readDocuments, writeJsonl } from "./jsonl.ts";
import type { ReadDocument } from "./jsonl.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "jsonl-"));
});
after(() => rm(folder, { recursive: true }));

async function put(name: string, data: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, data);
  return path;
}

async function all(path: string, split?: string): Promise<ReadDocument[]> {
  const documents: ReadDocument[] = [];
  for await (const document of readDocuments(path, split === undefined ? {} : { split })) documents.push(document);
  return documents;
}

function fails(code: string, pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof UserError && error.code === code && pattern.test(error.message);
}

test("a .jsonl gives one document per line that is not blank, in order, with its fields and line number", async () => {
  const path = await put("a.jsonl", '{"text":"one\\n","split":"train"}\r\n\n{"text":"zwei ü","split":"heldout"}');
  assert.deepEqual(await all(path), [
    { id: "a.jsonl#1", text: "one\n", fields: { text: "one\n", split: "train" } },
    { id: "a.jsonl#3", text: "zwei ü", fields: { text: "zwei ü", split: "heldout" } },
  ]);
  assert.deepEqual(
    (await all(path, "heldout")).map((document) => document.text),
    ["zwei ü"],
  );
  assert.deepEqual(await all(path, "test"), []);
});

test("gzip is read alike, also where lines and characters cross the chunks of a stream", async () => {
  const texts = Array.from({ length: 50 }, (_, i) => "ä€😀".repeat(2000 * (i % 7)) + i);
  const lines = texts.map((text) => JSON.stringify({ text })).join("\n");
  for (const path of [await put("b.jsonl", lines), await put("b.jsonl.gz", gzipSync(lines))]) {
    assert.deepEqual(
      (await all(path)).map((document) => document.text),
      texts,
    );
  }
});

test("any other file is one document, every byte of it, a byte order mark too", async () => {
  const text = "\uFEFFfirst\r\nsecond\n\n";
  for (const path of [await put("c.txt", text), await put("c.txt.gz", gzipSync(text))]) {
    const [document, ...rest] = await all(path);
    assert.equal(document?.text, text);
    assert.equal(rest.length, 0);
  }
  assert.equal((await all(await put("empty.md", "")))[0]?.text, "");
});

test("bad input is named with its line", async () => {
  await assert.rejects(all(join(folder, "absent.jsonl")), fails("not-found", /absent\.jsonl/));
  await assert.rejects(all(join(folder, "absent.jsonl.gz")), fails("not-found", /absent\.jsonl\.gz/));
  await assert.rejects(
    all(await put("d.jsonl", '{"text":"a"}\n{"text":')),
    fails("damaged", /d\.jsonl, line 2: .*JSON/),
  );
  await assert.rejects(all(await put("e.jsonl", '{"text":1}')), fails("damaged", /line 1: no "text"/));
  await assert.rejects(all(await put("f.jsonl", "null")), fails("damaged", /line 1/));
  await assert.rejects(
    all(await put("g.txt", Uint8Array.of(65, 0xc3, 0x28))),
    fails("damaged", /g\.txt: not valid UTF-8/),
  );
  const whole = gzipSync('{"text":"a"}\n'.repeat(1000));
  await assert.rejects(all(await put("h.jsonl.gz", whole.subarray(0, -12))), fails("damaged", /gzip/));
  await assert.rejects(all(await put("i.jsonl.gz", "plain")), fails("damaged", /gzip/));
  await assert.rejects(all(await put("j.txt", "x"), "train"), fails("usage", /split "train"/));
});

test("what is written reads back, and a failure leaves neither file nor remains", async () => {
  const path = join(folder, "k.jsonl");
  await writeJsonl(path, [{ text: "a\n" }, { text: "😀", n: 1 }]);
  assert.equal(await readFile(path, "utf8"), '{"text":"a\\n"}\n{"text":"😀","n":1}\n');
  const broken = (function* () {
    yield { text: "a" };
    throw new Error("stop");
  })();
  await assert.rejects(writeJsonl(join(folder, "l.jsonl"), broken), /stop/);
  assert.equal(
    (await readdir(folder)).some((name) => name.startsWith("l.jsonl")),
    false,
  );
});
