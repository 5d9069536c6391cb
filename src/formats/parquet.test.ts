import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { parquetWriteBuffer } from "hyparquet-writer";
import { UserError } from "../errors.ts";
import type { JsonLine } from "./jsonl.ts";
import { readParquet } from "./parquet.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "parquet-"));
});
after(() => rm(folder, { recursive: true }));

async function put(name: string, data: Uint8Array | ArrayBuffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, new Uint8Array(data));
  return path;
}

async function all(path: string, columns: string[]): Promise<JsonLine[]> {
  const rows: JsonLine[] = [];
  for await (const row of readParquet(path, columns)) rows.push(row);
  return rows;
}

const fails =
  (code: string, pattern: RegExp) =>
  (error: unknown): boolean =>
    error instanceof UserError && error.code === code && pattern.test(error.message);

const texts = Array.from({ length: 25 }, (_, i) => `text ${i} é`.repeat(1 + (i % 3)));

test("rows of the wanted columns come in order over row groups, with every compression", async () => {
  const columnData = [
    { name: "id", data: texts.map((_, i) => i), type: "INT32" as const },
    { name: "text", data: texts, type: "STRING" as const },
  ];
  const compressors = {
    GZIP: (bytes: Uint8Array) => gzipSync(bytes),
    BROTLI: (bytes: Uint8Array) => brotliCompressSync(bytes),
    ZSTD: (bytes: Uint8Array) => zstdCompressSync(bytes),
  };
  for (const codec of ["UNCOMPRESSED", "SNAPPY", "GZIP", "BROTLI", "ZSTD"] as const) {
    const path = await put(
      `${codec}.parquet`,
      parquetWriteBuffer({ columnData, codec, compressors, rowGroupSize: 10 }),
    );
    const rows = await all(path, ["text", "messages"]);
    assert.deepEqual(
      rows,
      texts.map((text, i) => ({ line: i + 1, value: { text } })),
      codec,
    );
  }
});

test("lists of objects and cells without a value are read", async () => {
  const conversations = [
    [
      { from: "human", value: "hi" },
      { from: "gpt", value: "hello" },
    ],
    [{ from: "human", value: "bye" }],
  ];
  const string = { type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" } as const;
  const path = await put(
    "nested.parquet",
    parquetWriteBuffer({
      columnData: [
        { name: "conversations", data: conversations },
        { name: "system", data: [null, "be brief"] },
      ],
      schema: [
        { name: "root", num_children: 2 },
        { name: "conversations", repetition_type: "OPTIONAL", num_children: 1, converted_type: "LIST" },
        { name: "list", repetition_type: "REPEATED", num_children: 1 },
        { name: "element", repetition_type: "OPTIONAL", num_children: 2 },
        { name: "from", ...string },
        { name: "value", ...string },
        { name: "system", ...string },
      ],
    }),
  );
  const rows = (await all(path, ["conversations", "system"])).map(({ value }) => value) as Record<string, unknown>[];
  assert.deepEqual(
    rows.map((row) => row["conversations"]),
    conversations,
  );
  assert.deepEqual(
    rows.map((row) => row["system"] ?? null),
    [null, "be brief"],
  );
});

test("what is no Parquet, or has none of the columns, is refused by name", async () => {
  const whole = new Uint8Array(
    parquetWriteBuffer({ columnData: [{ name: "text", data: texts, type: "STRING" }], codec: "SNAPPY" }),
  );
  await assert.rejects(
    all(await put("a.parquet", whole), ["prompt"]),
    fails("invalid", /a\.parquet has the columns text/),
  );
  await assert.rejects(
    all(await put("b.parquet", Buffer.from("not at all Parquet")), ["text"]),
    fails("damaged", /b\.pa/),
  );
  await assert.rejects(all(await put("c.parquet", new Uint8Array(3)), ["text"]), fails("damaged", /too short/));
  await assert.rejects(all(join(folder, "none.parquet"), ["text"]), fails("not-found", /none\.parquet/));
  // The length of the footer, claimed larger than the file.
  const claim = whole.slice();
  new DataView(claim.buffer).setUint32(claim.length - 8, 60 << 20, true);
  await assert.rejects(all(await put("d.parquet", claim), ["text"]), fails("damaged", /d\.parquet/));
  // Bytes of the first page, changed.
  const broken = whole.slice();
  broken.fill(0xff, 4, 40);
  await assert.rejects(all(await put("e.parquet", broken), ["text"]), fails("damaged", /e\.parquet/));
});

test("a file with changed bytes gives rows or a refusal, and comes to an end", async () => {
  const columnData = [
    { name: "text", data: texts },
    { name: "prompt", data: texts.map((text, i) => (i % 3 === 0 ? null : text)) },
  ];
  const whole = new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 10 }));
  const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const bytes = whole.slice();
      for (const [at, value] of changes) bytes[at] = value;
      const path = await put("changed.parquet", bytes);
      await all(path, ["text", "prompt"]).catch((error: unknown) =>
        assert.ok(error instanceof UserError, String(error)),
      );
    }),
    { seed: 9, numRuns: 150 },
  );
});
