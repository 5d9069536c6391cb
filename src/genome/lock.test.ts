import assert from "node:assert/strict";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { UserError } from "../errors.ts";
import { acquire, acquireLocked } from "./acquire.ts";
import type { Acquired } from "./acquire.ts";
import { createGit } from "./git.ts";
import { readLock } from "./lock.ts";
import { assignNames } from "./source.ts";
import { addCommits, isolatedEnvironment, makeRepository, mustRun, temporaryFolder } from "./testing.ts";

function hasCode(code: string) {
  return (error: unknown): boolean => error instanceof UserError && error.code === code && error.hint !== undefined;
}

/** A remote `o/a`, a pinned remote `o/b` and a local repository `here`, all of which move on after the lock. */
async function setUp(t: TestContext) {
  const folder = await temporaryFolder(t);
  const env = isolatedEnvironment(folder, {
    [`url.${pathToFileURL(join(folder, "forge")).href}/.insteadOf`]: "https://github.com/",
  });
  const git = createGit({ env });
  const options = { git, cache: join(folder, "cache"), onEvent: () => {} };
  const gitDirs = await Promise.all(
    ["forge/o/a", "forge/o/b", "here"].map((name) =>
      makeRepository(join(folder, name), [[{ path: "x", content: name }]], { bare: name !== "here" }),
    ),
  );
  await mustRun(git, `--git-dir=${gitDirs[1]}`, "tag", "v1");
  const { repositories } = await acquire(["o/a", "o/b@v1", join(folder, "here")], undefined, options);
  const lock = await writeLock(join(folder, "genome.lock.json"), repositories);
  for (const gitDir of gitDirs) await addCommits(git, gitDir, [[{ path: "x", content: "moved" }]]);
  return { folder, options, lock, gitDirs, git, repositories };
}

async function writeLock(path: string, repositories: readonly Acquired[]): Promise<string> {
  const names = assignNames(repositories.map(({ parts }) => parts));
  const rows = repositories.map(({ url, ref, snapshot: { commit, tree, shallow } }, i) => ({
    name: names[i],
    url,
    ref,
    commit,
    tree,
    shallow,
    licence: "unknown",
  }));
  await writeFile(path, JSON.stringify({ schemaVersion: 2, repositories: rows }));
  return path;
}

test("a lock brings back its commits under its names, whatever moved since, and from the cache without a network", async (t) => {
  const { folder, options, lock, repositories } = await setUp(t);
  const expected = repositories.map(({ url, ref, snapshot }) => [url, ref, snapshot.commit, snapshot.tree]);
  const rows = await readLock(lock);
  const bring = async (cache: string) => {
    const locked = await acquireLocked(rows, [join(folder, "here")], { ...options, cache: join(folder, cache) });
    assert.deepEqual(locked.missing, []);
    assert.deepEqual(
      locked.repositories.map(({ url, ref, snapshot }) => [url, ref, snapshot.commit, snapshot.tree]),
      expected,
    );
    return locked.repositories;
  };
  const fresh = await bring("fresh");
  assert.deepEqual(
    fresh.map(({ name, fetched }) => [name, fetched]),
    [
      ["a", true],
      ["b", true],
      ["here", false],
    ],
  );
  await rename(join(folder, "forge"), join(folder, "gone"));
  assert.ok((await bring("fresh")).every(({ fetched }) => !fetched));
});

test("what a lock pins and cannot be had is missing, with its reason", async (t) => {
  const { folder, options, lock, gitDirs, git } = await setUp(t);
  const rows = await readLock(folder);
  assert.deepEqual(rows, await readLock(lock), "the folder of a genome does as well");
  await rm(gitDirs[0]!, { recursive: true });
  await mustRun(
    git,
    "clone",
    "--quiet",
    "--bare",
    "--depth=1",
    "--",
    pathToFileURL(gitDirs[1]!).href,
    `${gitDirs[1]!}2`,
  );
  await rm(gitDirs[1]!, { recursive: true });
  await rename(`${gitDirs[1]!}2`, gitDirs[1]!);
  const fresh = { ...options, cache: join(folder, "fresh") };
  const none = await acquireLocked(rows, [], fresh);
  assert.deepEqual(Object.fromEntries(none.missing.map(({ url, reason }) => [url, reason])), {
    here: "no folder given",
    "https://github.com/o/a": "not a repository", // So git calls a folder that is not there.
    "https://github.com/o/b@v1": "no such ref",
  });
  const away = join(folder, "away/here");
  await mkdir(join(folder, "away"));
  await mustRun(
    git,
    "clone",
    "--quiet",
    "--no-checkout",
    "--depth=1",
    "--",
    pathToFileURL(join(folder, "here")).href,
    away,
  );
  const onlyHere = rows.filter(({ name }) => name === "here");
  assert.deepEqual((await acquireLocked(onlyHere, [away], options)).missing, [{ url: away, reason: "no such ref" }]);
  const { repositories: now } = await acquire([away], undefined, options);
  const { commit, tree } = now[0]!.snapshot;
  const whole = { ...onlyHere[0]!, commit, tree };
  assert.deepEqual((await acquireLocked([whole], [away], options)).missing, [{ url: "here", reason: "shallow" }]);
  // Where the lock was made from a cut-off history, a whole one counts as cut off.
  const cut = await acquireLocked([{ ...whole, shallow: true }], [join(folder, "here")], options);
  assert.ok(cut.repositories[0]!.snapshot.shallow);
});

test("a lock that was altered, and folders that it does not mean, are errors", async (t) => {
  const { folder, options, lock } = await setUp(t);
  const rows = await readLock(lock);
  const [a] = rows;
  const altered = [{ ...a!, tree: "0".repeat(40) }];
  await assert.rejects(acquireLocked(altered, [], options), hasCode("mismatch"));
  await makeRepository(join(folder, "other"), [[{ path: "x", content: "x" }]]);
  const here = join(folder, "here");
  for (const folders of [[join(folder, "other")], [here, here], ["https://github.com/o/a"], [`${here}@main`]])
    await assert.rejects(acquireLocked(rows, folders, options), hasCode("invalid"), folders.join());
  const evil = { ...a!, url: "ext::sh -c id" };
  await assert.rejects(acquireLocked([evil], [], options), hasCode("invalid"));

  const write = async (content: unknown): Promise<string> => {
    await writeFile(join(folder, "bad.json"), JSON.stringify(content));
    return join(folder, "bad.json");
  };
  const bad = [{}, { repositories: [] }, { repositories: [{ ...a, commit: "main" }] }, { repositories: [a, a] }];
  for (const content of bad) await assert.rejects(readLock(await write(content)), hasCode("invalid"));
  const imported = { ...a, commit: null, tree: null };
  await assert.rejects(readLock(await write({ repositories: [imported] })), /imported from a text/);
  await assert.rejects(readLock(join(folder, "nowhere")), hasCode("not-found"));
});
