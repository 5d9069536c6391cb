import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { deflateSync } from "node:zlib";
import { UserError } from "../errors.ts";
import type { Git } from "./git.ts";
import { listTree } from "./objects.ts";
import { isolatedGit, makeRepository, mustRun, temporaryFolder } from "./testing.ts";
import { parseTree } from "./tree.ts";

const blob = "ce013625030ba8dba906f756967f9e9ca394464a"; // "hello\n"

function treeOf(entries: readonly (readonly [mode: string, name: string, id: string])[]): Buffer {
  const parts = entries.map(([mode, name, id]) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(id, "hex")]);
  return Buffer.concat(parts.flat());
}

/** Writes objects as they are, as no git would make them. */
async function setUp(t: TestContext) {
  const folder = await temporaryFolder(t);
  const git = isolatedGit(folder);
  const gitDir = await makeRepository(join(folder, "r"), []);
  return { git, gitDir, write: (tree: Buffer) => writeObject(git, gitDir, "tree", tree) };
}

async function writeObject(git: Git, gitDir: string, type: string, content: Buffer): Promise<string> {
  const child = git.stream([`--git-dir=${gitDir}`, "hash-object", "-t", type, "-w", "--literally", "--stdin"]);
  let id = "";
  child.stdout.on("data", (text: Buffer) => (id += text.toString()));
  child.stdin.end(content);
  assert.equal((await child.ended).status, 0);
  return id.trim();
}

function snapshotOf(gitDir: string, tree: string) {
  return { gitDir, commit: "0".repeat(40), tree, shallow: false };
}

test("names that try to escape are set apart, with all below them; odd ones that cannot are kept", async (t) => {
  const { git, gitDir, write } = await setUp(t);
  await writeObject(git, gitDir, "blob", Buffer.from("hello\n"));
  const below = await write(treeOf([["100644", "passwd", blob]]));
  const unsafe = [
    "..",
    ".",
    "",
    "/etc/passwd",
    "a/b",
    "..\0".slice(0, 2),
    ".git",
    ".GIT",
    "git~1",
    ".git ",
    ".git::$INDEX",
  ];
  const safe = [
    "CON",
    "nul.txt",
    "COM1",
    "-rf",
    "x".repeat(4096),
    "a\\b",
    ".gitignore",
    ".github",
    "...",
    "\n",
    "a\u202eb",
  ];
  const root = await write(
    treeOf([
      ...[...new Set(unsafe)].map((name) => ["100644", name, blob] as const),
      ...safe.map((name) => ["100664", name, blob] as const),
      ["40000", "~", below],
      ["040000", "old", below],
      ["100755", "CON", blob], // A second one of the name.
      ["160000", "module", blob],
      ["120000", "link", blob],
    ]),
  );
  const around = await write(
    treeOf([
      ["40000", "..", root],
      ["40000", "ok", root],
    ]),
  );
  const entries = (await listTree(git, snapshotOf(gitDir, around), "x")).map(({ mode, type, id, path }) => ({
    mode,
    type,
    id,
    path: Buffer.from(path).toString(),
  }));
  const ok = entries.filter(({ path }) => path.startsWith("ok/"));
  assert.deepEqual(
    ok.filter(({ type }) => type === "unsafe").map(({ path }) => path.slice(3)),
    [...new Set(unsafe), "CON"],
  );
  assert.deepEqual(
    ok.filter(({ type }) => type !== "unsafe").map(({ type, mode, path }) => `${type} ${mode} ${path.slice(3)}`),
    [
      ...safe.map((name) => `blob 100644 ${name}`),
      "blob 100644 ~/passwd",
      "blob 100644 old/passwd",
      "commit 160000 module",
      "blob 120000 link",
    ],
  );
  assert.ok(entries.filter(({ path }) => path.startsWith("../")).every(({ type }) => type === "unsafe"));
  assert.equal(entries.length, 2 * ok.length);
});

test("the listing is git's own", async (t) => {
  const folder = await temporaryFolder(t);
  const git = isolatedGit(folder);
  for (const objectFormat of ["sha1", "sha256"] as const) {
    const files = ["z", "a/b/c", "a.b", "a/b.c", "a-b", Buffer.from([0x61, 0xff, 0x0a]), "\u{13080}/x y"];
    const contents = files.map((path) => ({ path, content: "same", mode: path === "z" ? "100755" : "100644" }));
    const gitDir = await makeRepository(join(folder, objectFormat), [contents], { objectFormat });
    const tree = (await mustRun(git, `--git-dir=${gitDir}`, "rev-parse", "HEAD^{tree}")).trim();
    const entries = await listTree(git, snapshotOf(gitDir, tree), "x");
    const { stdout } = await git.run([`--git-dir=${gitDir}`, "ls-tree", "-r", "-z", tree]);
    const lines = entries.map(({ mode, type, id, path }) =>
      Buffer.concat([Buffer.from(`${mode} ${type} ${id}\t`), path, Buffer.from("\0")]),
    );
    assert.deepEqual(Buffer.concat(lines), stdout);
  }
});

test("trees may be as deep as they like", async (t) => {
  const { git, gitDir } = await setUp(t);
  const depth = 5000;
  const path = `${"d/".repeat(depth)}f`;
  // One object per level, from the innermost on.
  let id = createHash("sha1").update("blob 6\0hello\n").digest("hex");
  const trees: Buffer[] = [];
  for (let level = 0; level <= depth; level++) {
    const content = treeOf([[level === 0 ? "100644" : "40000", level === 0 ? "f" : "d", id]]);
    id = createHash("sha1").update(`tree ${content.length}\0`).update(content).digest("hex");
    trees.push(content);
  }
  await writePack(git, gitDir, trees);
  const entries = await listTree(git, snapshotOf(gitDir, id), "x");
  assert.deepEqual(
    entries.map((entry) => Buffer.from(entry.path).toString()),
    [path],
  );
});

test("a tree that names itself a thousand million times over is refused before it is laid out", async (t) => {
  const { git, gitDir, write } = await setUp(t);
  const ten = (mode: string, id: string) => treeOf(Array.from("0123456789", (name) => [mode, name, id] as const));
  let id = await write(ten("100644", blob));
  for (let level = 0; level < 8; level++) id = await write(ten("40000", id));
  await assert.rejects(
    listTree(git, snapshotOf(gitDir, id), "bomb"),
    (error) =>
      error instanceof UserError && error.code === "unsupported" && /bomb: .* 5000000 files/.test(error.message),
  );
});

test("bytes that are no tree are none", () => {
  const good = treeOf([["100644", "a", blob]]);
  assert.equal(parseTree(good, 20)?.files, 1);
  assert.equal(parseTree(Buffer.alloc(0), 20)?.files, 0);
  const bad = ["100644", "100644 a", "100644 a\0short", "x a\0", " a\0", "12345678 a\0"];
  for (const text of bad.slice(0, 3)) assert.equal(parseTree(Buffer.from(text), 20), undefined, text);
  for (const text of bad.slice(3)) assert.equal(parseTree(Buffer.from(text.padEnd(40, "x")), 20), undefined, text);
  assert.equal(parseTree(good.subarray(0, -1), 20), undefined);
});

/** Writes trees as one pack: thousands of small files would take longer. */
async function writePack(git: Git, gitDir: string, trees: readonly Buffer[]): Promise<void> {
  const header = Buffer.alloc(12);
  header.write("PACK");
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(trees.length, 8);
  const objects = trees.flatMap((tree) => {
    assert.ok(tree.length >= 16 && tree.length < 2048);
    return [Buffer.from([0x80 | (2 << 4) | (tree.length & 15), tree.length >> 4]), deflateSync(tree, { level: 0 })];
  });
  const pack = Buffer.concat([header, ...objects]);
  const child = git.stream([`--git-dir=${gitDir}`, "index-pack", "--stdin"]);
  child.stdout.resume();
  child.stdin.end(Buffer.concat([pack, createHash("sha1").update(pack).digest()]));
  const { status, stderr } = await child.ended;
  assert.equal(status, 0, stderr);
}
