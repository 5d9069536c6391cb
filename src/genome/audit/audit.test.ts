import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { access, copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { openSnapshot } from "../objects.ts";
import { isolatedGit, makeRepository, mustRun, plantCommands, temporaryFolder } from "../testing.ts";
import { auditRepositories } from "./audit-repositories.ts";
import type { AuditOptions, AuditedRepository } from "./audit-repositories.ts";
import { damageError, describeDamage } from "./damage.ts";
import { fsck } from "./fsck.ts";
import { readLocations } from "./integration-report.ts";
import { writeIntegrityReport } from "./integrity-report.ts";
import type { BlobsRead } from "./integrity-report.ts";
import { overallStatus } from "./status.ts";
import { checkSums } from "./sums.ts";
import { makeGenome } from "./testing.ts";

const other = "0".repeat(40);

async function sample(t: TestContext) {
  const folder = await temporaryFolder(t);
  const gitDir = await makeRepository(folder, [[{ path: "a", content: "a" }], [{ path: "a", content: "b" }]]);
  const git = isolatedGit(folder);
  const snapshot = await openSnapshot(git, gitDir, "HEAD", "one");
  const repository: AuditedRepository = {
    name: "one",
    url: "https://example.invalid/one",
    ref: null,
    snapshot,
    lockedTree: null,
    fetched: true,
  };
  const options: AuditOptions = {
    git,
    offline: false,
    served: async () => ({ head: snapshot.commit }),
    clock: () => new Date(0),
  };
  const audit = async (changes: Partial<AuditedRepository> = {}, more: Partial<AuditOptions> = {}) =>
    (await auditRepositories([{ ...repository, ...changes }], { ...options, ...more }))[0]!;
  return { folder, gitDir, git, snapshot, audit };
}

test("level 1 compares what the remote serves with what was read, and never passes unasked", async (t) => {
  const { audit, snapshot } = await sample(t);
  const same = await audit();
  assert.deepEqual(same.level1, {
    status: "PASS",
    local_commit: snapshot.commit,
    remote_commit: snapshot.commit,
    local_tree: snapshot.tree,
    commit_match: true,
  });
  assert.equal(same.timestamp, "1970-01-01T00:00:00.000Z");
  const moved = (await audit({}, { served: async () => ({ head: other }) })).level1;
  assert.deepEqual([moved.status, moved.remote_commit, moved.commit_match], ["FAIL", other, false]);
  const served = (): never => assert.fail("no remote is asked");
  for (const [changes, more] of [
    [{}, { offline: true, served }],
    [{ url: null }, { served }],
    [{ ref: snapshot.commit }, { served }],
    [{}, { served: async () => ({ reason: "no answer" as const }) }],
  ] as const) {
    const { level1, level4 } = await audit(changes, more);
    assert.deepEqual([level1.status, level1.commit_match, level4.status], ["SKIPPED", null, "SKIPPED"]);
  }
  const refused = (await audit({}, { served: async () => ({ reason: "refused" }) })).level1;
  assert.deepEqual([refused.status, refused.message], ["ERROR", "the remote was asked for its commit: refused"]);
});

test("level 4 compares two trees of different origin, or is skipped", async (t) => {
  const { audit, snapshot, git, gitDir } = await sample(t);
  const first = (await mustRun(git, `--git-dir=${gitDir}`, "rev-parse", "HEAD~1^{tree}")).trim();
  assert.equal((await audit()).level4.message, "this build wrote the lock from this very tree");
  const still = await audit({ lockedTree: snapshot.tree, fetched: false });
  assert.deepEqual([still.level4.status, still.level4.remote_tree], ["SKIPPED", null]);
  const { level4 } = await audit({ lockedTree: snapshot.tree });
  assert.deepEqual(level4, {
    status: "PASS",
    local_tree: snapshot.tree,
    remote_tree: snapshot.tree,
    tree_match: true,
  });
  const wrong = (await audit({ lockedTree: first })).level4;
  assert.deepEqual([wrong.status, wrong.local_tree, wrong.tree_match], ["FAIL", first, false]);
  const unknown = await audit({ lockedTree: snapshot.tree }, { served: async () => ({ head: other }) });
  assert.equal(unknown.level4.message, "the commit that the remote serves now was not fetched");
});

test("git fsck finds an absent, an unreadable and an exchanged object", async (t) => {
  const { git, gitDir } = await sample(t);
  const limit = { timeoutMs: 60_000 };
  assert.deepEqual(await fsck(git, gitDir, limit), { status: "PASS", returncode: 0, issues_found: 0, issues: [] });
  const objectOf = async (revision: string): Promise<string> => {
    const id = (await mustRun(git, `--git-dir=${gitDir}`, "rev-parse", revision)).trim();
    return join(gitDir, "objects", id.slice(0, 2), id.slice(2));
  };
  const [victim, twin] = [await objectOf("HEAD:a"), await objectOf("HEAD~1:a")];
  await rm(victim);
  const absent = await fsck(git, gitDir, limit);
  assert.ok(absent.status === "FAIL" && absent.issues.some((line) => /^missing blob \w{40}$/.test(line)));
  assert.equal(absent.issues_found, absent.issues.length);
  await writeFile(victim, "torn");
  const torn = await fsck(git, gitDir, limit);
  assert.ok(torn.status === "FAIL" && torn.issues.some((line) => /corrupt|unable|inflate|header/.test(line)));
  await rm(victim);
  await copyFile(twin, victim);
  const exchanged = await fsck(git, gitDir, limit);
  assert.ok(exchanged.status === "FAIL" && exchanged.issues.some((line) => /mismatch/.test(line)));
});

test("git fsck that is stopped or cannot start is an error", async (t) => {
  const { folder, git, gitDir, audit } = await sample(t);
  const stopped = await audit({}, { fsckMs: 0 });
  assert.equal(stopped.level2.status, "ERROR");
  assert.match(stopped.level2.message!, /stopped after 0 s/);
  const none = await fsck(git, join(folder, "none"), { timeoutMs: 60_000 });
  assert.deepEqual([none.status, none.returncode], ["ERROR", 128]);
  assert.match(none.message!, /not a git repository/);
  assert.equal((await fsck(git, gitDir, { timeoutMs: 60_000 })).status, "PASS");
});

test("a promisor remote hides no absent object, and what it plants is not run", async (t) => {
  const { folder, git, gitDir } = await sample(t);
  const id = (await mustRun(git, `--git-dir=${gitDir}`, "rev-parse", "HEAD:a")).trim();
  await rm(join(gitDir, "objects", id.slice(0, 2), id.slice(2)));
  const canary = await plantCommands(git, gitDir, folder);
  // A pack that is marked as come from the promisor makes git fsck trust that its missing objects can be had.
  const pack = git.stream([`--git-dir=${gitDir}`, "pack-objects", "--quiet", join(gitDir, "objects/pack/pack")]);
  const ids = await mustRun(git, `--git-dir=${gitDir}`, "rev-parse", "HEAD", "HEAD^{tree}");
  pack.stdin.end(ids);
  let name = "";
  for await (const chunk of pack.stdout) name += String(chunk);
  await pack.ended;
  await writeFile(join(gitDir, `objects/pack/pack-${name.trim()}.promisor`), "");
  const plain = await git.run([`--git-dir=${gitDir}`, "fsck", "--full", "--no-dangling", "--no-progress"]);
  assert.equal(plain.status, 0, "git itself is silent");
  const found = await fsck(git, gitDir, { timeoutMs: 60_000 });
  assert.deepEqual([found.status, found.issues], ["FAIL", [`missing object ${id}`]]);
  await assert.rejects(access(canary), { code: "ENOENT" });
});

test("a repository that two sources name is checked once", async (t) => {
  const { git, snapshot, gitDir } = await sample(t);
  const verbs: string[] = [];
  const counting = { ...git, stream: (args: readonly string[]) => (verbs.push(...args), git.stream(args)) };
  const source = { url: null, ref: null, snapshot, lockedTree: null, fetched: false };
  const options = { git: counting, offline: true, served: () => assert.fail(), clock: () => new Date(0) };
  const audits = await auditRepositories(
    [
      { name: "one", ...source },
      { name: "two", ...source },
    ],
    options,
  );
  assert.deepEqual(
    audits.map(({ name, level2 }) => [name, level2.status]),
    [
      ["one", "PASS"],
      ["two", "PASS"],
    ],
  );
  assert.equal(verbs.filter((verb) => verb === "fsck").length, 1, gitDir);
});

test("the integrity report has the ecosystem's keys, and counts only what was checked as passed", async (t) => {
  const { folder, snapshot, audit } = await sample(t);
  const blob = { repository: "three", path: "a.md", blob: other, damage: "absent" } as const;
  const audits = [];
  for (const name of ["one", "two", "three", "four"]) audits.push(await audit({ name, url: null }));
  const blobs: BlobsRead[] = [
    { name: "one", files: 2, verified: 2, damaged: [], samples: { "a.md": "ff" } },
    { name: "two", files: 2, verified: 1, damaged: [] },
    { name: "three", files: 2, verified: 1, damaged: [blob] },
  ];
  await writeFile(join(folder, "SHA256SUMS"), "");
  const sums = { ok: ["genome.txt"], failed: [], unlisted: [] };
  const summary = await writeIntegrityReport(folder, { audits, blobs, sums, date: new Date(0), durationSeconds: 1.5 });
  assert.deepEqual(summary, {
    overall: "FAIL",
    counts: { PASS: 6, FAIL: 1, ERROR: 1, SKIPPED: 9 },
    levels: {
      level_1: { PASS: 0, FAIL: 0, ERROR: 0, SKIPPED: 4 },
      level_2: { PASS: 4, FAIL: 0, ERROR: 0, SKIPPED: 0 },
      level_3: { PASS: 1, FAIL: 1, ERROR: 1, SKIPPED: 1 },
      level_4: { PASS: 0, FAIL: 0, ERROR: 0, SKIPPED: 4 },
      level_5: { PASS: 1, FAIL: 0, ERROR: 0, SKIPPED: 0 },
    },
  });
  const report = JSON.parse(await readFile(join(folder, "integrity_report.json"), "utf8"));
  assert.deepEqual([report.verification_date, report.duration_seconds], ["1970-01-01T00:00:00.000Z", 1.5]);
  assert.deepEqual(report.levels_checked, [1, 2, 3, 4, 5]);
  assert.deepEqual([report.summary.total, report.summary.passed, report.summary.failed], [4, 2, 2]);
  const [one, two, three] = report.repositories;
  assert.deepEqual(Object.keys(one), ["repo", "timestamp", "levels", "overall_status"]);
  assert.deepEqual(one.levels.level_2, { status: "PASS", returncode: 0, issues_found: 0, issues: [] });
  assert.deepEqual(one.levels.level_3, {
    status: "PASS",
    total_files_checked: 2,
    total_files_in_repo: 2,
    corrupted_files: [],
    sample_hashes: { "a.md": "ff" },
  });
  assert.equal(one.levels.level_1.local_commit, snapshot.commit);
  assert.deepEqual([two.levels.level_3.status, two.levels.level_3.message], ["ERROR", "1 files were not hashed"]);
  assert.deepEqual(three.levels.level_3.corrupted_files, [{ path: "a.md", blob: other, damage: "absent" }]);
  assert.equal(report.genome.level_5.status, "PASS");
});

test("the integration report has the documented keys, and its hashes are those of the text's parts", async (t) => {
  const folder = await temporaryFolder(t);
  const { dir, genes, repositories } = await makeGenome(folder);
  const report = JSON.parse(await readFile(join(dir, "integration_report.json"), "utf8"));
  assert.deepEqual(Object.keys(report), ["integration_timestamp", "total_repositories", "repositories", "summary"]);
  assert.match(report.integration_timestamp, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  assert.equal(report.total_repositories, 2);
  const [one, two] = report.repositories;
  const text = await readFile(join(dir, "genome.txt"));
  const border = text.indexOf("<|repo_start|>two\n");
  const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  const bytes = genes.reduce((sum, gene) => sum + gene.bytes, 0);
  assert.deepEqual(one, {
    name: "one",
    files_processed: 5,
    total_size_bytes: bytes,
    hash_sha256: sha256(text.subarray(0, border)),
    url: null,
    commit: repositories[0]!.commit,
    location: join(folder, "one", ".git"),
    files: genes.map(({ path }) => path),
  });
  assert.deepEqual([two.files_processed, two.hash_sha256], [0, sha256(text.subarray(border))]);
  assert.deepEqual(report.summary, { total_files_processed: 5, total_size_mb: 0 });
  assert.equal((await readLocations(dir)).get("two"), join(folder, "two", ".git"));
  assert.deepEqual((await checkSums(dir)).failed, []);
});

test("damage is told by repository, path, blob and kind, and the worst status counts", () => {
  const record = { repository: "one", path: "a.md", blob: other } as const;
  const kinds = ["absent", "unreadable", "different content"] as const;
  const records = kinds.map((damage) => ({ ...record, damage }));
  assert.deepEqual(records.map(describeDamage), [
    `one: a.md: blob ${other} is absent`,
    `one: a.md: blob ${other} is unreadable`,
    `one: a.md: blob ${other} does not hold the content of its id`,
  ]);
  const error = damageError([...records, ...records], "Clone it again.");
  assert.equal(error.code, "damaged");
  assert.ok(error.message.endsWith("; and 3 more") && error.message.startsWith(describeDamage(records[0]!)));
  assert.equal(damageError(records.slice(0, 1), "x").message, describeDamage(records[0]!));
  assert.equal(overallStatus(["PASS", "SKIPPED"]), "PASS");
  assert.equal(overallStatus(["PASS", "ERROR", "SKIPPED"]), "ERROR");
  assert.equal(overallStatus(["ERROR", "FAIL", "PASS"]), "FAIL");
  assert.equal(overallStatus(["SKIPPED"]), "SKIPPED");
  assert.equal(overallStatus([]), "SKIPPED");
});
