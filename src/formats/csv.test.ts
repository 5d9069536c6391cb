import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { UserError } from "../errors.ts";
import { csvRows, readCsv } from "./csv.ts";
import type { JsonLine } from "./jsonl.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "csv-"));
});
after(() => rm(folder, { recursive: true }));

async function rowsOf(name: string, data: string | Uint8Array): Promise<JsonLine[]> {
  const path = join(folder, name);
  await writeFile(path, data);
  const rows: JsonLine[] = [];
  for await (const row of readCsv(path)) rows.push(row);
  return rows;
}

const fails =
  (code: string, pattern: RegExp) =>
  (error: unknown): boolean =>
    error instanceof UserError && error.code === code && pattern.test(error.message);

test("rows are objects by the header, with the line that they begin on", async () => {
  const table = '\uFEFFprompt, completion\n"a\nb",c\n\n"say ""hi""",d "e"\n"x\r\ny\nz",\n';
  const expected = [
    { line: 2, value: { prompt: "a\nb", completion: "c" } },
    { line: 5, value: { prompt: 'say "hi"', completion: 'd "e"' } },
    { line: 6, value: { prompt: "x\r\ny\nz", completion: "" } },
  ];
  assert.deepEqual(await rowsOf("a.csv", table), expected);
  assert.deepEqual(await rowsOf("a.csv.gz", gzipSync(table)), expected);
  assert.deepEqual([...csvRows(table, { tabs: false, where: "x" })], expected);
});

test("tabs and semicolons are found", async () => {
  assert.deepEqual(await rowsOf("a.tsv", "a\tb\n1,2\t3\n"), [{ line: 2, value: { a: "1,2", b: "3" } }]);
  assert.deepEqual(await rowsOf("b.csv", "a;b;c\n1,5;2;3\n"), [{ line: 2, value: { a: "1,5", b: "2", c: "3" } }]);
});

test("any cells come back, also across the chunks of a stream", async () => {
  const cell = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r\n", " ", "é", "😀"), maxLength: 8 });
  const quoted = (value: string): string => `"${value.replaceAll('"', '""')}"`;
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 6 }), (rows) => {
      const text = ["a,b", ...rows.map((row) => row.map(quoted).join(","))].join("\n");
      const found = [...csvRows(text, { tabs: false, where: "x" })];
      assert.deepEqual(
        found.map(({ value }) => value),
        rows.map(([a, b]) => ({ a, b })),
      );
      let line = 2;
      for (const [i, row] of rows.entries()) {
        assert.equal(found[i]!.line, line);
        line += 1 + row.join("").split("\n").length - 1;
      }
    }),
    { seed: 3, numRuns: 200 },
  );
  const long = Array.from({ length: 60 }, (_, i) => "€\n".repeat(4000) + i);
  const rows = await rowsOf("long.csv", `text\n${long.map(quoted).join("\n")}`);
  assert.deepEqual(
    rows.map(({ value }) => (value as { text: string }).text),
    long,
  );
  assert.equal(rows[1]!.line, 2 + 4001);
});

test("bad tables are named with their line", async () => {
  await assert.rejects(
    rowsOf("c.csv", "a,b\n1,2\n3\n"),
    fails("damaged", /c\.csv, line 3: 1 cells, where the first line has 2/),
  );
  await assert.rejects(rowsOf("d.csv", 'a,b\n1,"2\n3'), fails("damaged", /d\.csv, line \d: .*quote/i));
  await assert.rejects(rowsOf("e.csv", "a,a\n1,2\n"), fails("invalid", /line 1: the column "a" is named twice/));
  const bytes = Buffer.concat([Buffer.from("a\nok\n"), Uint8Array.of(0xc3, 0x28, 10)]);
  await assert.rejects(rowsOf("f.csv", bytes), fails("damaged", /f\.csv.*not valid UTF-8/));
  await assert.rejects(readCsv(join(folder, "none.csv")).next(), fails("not-found", /none\.csv/));
  assert.throws(() => [...csvRows("a,b\n1\n", { tabs: false, where: "x" })], fails("damaged", /x, line 2/));
  assert.deepEqual(await rowsOf("g.csv", ""), []);
});
