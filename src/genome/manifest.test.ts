import assert from "node:assert/strict";
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import { buildGenome } from "./build.ts";
import { openGenome } from "./manifest.ts";
import { isolatedEnvironment, makeRepository, temporaryFolder } from "./testing.ts";

test("whatever was changed in a genome folder is noticed", async (t) => {
  const folder = await temporaryFolder(t);
  const source = join(folder, "one");
  await makeRepository(source, [
    [
      { path: "a.md", content: "first\n" },
      { path: "b.md", content: "second\n" },
    ],
  ]);
  const dir = join(folder, "genome");
  await buildGenome({ sources: [source], out: dir, env: isolatedEnvironment(folder) });
  const isDamaged = (error: unknown): boolean =>
    error instanceof UserError && error.code === "damaged" && error.hint !== undefined;
  const changes: [name: string, from: string, to: string][] = [
    ["genes.jsonl", '"kind":"prose"', '"kind":"code"'],
    ["genome.lock.json", '"name": "one"', '"name": "two"'],
    ["manifest.json", '"format": "safe"', '"format": "loose"'],
    ["manifest.json", "{", ""],
  ];
  for (const [name, from, to] of changes) {
    const path = join(dir, name);
    const good = await readFile(path, "utf8");
    assert.ok(good.includes(from));
    await writeFile(path, good.replace(from, to));
    await assert.rejects(openGenome(dir), isDamaged, name);
    await writeFile(path, good);
  }
  const text = join(dir, "genome.txt");
  const good = await readFile(text, "utf8");
  await writeFile(text, good.replace("first", "worst"));
  const genome = await openGenome(dir);
  await assert.rejects(genome.text(genome.genes[0]!), isDamaged);
  assert.equal(await genome.text(genome.genes[1]!), "second\n");
  await genome.close();
  await appendFile(text, "x");
  await assert.rejects(openGenome(dir), isDamaged);
});

test("a folder without a genome says so", async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, "empty"));
  for (const name of ["empty", "absent"]) {
    await assert.rejects(
      openGenome(join(folder, name)),
      (error) => error instanceof UserError && error.code === "not-found",
    );
  }
});
