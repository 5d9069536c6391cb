import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { readFilesToMeasure } from "./documents.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "documents-"));
  await mkdir(join(folder, "sub", ".git"), { recursive: true });
  await writeFile(join(folder, "b.md"), "bé\n");
  await writeFile(join(folder, "sub", "a.txt"), "a");
  await writeFile(join(folder, "sub", "image.bin"), Buffer.from([0xff, 0xfe, 0x00]));
  await writeFile(join(folder, "sub", ".git", "HEAD"), "ref");
  await writeFile(join(folder, "c.jsonl"), '{"repository":"r","path":"x/y.ts","text":"one"}\n\n{"text":"two"}\n');
  await writeFile(join(folder, "d.jsonl.gz"), gzipSync('{"text":"three"}\n'));
});
after(() => rm(folder, { recursive: true }));

test("a folder gives its text files and lines in order, and names what it skips", async () => {
  const { documents, skipped } = await readFilesToMeasure([folder]);
  assert.deepEqual(documents, [
    { id: join(folder, "b.md"), text: "bé\n" },
    { id: "r/x/y.ts", text: "one", group: "r" },
    { id: `${join(folder, "c.jsonl")}#3`, text: "two" },
    { id: `${join(folder, "d.jsonl.gz")}#1`, text: "three" },
    { id: join(folder, "sub", "a.txt"), text: "a" },
  ]);
  assert.deepEqual(
    skipped.map(({ path }) => path),
    [join(folder, "sub", "image.bin")],
  );
});

test("files are read in the order given; a named file that is no text is an error", async () => {
  const paths = [join(folder, "sub", "a.txt"), join(folder, "b.md")];
  assert.deepEqual(
    (await readFilesToMeasure(paths)).documents.map(({ text }) => text),
    ["a", "bé\n"],
  );
  await assert.rejects(readFilesToMeasure([join(folder, "sub", "image.bin")]), { code: "damaged" });
  await assert.rejects(readFilesToMeasure([join(folder, "missing")]), { code: "not-found" });
  await assert.rejects(readFilesToMeasure([join(folder, "sub", ".git", "none")]), { code: "not-found" });
});

test("only lines of the split asked for are read", async () => {
  const path = join(folder, "e.jsonl");
  await writeFile(path, '{"text":"one","split":"train"}\n{"text":"two","split":"heldout"}\n');
  const { documents } = await readFilesToMeasure([path], { split: "heldout" });
  assert.deepEqual(documents, [{ id: `${path}#2`, text: "two" }]);
  await assert.rejects(readFilesToMeasure([path], { split: "other" }), { code: "empty", message: /split "other"/ });
  await assert.rejects(readFilesToMeasure([join(folder, "b.md")], { split: "heldout" }), { code: "usage" });
  await rm(path);
});

test("a folder without text is an error", async () => {
  const empty = join(folder, "empty");
  await mkdir(empty);
  await assert.rejects(readFilesToMeasure([empty]), { code: "empty" });
});
