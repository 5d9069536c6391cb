import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, open, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { UserError } from "../errors.ts";
import type { Git } from "./git.ts";
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

/** Where a loose object lies. */
function fileOf(gitDir: string, id: string): string {
  return join(gitDir, "objects", id.slice(0, 2), id.slice(2));
}

async function idsOf(git: Git, gitDir: string, ...revisions: string[]): Promise<string[]> {
  return (await mustRun(git, `--git-dir=${gitDir}`, "rev-parse", ...revisions)).trim().split("\n");
}

test("a commit or a tree that was exchanged or torn is damage, and named", async (t) => {
  const folder = await temporaryFolder(t);
  const git = isolatedGit(folder);
  const commits = [[{ path: "sub/a", content: "one" }], [{ path: "sub/a", content: "two" }]];
  const gitDir = await makeRepository(folder, commits);
  const [commit, former, sub, formerSub] = await idsOf(git, gitDir, "HEAD", "HEAD~1", "HEAD:sub", "HEAD~1:sub");
  const snapshot = await openSnapshot(git, gitDir, "HEAD", "r");
  for (const id of [commit, sub]) await chmod(fileOf(gitDir, id!), 0o644);
  const fails = (work: Promise<unknown>, message: RegExp) =>
    assert.rejects(work, (error) => {
      assert.ok(error instanceof UserError && error.code === "damaged" && error.hint !== undefined, String(error));
      assert.match(error.message, message);
      return true;
    });
  await copyFile(fileOf(gitDir, formerSub!), fileOf(gitDir, sub!));
  await fails(
    listTree(git, snapshot, "r"),
    /^r: tree \w+ \(\/sub\) of commit \w+ does not hold the content of its id$/,
  );
  await writeFile(fileOf(gitDir, sub!), "torn");
  await fails(listTree(git, snapshot, "r"), /^r: tree \w+ \(\/sub\) of commit \w+ is unreadable$/);
  await rm(fileOf(gitDir, sub!));
  await fails(listTree(git, snapshot, "r"), /^r: tree \w+ \(\/sub\) of commit \w+ is absent$/);
  await copyFile(fileOf(gitDir, former!), fileOf(gitDir, commit!));
  await assert.rejects(openSnapshot(git, gitDir, "HEAD", "r"), UserError);
});

test("an announced size takes no memory, and what does not follow is unreadable", async (t) => {
  const folder = await temporaryFolder(t);
  const git = isolatedGit(folder);
  const gitDir = await makeRepository(folder, [[{ path: "a", content: "x" }]]);
  const id = "12".repeat(20);
  const [other] = await idsOf(git, gitDir, "HEAD:a");
  const size = 2 ** 31;
  await makeLoose(gitDir, id, deflateSync(`blob ${size}\0little`));
  const before = process.memoryUsage.rss();
  for (const limit of [1000, size]) {
    const answers = await Array.fromAsync(readBlobs(git, gitDir, [id, other!], { limit }));
    assert.deepEqual(
      answers.map((answer) => ("damage" in answer ? answer.damage : answer.bytes)),
      ["unreadable", 1],
    );
  }
  assert.ok(process.memoryUsage.rss() - before < 2 ** 28);
});

async function makeLoose(gitDir: string, id: string, content: Uint8Array): Promise<void> {
  await mkdir(join(gitDir, "objects", id.slice(0, 2)), { recursive: true });
  await writeFile(fileOf(gitDir, id), content);
}

test("of thousands of absent blobs each is told, and torn ones among them too", async (t) => {
  const folder = await temporaryFolder(t);
  const git = isolatedGit(folder);
  const gitDir = await makeRepository(folder, [[{ path: "a", content: "x" }]]);
  const [present] = await idsOf(git, gitDir, "HEAD:a");
  const absent = Array.from({ length: 3000 }, (_, i) => (i + 1).toString(16).padStart(40, "e"));
  const read = async (ids: string[]) =>
    (await Array.fromAsync(readBlobs(git, gitDir, ids, { limit: 10 }))).map((answer) =>
      "damage" in answer ? answer.damage : "had",
    );
  const started = performance.now();
  assert.deepEqual(await read([...absent, present!]), [...absent.map(() => "absent"), "had"]);
  assert.ok(performance.now() - started < 3000, "not asked about one by one");
  const torn = "ab".repeat(20);
  await makeLoose(gitDir, torn, new Uint8Array(0));
  const some = absent.slice(0, 60);
  assert.deepEqual(await read([...some, torn, present!]), [...some.map(() => "absent"), "unreadable", "had"]);
});

test("a torn pack is unreadable where it is torn", async (t) => {
  const folder = await temporaryFolder(t);
  const git = isolatedGit(folder);
  const contents = Array.from({ length: 20 }, (_, i) => Array.from({ length: 300 }, (_x, j) => (i * j) ** 3).join(" "));
  const gitDir = await makeRepository(folder, [contents.map((content, i) => ({ path: `f${i}`, content }))]);
  await mustRun(git, `--git-dir=${gitDir}`, "-c", "pack.window=0", "repack", "-a", "-d", "--quiet");
  const ids = await idsOf(git, gitDir, ...contents.map((_, i) => `HEAD:f${i}`));
  const pack = (await readdir(join(gitDir, "objects/pack"))).find((name) => name.endsWith(".pack"))!;
  const { stdout } = await git.run([`--git-dir=${gitDir}`, "verify-pack", "-v", join(gitDir, "objects/pack", pack)]);
  const offset = Number(new RegExp(`^${ids[7]} blob +\\d+ \\d+ (\\d+)$`, "m").exec(stdout.toString())![1]);
  await chmod(join(gitDir, "objects/pack", pack), 0o644);
  const handle = await open(join(gitDir, "objects/pack", pack), "r+");
  await handle.write(Buffer.alloc(60, 0xff), 0, 60, offset + 20);
  await handle.close();
  const answers = await Array.fromAsync(readBlobs(git, gitDir, ids, { limit: 10_000 }));
  assert.deepEqual(
    answers.map((answer) => ("damage" in answer ? answer.damage : "had")),
    ids.map((_, i) => (i === 7 ? "unreadable" : "had")),
  );
});
