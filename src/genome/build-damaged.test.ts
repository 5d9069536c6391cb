/** Builds from repositories whose objects are not what they should be, or whose contents are not wanted. */
import assert from "node:assert/strict";
import { chmod, copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import { verifyGenome } from "./audit/verify.ts";
import { buildGenome } from "./build.ts";
import { glue } from "./clean/testing.ts";
import { openGenome } from "./manifest.ts";
import { isolatedEnvironment, isolatedGit, makeRepository, mustRun, temporaryFolder } from "./testing.ts";
import type { TestFile } from "./testing.ts";

test("damaged blobs are refused by name, or left out and recorded", async (t) => {
  const folder = await temporaryFolder(t);
  const names = ["absent.md", "exchanged.md", "unreadable.md", "whole.md"];
  const gitDir = await makeRepository(join(folder, "one"), [names.map((path) => ({ path, content: `${path}\n` }))]);
  const git = isolatedGit(folder);
  const ids: string[] = [];
  for (const name of names) {
    const id = (await mustRun(git, `--git-dir=${gitDir}`, "rev-parse", `HEAD:${name}`)).trim();
    await chmod(join(gitDir, "objects", id.slice(0, 2), id.slice(2)), 0o644);
    ids.push(id);
  }
  const [absent, exchanged, unreadable, whole] = ids.map((id) => join(gitDir, "objects", id.slice(0, 2), id.slice(2)));
  await rm(absent!);
  await copyFile(whole!, exchanged!);
  await writeFile(unreadable!, "not zlib");
  const options = { sources: [join(folder, "one")], out: join(folder, "genome"), env: isolatedEnvironment(folder) };
  await assert.rejects(buildGenome(options), (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.code, "damaged");
    assert.match(
      error.message,
      new RegExp(
        `^one: absent.md: blob ${ids[0]} is absent; one: exchanged.md: blob ${ids[1]} does not hold the content of its id; ` +
          `one: unreadable.md: blob ${ids[2]} is unreadable$`,
      ),
    );
    assert.match(error.hint!, /--allow-damaged/);
    return true;
  });
  const { damaged, genes, skipped, audit } = await buildGenome({ ...options, allowDamaged: true });
  assert.deepEqual(damaged, [
    { repository: "one", path: "absent.md", blob: ids[0], damage: "absent" },
    { repository: "one", path: "exchanged.md", blob: ids[1], damage: "different content" },
    { repository: "one", path: "unreadable.md", blob: ids[2], damage: "unreadable" },
  ]);
  assert.deepEqual([genes, skipped], [1, { damaged: 3 }]);
  assert.equal(audit.FAIL, 2, "levels 2 and 3");
  const { manifest, close } = await openGenome(options.out);
  await close();
  assert.deepEqual(manifest.damaged, damaged);
  const report = JSON.parse(await readFile(join(options.out, "integrity_report.json"), "utf8"));
  assert.deepEqual(
    report.repositories[0].levels.level_3.corrupted_files.map(({ path }: { path: string }) => path),
    names.slice(0, 3),
  );
  assert.equal((await verifyGenome(options.out, { git })).ok, true, "the gap is known");
});

test("a SHA-256 repository and one that is cut off are genomes too", async (t) => {
  const folder = await temporaryFolder(t);
  const commits = [[{ path: "a.md", content: "one\n" }], [{ path: "a.md", content: "two\n" }]];
  await makeRepository(join(folder, "long"), commits, { objectFormat: "sha256" });
  await makeRepository(join(folder, "origin"), commits);
  const git = isolatedGit(folder);
  await mustRun(
    git,
    "clone",
    "--quiet",
    "--bare",
    "--depth=1",
    `file://${join(folder, "origin")}`,
    join(folder, "cut"),
  );
  const out = join(folder, "genome");
  const sources = ["long", "cut"].map((name) => join(folder, name));
  await buildGenome({ sources, out, env: isolatedEnvironment(folder), history: true });
  const { genes, repositories, manifest, close } = await openGenome(out);
  await close();
  const [cut, long] = genes;
  assert.equal(long!.blob.length, 64);
  assert.deepEqual([long!.changes, long!.lastCommit], [2, "2026-01-01T00:00:00Z"]);
  assert.deepEqual([cut!.changes, cut!.firstCommit, cut!.lastCommit], [null, null, null]);
  assert.deepEqual(
    repositories.map(({ name, shallow }) => [name, shallow]),
    [
      ["cut", true],
      ["long", false],
    ],
  );
  assert.equal(manifest.counts.history!.rows, 1);
  assert.deepEqual(manifest.counts.history!.incomplete, [{ repository: "cut", state: "shallow" }]);
  assert.equal((await verifyGenome(out, { git })).ok, true);
});

test("what is not wanted is left out and counted by reason", async (t) => {
  const folder = await temporaryFolder(t);
  const files: readonly TestFile[] = [
    { path: "LICENSE", content: "GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007\n" },
    { path: "a.py", content: "# SPDX-License-Identifier: MIT\nx = 1\n" },
    { path: "b.py", content: "# SPDX-License-Identifier: GPL-3.0-only\ny = 2\n" },
    { path: "c.rb", content: "puts 1\n" },
    { path: "large.py", content: `# SPDX-License-Identifier: MIT\n${"z = 3\n".repeat(500)}` },
    { path: glue("AK", "IA", "Q7SMBDJ2WZKX4TVN/d.py"), content: "d = 4\n" },
  ];
  await makeRepository(join(folder, "one"), [files]);
  const env = isolatedEnvironment(folder);
  const build = (options: object) =>
    buildGenome({ sources: [join(folder, "one")], out: join(folder, "genome"), env, ...options });
  const counts = async (options: object) => {
    const { genes, skipped } = await build(options);
    return { genes, skipped };
  };
  assert.deepEqual(await counts({}), { genes: 5, skipped: { "secret-in-path": 1 } });
  assert.deepEqual((await counts({ extensions: "ecosystem" })).skipped, { extension: 2, "secret-in-path": 1 });
  assert.deepEqual((await counts({ fileBytes: 1000 })).skipped, { "secret-in-path": 1, "too-large": 1 });
  assert.deepEqual((await counts({ repositoryBytes: 100 })).skipped, { "repository-limit": 2, "secret-in-path": 1 });
  assert.deepEqual(await counts({ licences: "permissive" }), {
    genes: 2,
    skipped: { licence: 3, "secret-in-path": 1 },
  });
  await assert.rejects(
    build({ licences: "permisive" }),
    (error) => error instanceof UserError && error.code === "usage",
  );
});
