import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { unzipSync } from "fflate";
import { parquetReadObjects } from "hyparquet";
import { makeGenome as buildTestGenome } from "../audit/testing.ts";
import { openGenome } from "../manifest.ts";
import { temporaryFolder } from "../testing.ts";
import { exportFiles } from "./export-files.ts";
import { exportParquet } from "./export-parquet.ts";
import { exportZip } from "./export-zip.ts";
import { createFileNames } from "./repository-texts.ts";
import { makeGenome } from "./testing.ts";

const source = [
  {
    name: "one",
    files: [
      { path: "a.md", content: "\ufeffä 𓂀\r\n" },
      { path: "b.md", content: "x\n\\<|file_end|>\n" },
    ],
  },
  { name: "../two", files: [{ path: "c.py", content: "x = 1\n" }] },
  { name: "empty", files: [] },
];

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function assertSums(list: Uint8Array, contents: Readonly<Record<string, Uint8Array>>): void {
  const lines = Buffer.from(list).toString().trimEnd().split("\n");
  assert.deepEqual(
    Object.fromEntries(lines.map((line) => [line.slice(66), line.slice(0, 64)])),
    Object.fromEntries(Object.entries(contents).map(([name, bytes]) => [name, sha256(bytes)])),
  );
}

test("files: a text per repository, which together are genome.txt", async (t) => {
  const folder = await temporaryFolder(t);
  const dir = await makeGenome(folder, source);
  const out = join(folder, "texts");
  const { files } = await exportFiles(dir, out, {});
  const names = ["one.txt", "_two.txt", "empty.txt"];
  assert.deepEqual((await readdir(out)).sort(), [...names, "SHA256SUMS"].sort());
  assert.equal(files, 4);
  const contents = await Promise.all(names.map((name) => readFile(join(out, name))));
  assert.deepEqual(Buffer.concat(contents), await readFile(join(dir, "genome.txt")));
  assertSums(await readFile(join(out, "SHA256SUMS")), Object.fromEntries(names.map((name, i) => [name, contents[i]!])));
});

test("zip: texts, genes and lock, the same bytes each time", async (t) => {
  const folder = await temporaryFolder(t);
  const dir = await makeGenome(folder, source);
  await exportZip(dir, join(folder, "a.zip"), {});
  await exportZip(dir, join(folder, "b.zip"), {});
  const bytes = await readFile(join(folder, "a.zip"));
  assert.deepEqual(await readFile(join(folder, "b.zip")), bytes);
  const { SHA256SUMS: sums, ...entries } = unzipSync(bytes);
  assertSums(sums!, entries);
  assert.deepEqual(Buffer.from(entries["genes.jsonl"]!), await readFile(join(dir, "genes.jsonl")));
  const texts = ["one", "_two", "empty"].map((name) => entries[`texts/${name}.txt`]!);
  assert.deepEqual(Buffer.concat(texts), await readFile(join(dir, "genome.txt")));
});

test("parquet: a row per gene with its text, read by another library", async (t) => {
  const folder = await temporaryFolder(t);
  const imported = await makeGenome(folder, source, "imported");
  const { dir: built } = await buildTestGenome(folder);
  for (const [name, dir] of Object.entries({ imported, built })) {
    const out = join(folder, `${name}.parquet`);
    await exportParquet(dir, out, {});
    const bytes = await readFile(out);
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const rows = await parquetReadObjects({ file });
    const genome = await openGenome(dir);
    t.after(() => genome.close());
    const texts = await Promise.all(genome.genes.map((gene) => genome.text(gene)));
    const plain = (_: string, value: unknown): unknown => (typeof value === "bigint" ? Number(value) : value);
    assert.deepEqual(
      rows.map((row) => JSON.parse(JSON.stringify(row, plain).replaceAll(".000Z", "Z")) as unknown),
      // This reader's decoder drops a BOM; that it stands in the file is looked at below.
      genome.genes.map((gene, i) => ({
        ...gene,
        masked: JSON.stringify(gene.masked),
        text: texts[i]!.replace("\ufeff", ""),
      })),
    );
    if (name === "imported") assert.ok(bytes.includes("\ufeffä 𓂀"));
    else assert.ok(genome.genes.every(({ firstCommit }) => firstCommit !== null));
    await exportParquet(dir, `${out}-again`, {});
    assert.deepEqual(await readFile(`${out}-again`), bytes);
  }
});

test("names of files stay in their folder, are portable, and differ", () => {
  const nameOf = createFileNames();
  const names = ["owner/name", "Owner/Name", "../..", "CON", "a:b*c", "", ".git", "x".repeat(300), "name.", "aux.txt"];
  const given = names.map(nameOf);
  assert.deepEqual(given.slice(0, 1), ["owner--name.txt"]);
  assert.equal(new Set(given.map((name) => name.toLowerCase())).size, names.length);
  for (const name of given) {
    assert.match(name, /^[^./\\:*?"<>|\s-][^/\\:*?"<>|]*\.txt$/);
    assert.doesNotMatch(name, /^(?:con|aux)\./i);
    assert.ok(Buffer.byteLength(name) < 160);
  }
});
