import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFile, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { UserError } from "../../errors.ts";
import { canonicalJson } from "../../formats/files.ts";
import { addCommits, temporaryFolder } from "../testing.ts";
import { writeSums } from "./sums.ts";
import { makeGenome } from "./testing.ts";
import type { TestGenome } from "./testing.ts";
import { verifyGenome } from "./verify.ts";

const listed = ["genome.txt", "genes.jsonl", "genome.lock.json", "manifest.json", "SHA256SUMS"];

function verify({ dir, git }: TestGenome) {
  return verifyGenome(dir, { git });
}

/** Rewrites a file of the genome, and every hash of it, so that only the contents can disagree. */
async function forge({ dir }: TestGenome, name: string, change: (text: string) => string): Promise<void> {
  const before = await readFile(join(dir, name), "utf8");
  const after = change(before);
  assert.notEqual(after, before, "the forgery changes something");
  await writeFile(join(dir, name), after);
  const manifest = JSON.parse(await readFile(join(dir, "manifest.json"), "utf8")) as {
    files: Record<string, string>;
    genomeBytes: number;
  };
  if (name !== "manifest.json") manifest.files[name] = createHash("sha256").update(after).digest("hex");
  if (name === "genome.txt") manifest.genomeBytes = Buffer.byteLength(after);
  await writeFile(join(dir, "manifest.json"), canonicalJson(manifest));
  await writeSums(dir);
}

test("a whole genome passes, each repository by name", async (t) => {
  const genome = await makeGenome(await temporaryFolder(t));
  const events: unknown[] = [];
  const result = await verifyGenome(genome.dir, { git: genome.git, onEvent: (event) => void events.push(event) });
  assert.deepEqual(result, {
    ok: true,
    failures: [],
    checks: [
      { check: "sums", status: "PASS", checked: 4, failures: 0 },
      { check: "lock", status: "PASS", checked: 2, failures: 0 },
      { check: "texts", status: "PASS", checked: 5, failures: 0 },
      { check: "manifest", status: "PASS", checked: 10, failures: 0 },
      { check: "blobs", repository: "one", status: "PASS", checked: 5, failures: 0 },
    ],
  });
  assert.equal(events.length, result.checks.length);
});

test("one flipped byte anywhere in a listed file fails it", async (t) => {
  const genome = await makeGenome(await temporaryFolder(t));
  for (const name of listed) {
    const path = join(genome.dir, name);
    const whole = await readFile(path);
    const step = Math.ceil(whole.length / 12);
    for (const at of [...Array(12).keys()].map((i) => i * step).concat(whole.length - 1)) {
      if (at >= whole.length) continue;
      const flipped = Buffer.from(whole);
      flipped[at]! ^= 1;
      await writeFile(path, flipped);
      assert.equal((await verify(genome)).ok, false, `${name} byte ${at}`);
    }
    await writeFile(path, whole);
  }
  assert.equal((await verify(genome)).ok, true);
});

test("files that agree with their hashes but not with each other fail", async (t) => {
  const forgeries: readonly [string, (text: string) => string, RegExp][] = [
    ["manifest.json", (text) => text.replace('"imported": false', '"imported": true'), /imported is true, found false/],
    ["genome.txt", (text) => text.replace("# One", "# 0ne"), /a\.md is not that of its textSha256/],
    ["genome.txt", (text) => text.replace("\\<|file_end|>", "x<|file_end|>"), /not that of its textSha256/],
    ["genome.txt", (text) => text.replace("<|repo_end|>\n\n", "<|repo_end|>\nx\n"), /expected "<\|repo_end\|>\\n\\n"/],
    ["genome.txt", (text) => `${text}more`, /expected the end/],
    ["genome.txt", (text) => text.slice(0, -40), /expected|too early/],
    ["genes.jsonl", (text) => text.split("\n").slice(1).join("\n"), /expected "<\|file_start\|>/],
    ["genes.jsonl", (text) => `${text}${text.split("\n")[0]}\n`, /a\.md is not in genome\.txt/],
    ["genes.jsonl", (text) => text.replace(/"textOffset":(\d+)/, '"textOffset":0'), /has textOffset 0/],
    ["genes.jsonl", (text) => text.replace(/"kind":"prose"/, '"kind":"poetry"'), /line 1: kind/],
    ["genes.jsonl", (text) => text.trimEnd(), /does not end with a newline/],
    ["genes.jsonl", (text) => text.replace(/"bytes":\d+/, '"bytes":1'), /another SHA-256 or size/],
    ["genes.jsonl", (text) => text.replace(/"kind":"prose"/, '"kind":"log"'), /counts\.kinds\.log is 0, found 1/],
    ["genome.lock.json", (text) => text.replace('"two"', '"three"'), /expected "<\|repo_start\|>three/],
    ["genome.lock.json", (text) => text.replace(/"tree": "\w{8}/, '"tree": "00000000'), /not the locked 00000000/],
    ["genome.lock.json", (text) => text.replace(/"commit": "\w{8}/, '"commit": "00000000'), /another commit than the/],
    ["manifest.json", (text) => text.replace('"genes": 5', '"genes": 6'), /counts\.genes is 6, found 5/],
  ];
  const folder = await temporaryFolder(t);
  const genome = await makeGenome(folder);
  const names = ["genome.txt", "genes.jsonl", "genome.lock.json", "manifest.json"];
  for (const name of names) await copyFile(join(genome.dir, name), join(folder, name));
  for (const [name, change, failure] of forgeries) {
    await forge(genome, name, change);
    const { ok, checks, failures } = await verify(genome);
    assert.equal(checks[0]!.status, "PASS", "the hashes agree");
    assert.equal(ok, false);
    assert.match(failures.join("\n"), failure);
    for (const each of names) await copyFile(join(folder, each), join(genome.dir, each));
  }
});

test("a repository that is gone, empty or moved on is skipped, and brought by whoever can", async (t) => {
  const folder = await temporaryFolder(t);
  const genome = await makeGenome(folder);
  await rename(join(folder, "one"), join(folder, "elsewhere"));
  const gone = await verify(genome);
  assert.equal(gone.ok, true);
  assert.deepEqual(gone.checks.at(-1), {
    check: "blobs",
    repository: "one",
    status: "SKIPPED",
    checked: 0,
    failures: 0,
    message: `${join(folder, "one", ".git")}: no such file or folder`,
  });
  const asked: string[] = [];
  const brought = await verifyGenome(genome.dir, {
    git: genome.git,
    obtain: async ({ name }) => {
      asked.push(name);
      return join(folder, "elsewhere");
    },
  });
  assert.deepEqual([asked, brought.checks.at(-1)!.status], [["one"], "PASS"]);
  await rm(join(genome.dir, "integration_report.json"));
  const unknown = await verify(genome);
  assert.equal(unknown.checks.at(-1)!.message, "its objects are not on this machine");
  await symlink(join(folder, "elsewhere", ".git", "config"), join(genome.dir, "integration_report.json"));
  assert.equal((await verify(genome)).ok, false, "a report that is a link is not followed");
});

test("hints that name another machine, a relative path or no repository are not followed", async (t) => {
  const genome = await makeGenome(await temporaryFolder(t));
  const path = join(genome.dir, "integration_report.json");
  for (const location of ["//host/share/one.git", "\\\\host\\share", "one", "-c", genome.dir, 5]) {
    await writeFile(path, JSON.stringify({ repositories: [{ name: "one", location }] }));
    const { ok, checks } = await verify(genome);
    assert.deepEqual([ok, checks.at(-1)!.status], [true, "SKIPPED"], String(location));
  }
  await writeFile(path, "not JSON");
  assert.equal((await verify(genome)).ok, true);
});

test("blobs that are absent, unreadable or exchanged are told apart; a commit that is gone is skipped", async (t) => {
  const genome = await makeGenome(await temporaryFolder(t));
  const { gitDir, git, genes } = genome;
  const object = (path: string): string => {
    const { blob } = genes.find((gene) => gene.path === path)!;
    return join(gitDir, "objects", blob.slice(0, 2), blob.slice(2));
  };
  await rm(object("a.md"));
  await rm(object("empty.txt"));
  await writeFile(object("empty.txt"), "torn");
  await rm(object("sub/b.md"));
  await copyFile(object("b\\xFF"), object("sub/b.md"));
  const { ok, checks, failures } = await verify(genome);
  assert.equal(ok, false);
  assert.deepEqual([checks.at(-1)!.status, checks.at(-1)!.checked], ["FAIL", 5]);
  assert.deepEqual(
    failures.map((line) => line.replace(/blob \w+ /, "")),
    ["one: a.md: is absent", "one: empty.txt: is unreadable", "one: sub/b.md: does not hold the content of its id"],
  );
  await addCommits(git, gitDir, [[{ path: "new", content: "new" }]]);
  const commit = genes[0]!.commit!;
  await rm(join(gitDir, "objects", commit.slice(0, 2), commit.slice(2)));
  assert.match((await verify(genome)).checks.at(-1)!.message!, /does not have commit/);
});

test("what is no genome is refused, and a genome without its parts fails", async (t) => {
  const folder = await temporaryFolder(t);
  const genome = await makeGenome(folder);
  const isNotFound = (error: unknown): boolean => error instanceof UserError && error.code === "not-found";
  await assert.rejects(verifyGenome(join(folder, "one"), { git: genome.git }), isNotFound);
  await assert.rejects(verifyGenome(join(folder, "nowhere"), { git: genome.git }), isNotFound);
  for (const name of listed) {
    const path = join(genome.dir, name);
    await rename(path, join(folder, "kept"));
    const { ok, failures } = await verify(genome);
    assert.equal(ok, false, name);
    assert.ok(
      failures.some((line) => line.startsWith(name)),
      `${name} is named`,
    );
    await rename(join(folder, "kept"), path);
  }
});
