import assert from "node:assert/strict";
import { access, chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { uniform } from "../../formats/random.ts";
import { isolatedEnvironment, mustRun, temporaryFolder } from "../testing.ts";
import { createGit } from "../git.ts";
import type { Git } from "../git.ts";
import type { Snapshot } from "../objects.ts";
import { readLog } from "./log.ts";
import { pathHistory } from "./path-history.ts";
import { loseObject, makeHistory, storeCommit } from "./testing.ts";

const unknown = { firstCommit: null, lastCommit: null, changes: null };

/** The histories of paths given in latin1, as a plain object. */
async function historyOf(git: Git, snapshot: Snapshot, paths: readonly string[]) {
  const bytes = paths.map((path) => Buffer.from(path, "latin1"));
  const history = await pathHistory(git, snapshot, { name: "test", paths });
  return { state: history.state, files: Object.fromEntries(paths.map((path, i) => [path, history.get(bytes[i]!)])) };
}

test("gives the dates of the first and last change in UTC, and the number of changes", async (t) => {
  const { git, snapshot } = await makeHistory(await temporaryFolder(t), [
    { files: { "a.txt": "1", "b.txt": "1" }, date: "1767225600 +0530" },
    { files: { "a.txt": "2" }, date: "1767225700 -0700" },
    { files: { "a.txt": "2" }, modes: { "a.txt": "100755" }, date: "1767225800 +0000" },
    { files: { "b.txt": null }, date: "1767225900 +0000" },
    { files: { "b.txt": "2" }, date: "1767225950 +0000" },
    { files: { "dir/a.txt": "2", "a.txt": null }, date: "1767226000 +0000" },
    { date: "1767226100 +0000" },
  ]);
  assert.deepEqual(await historyOf(git, snapshot, ["a.txt", "b.txt", "dir/a.txt", "none"]), {
    state: "complete",
    files: {
      "a.txt": { firstCommit: "2026-01-01T00:00:00Z", lastCommit: "2026-01-01T00:06:40Z", changes: 4 },
      "b.txt": { firstCommit: "2026-01-01T00:00:00Z", lastCommit: "2026-01-01T00:05:50Z", changes: 3 },
      // A move is a new beginning.
      "dir/a.txt": { firstCommit: "2026-01-01T00:06:40Z", lastCommit: "2026-01-01T00:06:40Z", changes: 1 },
      none: unknown,
    },
  });
});

test("tells paths apart by their bytes, whatever they are", async (t) => {
  const paths = [
    "\xff\xfe",
    "new\nline",
    ":100644 100644",
    "commit 1 2",
    " ",
    '"q"',
    "\xf0\x90\x8d\x88/\xc3\xa9",
    "\t",
  ];
  const commits = paths.map((path, i) => ({ files: Object.fromEntries(paths.slice(i).map((p) => [p, `${i}`])), path }));
  for (const format of ["sha1", "sha256"] as const) {
    const { git, snapshot } = await makeHistory(await temporaryFolder(t), commits, format);
    const { files } = await historyOf(git, snapshot, paths);
    assert.deepEqual(
      paths.map((path) => files[path]!.changes),
      paths.map((_, i) => i + 1),
    );
  }
});

test("counts a merge only where its result differs from every parent", async (t) => {
  const { git, snapshot } = await makeHistory(await temporaryFolder(t), [
    { files: { left: "0", right: "0", both: "0" } },
    { files: { left: "1", both: "1" } },
    { files: { right: "2", both: "2" }, parents: [0] },
    { files: { right: "2", both: "3", born: "3" }, parents: [1, 2] },
  ]);
  const { files } = await historyOf(git, snapshot, ["left", "right", "both", "born"]);
  const changes = Object.fromEntries(Object.entries(files).map(([path, file]) => [path, file.changes]));
  assert.deepEqual(changes, { left: 2, right: 2, both: 4, born: 1 });
  assert.equal(files["right"]!.lastCommit, "2026-01-01T02:00:00Z");
  assert.equal(files["born"]!.firstCommit, "2026-01-01T03:00:00Z");
});

test("copes with a merge of more parents than its entry has room for", async (t) => {
  const parents = Array.from({ length: 1500 }, (_, i) => ({ files: { a: `${i}` }, parents: [] }));
  const merge = { files: { a: "merged" }, parents: [...parents.keys()] };
  const { git, snapshot } = await makeHistory(await temporaryFolder(t), [...parents, merge]);
  assert.equal((await historyOf(git, snapshot, ["a"])).files["a"]!.changes, 1501);
});

test("agrees with a count by hand over a history that git hands over in many pieces", async (t) => {
  const paths = Array.from({ length: 300 }, (_, i) => `folder-${i % 7}/a-rather-long-name-of-a-file-${i}.txt`);
  const expected = new Map(paths.map((path) => [path, { first: 0, last: 0, changes: 1 }]));
  const commits = Array.from({ length: 30 }, (_, i) => ({
    files: Object.fromEntries(
      paths.filter((_, j) => i === 0 || uniform(1, "touched", i, j) < 0.2).map((path) => [path, `${i}`]),
    ),
  }));
  for (const [i, { files }] of commits.entries()) {
    if (i === 0) continue;
    for (const path of Object.keys(files)) {
      const file = expected.get(path)!;
      file.last = i;
      file.changes += 1;
    }
  }
  const { git, snapshot } = await makeHistory(await temporaryFolder(t), commits);
  const { files } = await historyOf(git, snapshot, paths);
  for (const path of paths) {
    const { first, last, changes } = expected.get(path)!;
    const [firstCommit, lastCommit] = [first, last].map((i) =>
      new Date((1767225600 + 3600 * i) * 1000).toISOString().replace(".000", ""),
    );
    assert.deepEqual(files[path], { firstCommit, lastCommit, changes });
  }
});

test("passes over dates that are none, before 1970 or beyond 9999", async (t) => {
  const history = await makeHistory(await temporaryFolder(t), [{ files: { a: "1" } }, { files: { a: "2" } }]);
  const { tree } = history.snapshot;
  const commit = async (date: string, parent?: string): Promise<Snapshot> => {
    const person = `T <t@example.invalid> ${date}`;
    const line = parent === undefined ? "" : `parent ${parent}\n`;
    return storeCommit(history, `tree ${tree}\n${line}author ${person}\ncommitter ${person}\n\nx\n`);
  };
  for (const date of [
    "-86400 +0000",
    "253402300800 +0000",
    "99999999999999999999999 +9999",
    "",
    "yesterday",
    "1e9 +0",
  ]) {
    const snapshot = await commit(date);
    const { state, files } = await historyOf(history.git, snapshot, ["a"]);
    assert.deepEqual([state, files["a"]], ["complete", { firstCommit: null, lastCommit: null, changes: 1 }], date);
  }
  for (const [date, iso] of [
    ["0 +0000", "1970-01-01T00:00:00Z"],
    ["253402300799 +9999", "9999-12-31T23:59:59Z"],
  ] as const) {
    const { files } = await historyOf(history.git, await commit(date), ["a"]);
    assert.deepEqual(files["a"], { firstCommit: iso, lastCommit: iso, changes: 1 });
  }
});

test("lists only what git saw changed, whatever a message with NUL bytes claims", async (t) => {
  const history = await makeHistory(await temporaryFolder(t), [{ files: { a: "1" } }]);
  const { tree } = history.snapshot;
  const person = "T <t@example.invalid> 1767225600 +0000";
  const forged = `x\0\n:100644 100644 ${tree} ${tree} M\0a\0commit ${tree} 5\n`;
  const snapshot = await storeCommit(history, `tree ${tree}\nauthor ${person}\ncommitter ${person}\n\n${forged}`);
  const changes = [];
  for await (const batch of readLog(history.git, snapshot, "test", { messages: true })) changes.push(...batch);
  assert.deepEqual(
    changes.map(({ path, commit }) => [path, commit.id, commit.seconds, Buffer.from(commit.message!).toString()]),
    [["a", snapshot.commit, 1767225600, "x"]],
  );
});

test("says nothing of a shallow repository", async (t) => {
  const { git, snapshot, commits } = await makeHistory(await temporaryFolder(t), [
    { files: { a: "1" } },
    { files: { a: "2" } },
  ]);
  await writeFile(join(snapshot.gitDir, "shallow"), `${commits[1]}\n`);
  assert.deepEqual(await historyOf(git, snapshot, ["a"]), { state: "shallow", files: { a: unknown } });
});

test("says nothing where a commit or a tree of the past is gone, and needs no blobs", async (t) => {
  const commits = [{ files: { "d/a": "1" } }, { files: { "d/a": "2" } }, { files: { "d/a": "3" } }];
  for (const lost of ["main~1", "main~1^{tree}", "main~1:d"]) {
    const history = await makeHistory(await temporaryFolder(t), commits);
    await loseObject(history, lost);
    const { git, snapshot } = history;
    assert.deepEqual(await historyOf(git, snapshot, ["d/a"]), { state: "damaged", files: { "d/a": unknown } }, lost);
  }
  const history = await makeHistory(await temporaryFolder(t), commits);
  for (const blob of ["main~2:d/a", "main~1:d/a", "main:d/a"]) await loseObject(history, blob);
  assert.equal((await historyOf(history.git, history.snapshot, ["d/a"])).files["d/a"]!.changes, 3);
});

test("runs nothing that the repository's configuration names, and answers as without it", async (t) => {
  const folder = await temporaryFolder(t);
  const history = await makeHistory(join(folder, "r"), [{ files: { a: "1" } }, { files: { a: "2" } }]);
  const { tree, gitDir } = history.snapshot;
  const person = "T <t@example.invalid> 1767225600 +0000";
  const signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n";
  const root = await storeCommit(history, `tree ${tree}\nauthor ${person}\ncommitter ${person}\n${signature}\nx\n`);
  const git = createGit({ env: isolatedEnvironment(folder) });
  const expected = await historyOf(git, root, ["a"]);

  const marker = join(folder, "ran");
  const program = join(folder, "planted");
  await writeFile(program, `#!/bin/sh\necho "$@" >> '${marker}'\ncat\n`);
  await chmod(program, 0o755);
  const planted = {
    "log.showSignature": "true",
    "log.showRoot": "false",
    "log.diffMerges": "off",
    "log.follow": "true",
    "log.mailmap": "true",
    "log.decorate": "full",
    "mailmap.file": join(folder, "no-such-file"),
    "gpg.program": program,
    "gpg.openpgp.program": program,
    "core.pager": program,
    "core.fsmonitor": program,
    "core.sshCommand": program,
    "diff.external": program,
    "diff.orderFile": join(folder, "no-such-file"),
    "diff.x.textconv": program,
    "diff.x.command": program,
    "diff.renames": "copies",
    "diff.relative": "true",
    "diff.ignoreSubmodules": "all",
    "color.ui": "always",
    "format.pretty": "fuller",
    "format.notes": "true",
    "i18n.logOutputEncoding": "UTF-16",
    "remote.origin.url": folder,
    "remote.origin.promisor": "true",
    "remote.origin.uploadpack": program,
  };
  for (const [key, value] of Object.entries(planted)) await mustRun(git, `--git-dir=${gitDir}`, "config", key, value);
  await mkdir(join(gitDir, "info"), { recursive: true });
  await writeFile(join(gitDir, "info", "attributes"), "* diff=x\n");

  assert.deepEqual(await historyOf(git, root, ["a"]), expected);
  assert.equal(expected.files["a"]!.changes, 1);
  await loseObject(history, tree);
  assert.equal((await historyOf(git, root, ["a"])).state, "damaged");
  await assert.rejects(access(marker), { code: "ENOENT" });

  await git.run([`--git-dir=${gitDir}`, "-c", "diff.orderFile=/dev/null", "log", "-1", root.commit]);
  await access(marker); // The trap works: a plain git log of the same commit falls into it.
});

test("ends with the interruption", async (t: TestContext) => {
  const { snapshot } = await makeHistory(await temporaryFolder(t), [{ files: { a: "1" } }]);
  const git = createGit({ env: isolatedEnvironment(snapshot.gitDir), signal: AbortSignal.abort() });
  await assert.rejects(pathHistory(git, snapshot, { name: "test", paths: [] }), { code: "interrupted" });
});
