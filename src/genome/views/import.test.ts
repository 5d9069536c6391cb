import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { UserError } from "../../errors.ts";
import { verifyGenome } from "../audit/verify.ts";
import { openGenome } from "../manifest.ts";
import { isolatedGit, temporaryFolder } from "../testing.ts";
import { writeEcosystemText } from "../text/ecosystem.ts";
import { markers, piecesOf } from "../text/testing.ts";
import { exportText } from "./export-text.ts";
import { importGenome } from "./import.ts";

const source = [
  {
    name: "one",
    files: [
      { path: "LICENSE", content: "Permission to use, copy, modify, and/or distribute this software" },
      { path: "a b/x.py", content: "x = 1\n" },
      { path: "𓂀-x/ä.md", content: "\ufeff# Title\r\ntext\r\n" },
      { path: "copy.py", content: "x = 1\n" },
      { path: "empty.txt", content: "" },
    ],
  },
  { name: "owner/two", files: [{ path: "back\\slash.txt", content: "no final newline" }] },
];

async function bytesOf(genome: Parameters<typeof piecesOf>[0]): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(writeEcosystemText(piecesOf(genome))));
}

test("an archived genome becomes a genome folder, and the identical bytes again", async (t) => {
  const folder = await temporaryFolder(t);
  const [file, dir, again] = ["dataset.txt", "genome", "again.txt"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const bytes = Buffer.concat([Buffer.from("\ufeff\n"), await bytesOf(source), Buffer.from("\n\n")]);
  await writeFile(file, bytes);
  const imported = await importGenome(file, dir);
  assert.deepEqual(
    [imported.format, imported.repositories, imported.genes, imported.edits, imported.editBytes],
    ["ecosystem", 2, 6, 4, 6],
  );
  const genome = await openGenome(dir);
  try {
    assert.equal(genome.manifest.imported, true);
    const found = await Promise.all(
      genome.genes.map(async (gene) => [gene.repository, gene.path, gene.sha256, await genome.text(gene)]),
    );
    const wanted = source.flatMap(({ name, files }) =>
      files.map(({ path, content }) => [name, path, createHash("sha256").update(content).digest("hex"), content]),
    );
    assert.deepEqual(found, wanted);
    const [, x, bom, copy] = genome.genes;
    // git hash-object of "x = 1\n"
    assert.equal(x!.blob, "7d4290a117a4ddcc11daae7ea675841033830c8f");
    assert.deepEqual(
      [x!.commit, x!.duplicateKind, x!.representative, copy!.representative, copy!.duplicateClass],
      [null, "exact", true, false, x!.duplicateClass],
    );
    assert.deepEqual(bom!.flags.slice(0, 2), ["bom", "carriage-returns"]);
    assert.equal(genome.genes[1]!.kind, "code");
  } finally {
    await genome.close();
  }
  const { ok, checks } = await verifyGenome(dir, { git: isolatedGit(folder) });
  assert.deepEqual(
    [ok, checks.map(({ check, status }) => `${check} ${status}`)],
    [true, ["sums PASS", "lock PASS", "texts PASS", "manifest PASS", "blobs SKIPPED"]],
  );
  await exportText(dir, again, { format: "ecosystem" });
  assert.deepEqual(await readFile(again), bytes);
});

test("what stands in no order, or twice, is imported as it stands and verified", async (t) => {
  const folder = await temporaryFolder(t);
  const twice = [
    { path: "z.md", content: "z\n" },
    { path: "a.md", content: "mail me at someone@example.org\n" },
    { path: "a.md", content: "again" },
  ];
  const bytes = await bytesOf([
    { name: "z", files: twice },
    { name: "a", files: [] },
    { name: "z", files: twice },
    { name: "z", files: twice },
  ]);
  await writeFile(join(folder, "in.txt"), bytes);
  await importGenome(join(folder, "in.txt"), join(folder, "genome"));
  const { ok, failures } = await verifyGenome(join(folder, "genome"), { git: isolatedGit(folder) });
  assert.deepEqual([ok, failures], [true, []]);
  const genome = await openGenome(join(folder, "genome"));
  await genome.close();
  assert.deepEqual(
    genome.genes.map(({ repository, path }) => `${repository}/${path}`),
    [1, 2, 3].flatMap(() => ["z/z.md", "z/a.md", "z/a.md"]),
  );
  assert.deepEqual(genome.manifest.counts.masked, {});
  await exportText(join(folder, "genome"), join(folder, "out.txt"), { format: "ecosystem" });
  assert.deepEqual(await readFile(join(folder, "out.txt")), bytes);
});

test("any text with a repository comes out again as it went in", async (t) => {
  const folder = await temporaryFolder(t);
  const line = fc.oneof(
    fc.constantFrom(...markers, ...markers.map((marker) => `\\${marker}`), ...markers.map((marker) => `${marker}a`)),
    fc.constantFrom("", "x", "\\", "\ufeff"),
    fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  );
  const lines = fc.array(fc.tuple(line, fc.constantFrom("\n", "\n", "\r\n", "")), { maxLength: 12 });
  const git = isolatedGit(folder);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(lines, lines, async (before, after) => {
      const place = join(folder, String(run++));
      await mkdir(place);
      const start = [
        ["\n", ""],
        ["<|repo_start|>r", "\n"],
        ["<|file_start|>f", "\n"],
      ];
      const bytes = Buffer.from([...before, ...start, ...after].flat().join(""), "latin1");
      await writeFile(join(place, "in.txt"), bytes);
      await importGenome(join(place, "in.txt"), join(place, "genome"));
      await exportText(join(place, "genome"), join(place, "out.txt"), { format: "ecosystem" });
      assert.deepEqual(await readFile(join(place, "out.txt")), bytes);
      const { failures } = await verifyGenome(join(place, "genome"), { git });
      assert.deepEqual(failures, []);
      await exportText(join(place, "genome"), join(place, "safe.txt"), { format: "safe" });
      assert.deepEqual(await readFile(join(place, "safe.txt")), await readFile(join(place, "genome/genome.txt")));
      await rm(place, { recursive: true });
    }),
    { numRuns: 25 },
  );
});

test("a genome.txt in its folder is read as safe; the ecosystem's format refuses what it cannot hold", async (t) => {
  const folder = await temporaryFolder(t);
  const at = (name: string): string => join(folder, name);
  const quoting = [{ name: "r", files: [{ path: "a.md", content: "x\n<|file_end|>\ny" }] }];
  await writeFile(at("dataset.txt"), await bytesOf(quoting));
  await importGenome(at("dataset.txt"), at("first"));
  const second = await importGenome(at("first/genome.txt"), at("second"));
  assert.deepEqual([second.format, second.edits], ["safe", 0]);
  assert.deepEqual(await readFile(at("second/genome.txt")), await readFile(at("first/genome.txt")));
  await assert.rejects(
    exportText(at("second"), at("out.txt"), { format: "ecosystem" }),
    (error) => error instanceof UserError && error.code === "unsupported" && error.message.startsWith("r/a.md line 2 "),
  );
  const alone = await importGenome(at("first/genome.txt"), at("third"), { format: "ecosystem" });
  assert.equal(alone.escapedLines, 1);
  await writeFile(at("named.txt"), "<|repo_start|>r\n<|file_start|>a\\\\b\nx\n<|file_end|>\n<|repo_end|>\n\n");
  await importGenome(at("named.txt"), at("named"), { format: "safe" });
  await assert.rejects(
    exportText(at("named"), at("out.txt"), { format: "ecosystem" }),
    (error) => error instanceof UserError && error.code === "unsupported" && error.message.includes("a\\\\b"),
  );
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith("out")),
    [],
  );
});

test("what stands there is not written over, and a damaged genome is not exported", async (t) => {
  const folder = await temporaryFolder(t);
  const at = (name: string): string => join(folder, name);
  const code = (wanted: string) => (error: unknown) => error instanceof UserError && error.code === wanted;
  await writeFile(at("dataset.txt"), await bytesOf(source));
  await importGenome(at("dataset.txt"), at("genome"));
  await assert.rejects(importGenome(at("dataset.txt"), at("genome")), code("exists"));
  await assert.rejects(exportText(at("genome"), at("dataset.txt"), { format: "safe" }), code("exists"));
  await assert.rejects(importGenome(at("nowhere.txt"), at("other")), code("not-found"));
  await writeFile(at("none.txt"), "<|repo_start|>r\n<|repo_end|>\n\n");
  await assert.rejects(importGenome(at("none.txt"), at("other")), code("empty"));
  const text = await readFile(at("genome/genome.txt"), "utf8");
  await writeFile(at("genome/genome.txt"), text.replace("x = 1", "x = 2"));
  for (const format of ["safe", "ecosystem"] as const) {
    await assert.rejects(exportText(at("genome"), at("out.txt"), { format }), code("damaged"));
  }
  assert.deepEqual((await readdir(folder)).sort(), ["dataset.txt", "genome", "none.txt"]);
});
