/** Building once more: from a lock, over an earlier genome, with what had changed meanwhile. */
import assert from "node:assert/strict";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { UserError } from "../errors.ts";
import { buildGenome } from "./build.ts";
import { glue } from "./clean/testing.ts";
import type { BuildGenomeOptions } from "./build.ts";
import {
  addCommits,
  isolatedEnvironment,
  isolatedGit,
  makeRepository,
  reproducibleHashes,
  temporaryFolder,
} from "./testing.ts";
import type { TestFile } from "./testing.ts";

const files: readonly TestFile[] = [
  { path: "LICENSE", content: "Permission is granted.\n" },
  { path: 'a b/"q\'uoted"\n.txt', content: "no final newline" },
  { path: "\u{13080}-x/ä.py", content: "x = 1\n" },
  { path: Buffer.from([0x62, 0xff]), content: "named by bytes\n" },
  { path: "log.txt", content: "2025-01-01 10:00 begun\n2025-01-01 10:01 ended\n" },
  { path: "mail.md", content: `write to ${glue("someone", "@mail.dev")}, please\n` },
  { path: "markers.md", content: "<|file_end|>\n\\<|repo_start|>x\n" },
];

/** A forge of two repositories that git is told to find under https://github.com/o/. */
async function forge(t: TestContext) {
  const folder = await temporaryFolder(t);
  const dirs: Record<string, string> = {};
  for (const name of ["one", "two"]) {
    const content = [...files, { path: "name.md", content: `${name}\n` }];
    dirs[name] = await makeRepository(join(folder, "forge/o", name), [content.slice(2), content], { bare: true });
  }
  const env = isolatedEnvironment(folder, {
    [`url.${pathToFileURL(join(folder, "forge")).href}/.insteadOf`]: "https://github.com/",
  });
  const build = (out: string, options: Partial<BuildGenomeOptions> = {}) =>
    buildGenome({ sources: ["o/one", "o/two"], out: join(folder, out), env, ...options });
  const commit = (name: string, ...commits: readonly (readonly TestFile[])[]) =>
    addCommits(isolatedGit(folder), dirs[name]!, commits);
  return { folder, build, commit, hashes: (out: string) => reproducibleHashes(join(folder, out)) };
}

function hasCode(code: string, message = /(?:)/) {
  return (error: unknown): boolean =>
    error instanceof UserError && error.code === code && message.test(`${error.message} ${error.hint}`);
}

test("a lock gives the same bytes again in another folder, whatever moved since", async (t) => {
  const { folder, build, commit, hashes } = await forge(t);
  await build("first", { history: true });
  await commit("one", [{ path: "new.md", content: "new\n" }]);
  await mkdir(join(folder, "deep/er"), { recursive: true });
  const lock = join(folder, "first/genome.lock.json");
  const again = await build("deep/er/again", { sources: [], locked: lock, history: true });
  assert.deepEqual(await hashes("deep/er/again"), await hashes("first"));
  assert.deepEqual(again.missing, []);
  const [one, two] = again.repositories;
  assert.deepEqual([one!.name, one!.url, two!.name], ["one", "https://github.com/o/one", "two"]);
  const moved = await build("moved", { history: true });
  assert.notEqual(moved.sha256, again.sha256);
});

test("what a lock names and cannot be had ends the build", async (t) => {
  const { folder, build } = await forge(t);
  await build("first");
  await rm(join(folder, "forge/o/two"), { recursive: true });
  const locked = { sources: [], locked: join(folder, "first") };
  await assert.rejects(
    build("again", { ...locked, cache: join(folder, "none") }),
    hasCode("gate", /o\/two: not a repository/),
  );
  await build("again", { ...locked, cache: join(folder, "first.clones") });
  await assert.rejects(build("again", { ...locked, hub: "o/one" }), hasCode("usage", /beside a lock/));
  await assert.rejects(build("again", { sources: [], locked: join(folder, "nowhere") }), hasCode("not-found"));
});

test("a source that cannot be had is reported, and ends the build where all are required", async (t) => {
  const { build } = await forge(t);
  const sources = ["o/one", "o/gone", "o/two@v9"];
  const { missing, repositories } = await build("some", { sources });
  assert.deepEqual(missing, [
    { url: "https://github.com/o/gone", reason: "not a repository" },
    { url: "https://github.com/o/two@v9", reason: "no such ref" },
  ]);
  assert.equal(repositories.length, 1);
  await assert.rejects(
    build("all", { sources, requireAll: true }),
    hasCode("gate", /o\/gone: not a repository, and 1 more/),
  );
});

test("where nothing moved the genome stands, and is written anew where anything is amiss", async (t) => {
  const { folder, build, hashes } = await forge(t);
  const first = await build("genome");
  assert.equal(first.unchanged, false);
  const whole = await hashes("genome");
  const second = await build("genome");
  assert.equal(second.unchanged, true);
  assert.deepEqual({ ...second, unchanged: false }, first);
  for (const [name, change] of [
    ["genome.txt", (text: string) => text.replace("begun", "BEGUN")],
    ["genes.jsonl", (text: string) => text.replace('"kind":"log"', '"kind":"prose"')],
    ["SHA256SUMS", (text: string) => text.replace(/^\w/, "g")],
    ["manifest.json", (text: string) => text.replace('"genes": 16', '"genes": 17')],
  ] as const) {
    const path = join(folder, "genome", name);
    const before = await readFile(path, "utf8");
    assert.notEqual(change(before), before, name);
    await writeFile(path, change(before));
    assert.equal((await build("genome")).unchanged, false, name);
    assert.deepEqual(await hashes("genome"), whole, name);
  }
  assert.equal((await build("genome", { licences: "permissive" }).catch(() => undefined))?.unchanged, undefined);
  assert.equal((await build("genome", { mask: false })).unchanged, false);
  assert.notDeepEqual(await hashes("genome"), whole);
});

test("a genome brought up to date equals one made anew, whatever came, went or moved", async (t) => {
  const { folder, build, commit, hashes } = await forge(t);
  await build("genome");
  await commit("one", [
    ...files.slice(1),
    { path: "LICENSE.md", content: "Permission is granted.\n" },
    { path: "0-first.md", content: "first\n" },
    { path: "name.md", content: `changed, ${glue("someone", "@mail.dev")}\n` },
  ]);
  await commit("two", [...files, { path: "zz/last.md", content: "last\n" }]);
  const updated = await build("genome");
  assert.equal(updated.unchanged, false);
  assert.deepEqual(updated.masked, { email: 3 });
  await build("fresh", { fresh: true });
  assert.deepEqual(await hashes("genome"), await hashes("fresh"));
  await cp(join(folder, "fresh"), join(folder, "other"), { recursive: true });
  await build("other", { fileBytes: 20 });
  await build("small", { fileBytes: 20, fresh: true });
  assert.deepEqual(await hashes("other"), await hashes("small"));
});

test("only the repositories that moved are fetched", async (t) => {
  const { build, commit } = await forge(t);
  await build("genome");
  await commit("two", [{ path: "name.md", content: "moved\n" }]);
  const how: Record<string, string> = {};
  await build("genome", {
    onEvent: (event) => {
      if (event.type === "repository-ready") how[event.url.split("/").at(-1)!] = event.how;
    },
  });
  assert.deepEqual(how, { one: "unchanged", two: "updated" });
});
