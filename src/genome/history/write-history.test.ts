import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { createGit } from "../git.ts";
import type { Snapshot } from "../objects.ts";
import { isolatedEnvironment, temporaryFolder } from "../testing.ts";
import type { HistoryRow } from "./rows.ts";
import { loseObject, makeHistory } from "./testing.ts";
import type { TestCommit, TestHistory } from "./testing.ts";
import { applyChange } from "./text-diff.ts";
import { writeHistory } from "./write-history.ts";
import type { HistoryOptions, HistoryResult } from "./write-history.ts";

/** A reader that knows one reason of its own. */
const read: HistoryOptions["read"] = (bytes) =>
  bytes.includes(0) ? "binary" : { text: Buffer.from(bytes).toString().replaceAll("\r\n", "\n") };

const secret = /tok_[0-9]{16}/g;
const clean: HistoryOptions["clean"] = (text) => {
  const count = text.match(secret)?.length ?? 0;
  return { text: text.replace(secret, "[masked]"), masked: count === 0 ? {} : { token: count } };
};

async function write(
  t: TestContext,
  repositories: readonly { readonly name: string; readonly snapshot: Snapshot }[],
  options: Partial<HistoryOptions> = {},
): Promise<HistoryResult & { rowsRead: HistoryRow[]; text: string }> {
  const folder = await temporaryFolder(t);
  const path = join(folder, "history.jsonl");
  const git = createGit({ env: isolatedEnvironment(folder) });
  const result = await writeHistory(path, repositories, { git, read, clean, wanted: () => true, ...options });
  const text = await readFile(path, "utf8");
  assert.equal(result.bytes, Buffer.byteLength(text));
  assert.equal(result.sha256, createHash("sha256").update(text).digest("hex"));
  const rowsRead = text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as HistoryRow);
  assert.equal(rowsRead.length, result.rows);
  return { ...result, rowsRead, text };
}

async function history(t: TestContext, commits: readonly TestCommit[]): Promise<TestHistory> {
  return makeHistory(await temporaryFolder(t), commits);
}

const numbers = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `line ${from + i}\n`).join("");

test("writes one row per change of a file, newest first, from which the newer text is rebuilt", async (t) => {
  const versions = [numbers(0, 40), numbers(0, 39), `first\n${numbers(0, 39)}`, `first\n${numbers(5, 44)}no end`];
  const marked = "<|file_start|>x\n<|file_end|>\n";
  const { snapshot, commits, git } = await history(t, [
    { files: { "a.txt": versions[0]!, b: "1\n" } },
    {
      files: { "a.txt": versions[1]! },
      message: "Drop a line\n\nIt was wrong.\n\nSigned-off-by: T <t@example.invalid>",
    },
    { files: { "a.txt": versions[2]!, b: marked }, date: "1800000000 +1200" },
    { files: { "a.txt": versions[3]!, gone: "1" } },
    { files: { gone: null } },
  ]);
  const { rowsRead, skipped, incomplete } = await write(t, [{ name: "r", snapshot }]);
  assert.deepEqual(
    rowsRead.map(({ path, commit }) => [path, commits.indexOf(commit)]),
    [
      ["a.txt", 3],
      ["a.txt", 2],
      ["b", 2],
      ["a.txt", 1],
    ],
  );
  assert.deepEqual(rowsRead[3], {
    repository: "r",
    path: "a.txt",
    commit: commits[1],
    date: "2026-01-01T01:00:00Z",
    subject: "Drop a line",
    body: "It was wrong.",
    oldBlob: createHash("sha1").update(`blob ${versions[0]!.length}\0${versions[0]!}`).digest("hex"),
    newBlob: createHash("sha1").update(`blob ${versions[1]!.length}\0${versions[1]!}`).digest("hex"),
    hunks: [
      {
        oldStart: 40,
        newStart: 40,
        old: "line 39\n",
        new: "",
        contextBefore: "line 36\nline 37\nline 38\n",
        contextAfter: "",
      },
    ],
  });
  assert.equal(rowsRead[1]!.date, "2027-01-15T08:00:00Z");
  assert.equal(rowsRead[2]!.hunks[0]!.new, marked);
  for (const row of rowsRead) {
    const [old, next] = await Promise.all(
      [row.oldBlob, row.newBlob].map(async (id) => git.run([`--git-dir=${snapshot.gitDir}`, "cat-file", "blob", id])),
    );
    assert.equal(applyChange(old!.stdout.toString(), row), next!.stdout.toString());
  }
  assert.deepEqual([skipped, incomplete], [{ addition: 2 }, []]);
});

test("masks both versions whole and the message before anything is compared or cut", async (t) => {
  const token = "tok_1234567890123456";
  const { snapshot } = await history(t, [
    { files: { a: `1\nkey = ${token}\n2\n`, b: `x ${token}` } },
    {
      files: { a: `1\nkey = env\n2\n`, b: "x tok_9999999999999999" },
      message: `Remove ${token}\n\n${"y".repeat(3990)} ${token}`,
    },
  ]);
  const { rowsRead, text, masked, skipped } = await write(t, [{ name: "r", snapshot }]);
  for (let i = 0; i + 8 <= token.length; i++) assert.ok(!text.includes(token.slice(i, i + 8)));
  assert.equal(rowsRead[0]!.hunks[0]!.old, "key = [masked]\n");
  assert.equal(rowsRead[0]!.subject, "Remove [masked]");
  assert.deepEqual(masked, { token: 3 });
  assert.deepEqual(skipped, { addition: 2, "same-text": 1 });
});

test("counts by reason what is no row", async (t) => {
  const { snapshot } = await history(t, [
    { files: { mode: "1", link: "1", bin: "1", crlf: "1\n2\n", big: "1", wide: "1", far: "1", reborn: "1" } },
    { files: { reborn: null } },
    {
      files: {
        mode: "1",
        link: "2",
        bin: "\0",
        crlf: "1\r\n2\r\n",
        big: "x".repeat(3000),
        wide: "y".repeat(1000),
        far: numbers(0, 2001),
        reborn: "2",
      },
      modes: { mode: "100755", link: "120000" },
    },
    { files: { mode: "left" }, modes: { mode: "100755" } },
    { files: { mode: "right" }, modes: { mode: "100755" }, parents: [2] },
    { files: { mode: "both" }, modes: { mode: "100755" }, parents: [3, 4] },
  ]);
  const { skipped, rows } = await write(t, [{ name: "r", snapshot }], {
    limits: { fileBytes: 2900, hunkBytes: 900 },
    wanted: (path) => path !== "far",
  });
  assert.equal(rows, 2);
  assert.deepEqual(skipped, {
    addition: 8,
    deletion: 1,
    merge: 1,
    "mode-only": 1,
    "not-a-file": 1,
    binary: 1,
    "same-text": 1,
    "too-large": 1,
    "hunk-too-large": 1,
  });
  const far = await write(t, [{ name: "r", snapshot }], { wanted: (path) => path === "far" });
  assert.deepEqual(far.skipped, { addition: 1, "too-different": 1 });
});

test("bounds the changes and the bytes of each file, from the newest on", async (t) => {
  const commits = Array.from({ length: 40 }, (_, i) => ({ files: { a: `${i}\n`, b: `${i}`.repeat(100) } }));
  const { snapshot, commits: ids } = await history(t, commits);
  const byDefault = await write(t, [{ name: "r", snapshot }]);
  assert.equal(byDefault.rows, 64);
  assert.deepEqual(byDefault.skipped, { addition: 2, "changes-per-file": 14 });
  assert.equal(byDefault.rowsRead.at(-1)!.commit, ids[8]);
  // A change of b takes 400 bytes, or 200 while its number has one digit.
  const few = await write(t, [{ name: "r", snapshot }], { limits: { changesPerFile: 39, bytesPerFile: 900 } });
  assert.equal(few.rowsRead.filter(({ path }) => path === "b").length, 2);
  assert.equal(few.rowsRead.filter(({ path }) => path === "a").length, 39);
  assert.deepEqual(few.skipped, { addition: 2, "bytes-per-file": 37 });
});

test("gives the same bytes again, with paths in the form of the genome", async (t) => {
  const commits = ["1", "2", "3"].map((content) => ({ files: { "\xff\n": content, "\xf0\x90\x8d\x88": content } }));
  const asked: string[] = [];
  const results = [];
  for (let i = 0; i < 2; i++) {
    const { snapshot } = await history(t, commits);
    results.push(await write(t, [{ name: "r", snapshot }], { wanted: (path) => asked.push(path) > 0 }));
  }
  assert.equal(results[0]!.text, results[1]!.text);
  assert.deepEqual(new Set(asked), new Set(["\\xFF\\n", "\u{10348}"]));
  assert.deepEqual(new Set(results[0]!.rowsRead.map(({ path }) => path)), new Set(asked));
});

test("names repositories without a whole history and goes on with the others", async (t) => {
  const commits = ["1", "2", "3", "4"].map((content) => ({ files: { a: content } }));
  const [shallow, torn, treeless, blobless, whole] = await Promise.all(
    commits.concat(commits[0]!).map(() => history(t, commits)),
  );
  await writeFile(join(shallow!.snapshot.gitDir, "shallow"), `${shallow!.commits[1]}\n`);
  await loseObject(torn!, "main~2");
  await loseObject(treeless!, "main^{tree}");
  await loseObject(blobless!, "main~1:a");
  const repositories = Object.entries({ shallow, torn, treeless, blobless, whole });
  const progress: unknown[] = [];
  const { rowsRead, incomplete, skipped } = await write(
    t,
    repositories.map(([name, made]) => ({ name, snapshot: made!.snapshot })),
    { onProgress: ({ repository, rows, done, total }) => progress.push([repository, rows, done, total]) },
  );
  assert.deepEqual(incomplete, [
    { repository: "shallow", state: "shallow" },
    { repository: "torn", state: "damaged" },
    { repository: "treeless", state: "damaged" },
  ]);
  assert.deepEqual(
    rowsRead.map(({ repository, hunks }) => `${repository} ${hunks[0]!.new}`),
    ["torn 4", "blobless 2", "whole 4", "whole 3", "whole 2"],
  );
  assert.deepEqual(skipped, { addition: 2, damaged: 2 });
  assert.deepEqual(progress.at(-1), ["whole", 5, 5, 5]);
});

test("reads again what its memory of versions had to forget", async (t) => {
  const names = ["p", "q", "r", "s", "t"];
  const commits = ["1", "2", "3"].map((first) => ({
    files: Object.fromEntries(names.map((name) => [name, `${first}${name}\n${name.repeat(2_000_000)}`])),
  }));
  const { snapshot } = await history(t, commits);
  const { rowsRead } = await write(t, [{ name: "r", snapshot }], { limits: { fileBytes: 3_000_000 } });
  assert.deepEqual(
    rowsRead.map(({ hunks }) => `${hunks[0]!.old} ${hunks[0]!.new}`),
    [2, 1].flatMap((i) => names.map((name) => `${i}${name}\n ${i + 1}${name}\n`)),
  );
});

test("leaves out a message that is too long or none, and is not led astray by one", async (t) => {
  const { snapshot } = await history(t, [
    { files: { a: "1" } },
    { files: { a: "2" }, message: `secret${"z".repeat(70_000)}` },
    { files: { a: "3" }, message: "Subject\n:100644 100644 1 2 M\ncommit 123 456\n" },
    { files: { a: "4" }, message: "" },
    { files: { a: "5" }, message: Buffer.from("caf\xe9\xff", "latin1") },
  ]);
  const { rowsRead } = await write(t, [{ name: "r", snapshot }]);
  assert.deepEqual(
    rowsRead.map(({ subject, body }) => [subject, body]),
    [
      ["caf", ""],
      ["", ""],
      ["Subject", ":100644 100644 1 2 M\ncommit 123 456"],
      ["", ""],
    ],
  );
});

test("passes on what the reader or the mask throws", async (t) => {
  const { snapshot } = await history(t, [{ files: { a: "1" } }, { files: { a: "2" } }]);
  const failing = (): never => {
    throw new TypeError("broken rule");
  };
  await assert.rejects(write(t, [{ name: "r", snapshot }], { clean: failing }), /broken rule/);
});
