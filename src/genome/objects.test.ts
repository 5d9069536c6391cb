import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmod, copyFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import { listTree, openSnapshot, readBlobs } from "./objects.ts";
import { isolatedGit, makeRepository, mustRun, temporaryFolder } from "./testing.ts";

function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

for (const objectFormat of ["sha1", "sha256"] as const) {
  test(`blobs of a ${objectFormat} repository come verified, in the order asked for`, async (t) => {
    const folder = await temporaryFolder(t);
    const large = Buffer.alloc(300_000, "ab\n");
    const odd = Buffer.from([0x6f, 0xff, 0x0a, 0x22]);
    const files = [
      { path: "b/large", content: large },
      { path: odd, content: "odd" },
      { path: "empty", content: "" },
    ];
    const gitDir = await makeRepository(folder, [[{ path: "gone", content: "x" }], files], { objectFormat });
    const git = isolatedGit(folder);
    const snapshot = await openSnapshot(git, gitDir, "HEAD", "test");
    assert.equal(snapshot.commit.length, objectFormat === "sha1" ? 40 : 64);
    const entries = await listTree(git, snapshot, "test");
    assert.deepEqual(
      new Set(entries.map(({ path }) => Buffer.from(path).toString("hex"))),
      new Set(files.map(({ path }) => Buffer.from(path).toString("hex"))),
    );
    const ids = entries.map(({ id }) => id).toReversed();
    const answers = await Array.fromAsync(readBlobs(git, gitDir, [...ids, ids[0]!], { limit: 1000 }));
    assert.deepEqual(
      answers.map(({ id }) => id),
      [...ids, ids[0]],
    );
    const bySize = new Map(answers.map((answer) => ["bytes" in answer ? answer.bytes : -1, answer]));
    assert.deepEqual(bySize.get(large.length), {
      id: bySize.get(large.length)!.id,
      bytes: large.length,
      content: null,
      sha256: sha256(large),
    });
    const small = bySize.get(3);
    assert.ok(small !== undefined && "content" in small && Buffer.from(small.content!).toString() === "odd");
    const empty = bySize.get(0);
    assert.ok(empty !== undefined && "sha256" in empty && empty.sha256 === sha256(""));
  });
}

test("absent, unreadable and exchanged objects are told apart, and the rest is still read", async (t) => {
  const folder = await temporaryFolder(t);
  const contents = [
    "one\n",
    "two\n",
    "three\n",
    "four\n",
    "five\n",
    `six\n${Array.from({ length: 4000 }, (_, i) => i ** 3).join(" ")}`,
    "seven\n",
  ];
  const gitDir = await makeRepository(folder, [
    contents.map((content) => ({ path: content.split("\n")[0]!, content })),
  ]);
  const git = isolatedGit(folder);
  const ids: string[] = [];
  for (const content of contents)
    ids.push((await mustRun(git, `--git-dir=${gitDir}`, "rev-parse", `HEAD:${content.split("\n")[0]}`)).trim());
  const file = (id: string): string => join(gitDir, "objects", id.slice(0, 2), id.slice(2));
  for (const id of ids) await chmod(file(id), 0o644);
  await rm(file(ids[1]!));
  await writeFile(file(ids[2]!), "not zlib at all");
  await copyFile(file(ids[0]!), file(ids[3]!));
  await truncate(file(ids[5]!), 2000);
  const answers = await Array.fromAsync(readBlobs(git, gitDir, ids, { limit: 1000 }));
  assert.deepEqual(
    answers.map((answer) => ("damage" in answer ? answer.damage : Buffer.from(answer.content!).toString())),
    ["one\n", "absent", "unreadable", "different content", "five\n", "unreadable", "seven\n"],
  );
});

test("refs/replace changes nothing", async (t) => {
  const folder = await temporaryFolder(t);
  const gitDir = await makeRepository(folder, [
    [
      { path: "a", content: "true" },
      { path: "b", content: "false" },
    ],
  ]);
  const git = isolatedGit(folder);
  const [a, b] = (await mustRun(git, `--git-dir=${gitDir}`, "rev-parse", "HEAD:a", "HEAD:b")).trim().split("\n");
  await mustRun(git, `--git-dir=${gitDir}`, "replace", a!, b!);
  const [answer] = await Array.fromAsync(readBlobs(git, gitDir, [a!], { limit: 1000 }));
  assert.ok(answer !== undefined && "content" in answer && Buffer.from(answer.content!).toString() === "true");
});

test("a repository without a commit, or without one of its trees, is an error with a remedy", async (t) => {
  const folder = await temporaryFolder(t);
  const git = isolatedGit(folder);
  const unborn = await makeRepository(join(folder, "unborn"), []);
  await assert.rejects(
    openSnapshot(git, unborn, "HEAD", "unborn"),
    (error) => error instanceof UserError && error.code === "empty",
  );
  const gitDir = await makeRepository(join(folder, "torn"), [[{ path: "sub/a", content: "x" }]]);
  const tree = (await mustRun(git, `--git-dir=${gitDir}`, "rev-parse", "HEAD:sub")).trim();
  await rm(join(gitDir, "objects", tree.slice(0, 2), tree.slice(2)));
  const snapshot = await openSnapshot(git, gitDir, "HEAD", "torn");
  await assert.rejects(
    listTree(git, snapshot, "torn"),
    (error) => error instanceof UserError && error.code === "damaged",
  );
});
