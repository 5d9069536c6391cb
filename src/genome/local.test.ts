import assert from "node:assert/strict";
import { access, chmod, mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { UserError } from "../errors.ts";
import { createGit } from "./git.ts";
import type { Git } from "./git.ts";
import { openLocal } from "./local.ts";
import { listTree, readBlobs } from "./objects.ts";
import { remoteHead } from "./remote.ts";
import { addCommits, isolatedEnvironment, isolatedGit, makeRepository, mustRun, temporaryFolder } from "./testing.ts";

const files = [
  { path: "a.md", content: "x\n" },
  { path: ".gitattributes", content: "* filter=evil diff=evil\n" },
  {
    path: ".gitmodules",
    content: '[submodule "s"]\n\tpath = s\n\turl = --upload-pack=touch\n\tupdate = !touch\n',
  },
  { path: "s", content: "1234567890123456789012345678901234567890", mode: "160000" },
];

async function setUp(t: TestContext) {
  const folder = await temporaryFolder(t);
  const source = join(folder, "one");
  const gitDir = await makeRepository(source, [files]);
  return { folder, source, gitDir, git: isolatedGit(folder), canary: join(folder, "canary") };
}

function refusal(pattern: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof UserError && error.code === "unsupported", String(error));
    assert.match(error.message, pattern);
    assert.ok(error.hint !== undefined);
    return true;
  };
}

/** Everything of a repository that a build reads. */
async function readAll(path: string, git: Git): Promise<(string | undefined)[]> {
  const opened = await openLocal(path, git, { ref: null });
  assert.ok("snapshot" in opened);
  const { snapshot } = opened;
  const ids = (await listTree(git, snapshot, path)).filter(({ type }) => type === "blob").map(({ id }) => id);
  const answers = await Array.fromAsync(readBlobs(git, snapshot.gitDir, ids, { limit: 1000 }));
  return answers.map((answer) => ("damage" in answer ? answer.damage : undefined));
}

/** A git that ignores GIT_NO_LAZY_FETCH, as those before 2.45 do. */
async function oldGit(folder: string): Promise<Git> {
  const bin = join(folder, "bin");
  await mkdir(bin);
  await writeFile(join(bin, "git"), `#!/bin/sh\nunset GIT_NO_LAZY_FETCH\nPATH="$OLD_PATH" exec git "$@"\n`);
  await chmod(join(bin, "git"), 0o755);
  const env = isolatedEnvironment(folder);
  return createGit({ env: { ...env, OLD_PATH: env["PATH"], PATH: `${bin}:${env["PATH"]}` } });
}

const planted = (canary: string): Record<string, Record<string, string>> => ({
  "a promisor remote": {
    "core.repositoryFormatVersion": "1",
    "extensions.partialClone": "evil",
    "remote.evil.promisor": "true",
    "remote.evil.url": "elsewhere",
    "remote.evil.uploadpack": `touch ${canary};`,
  },
  ssh: {
    "core.repositoryFormatVersion": "1",
    "extensions.partialClone": "evil",
    "remote.evil.promisor": "true",
    "remote.evil.url": "ssh://localhost/x",
    "core.sshCommand": `touch ${canary};`,
    "core.gitProxy": `touch ${canary};`,
    "credential.helper": `!touch ${canary};`,
  },
  "core.fsmonitor": { "core.fsmonitor": `touch ${canary};` },
  "core.pager": { "core.pager": `touch ${canary};`, "pager.log": "true", "pager.cat-file": "true" },
  "core.editor": { "core.editor": `touch ${canary};`, "core.askPass": `touch ${canary};` },
  "core.alternateRefsCommand": { "core.alternateRefsCommand": `touch ${canary};` },
  filters: {
    "filter.evil.clean": `touch ${canary};`,
    "filter.evil.smudge": `touch ${canary};`,
    "filter.evil.process": `touch ${canary};`,
    "filter.evil.required": "true",
  },
  diffs: {
    "diff.external": `touch ${canary};`,
    "diff.evil.textconv": `touch ${canary};`,
    "diff.evil.command": `touch ${canary};`,
    "log.showSignature": "true",
    "gpg.program": `touch ${canary};`,
  },
  aliases: Object.fromEntries(
    ["rev-parse", "cat-file", "config", "log"].map((verb) => [`alias.${verb}`, `!touch ${canary};`]),
  ),
  "core.worktree": { "core.worktree": "/" },
});

test("no command that a repository's configuration plants is run, also where a blob is missing", async (t) => {
  for (const [name, settings] of Object.entries(planted("canary"))) {
    const { source, gitDir, git, canary, folder } = await setUp(t);
    const absolute = Object.entries(settings).map(([key, value]) => [key, value.replace("canary", canary)] as const);
    const hook = join(folder, "hooks/post-index-change");
    await mkdir(join(folder, "hooks"));
    await writeFile(hook, `#!/bin/sh\ntouch ${canary}\n`, { mode: 0o755 });
    for (const hookName of ["reference-transaction", "post-checkout", "pre-auto-gc"])
      await symlink(hook, join(folder, "hooks", hookName));
    await writeFile(
      join(folder, "included"),
      [
        "[core]",
        `hooksPath = ${join(folder, "hooks")}`,
        ...absolute.map(([key, value]) => {
          const [, section, subsection, last] = /^(\w+)(?:\.(.+))?\.(\w[\w-]*)$/.exec(key)!;
          return `[${section}${subsection === undefined ? "" : ` "${subsection}"`}]\n${last} = "${value.replaceAll('"', '\\"')}"`;
        }),
      ].join("\n"),
    );
    await mustRun(git, `--git-dir=${gitDir}`, "config", "include.path", join(folder, "included"));
    // An extension counts only in the configuration itself.
    for (const [key, value] of absolute.filter(([key]) => /^(extensions|core\.repo)/.test(key)))
      await mustRun(git, `--git-dir=${gitDir}`, "config", key, value);
    assert.deepEqual(await readAll(source, git), [undefined, undefined, undefined], name);
    const id = (await mustRun(git, `--git-dir=${gitDir}`, "rev-parse", "HEAD:a.md")).trim();
    await rm(join(gitDir, "objects", id.slice(0, 2), id.slice(2)));
    assert.deepEqual(
      (await readAll(source, git)).filter((damage) => damage !== undefined),
      ["absent"],
      name,
    );
    await assert.rejects(access(canary), { code: "ENOENT" }, name);
  }
});

test("a partial clone is refused where git cannot be kept from completing it", async (t) => {
  const { folder, source, gitDir, git, canary } = await setUp(t);
  const old = await oldGit(folder);
  assert.deepEqual([await git.refusesLazyFetch(), await old.refusesLazyFetch()], [true, false]);
  assert.deepEqual(await readAll(source, old), [undefined, undefined, undefined], "all other repositories are read");
  for (const [key, value] of Object.entries(planted(canary)["a promisor remote"]!))
    await mustRun(git, `--git-dir=${gitDir}`, "config", key, value);
  const id = (await mustRun(git, `--git-dir=${gitDir}`, "rev-parse", "HEAD:a.md")).trim();
  await rm(join(gitDir, "objects", id.slice(0, 2), id.slice(2)));
  await assert.rejects(openLocal(source, old, { ref: null }), refusal(/partial clone/));
  assert.deepEqual(await remoteHead({ url: pathToFileURL(source).href, ref: null }, { git: old }), {
    reason: "refused",
  });
  await assert.rejects(access(canary), { code: "ENOENT" });
  // What is tried here does harm with that git.
  await old.run([`--git-dir=${gitDir}`, "cat-file", "-e", id]);
  await access(canary);
});

test("a repository that borrows the objects of another is refused", async (t) => {
  const { folder, source, git } = await setUp(t);
  const shared = join(folder, "shared");
  await mustRun(git, "clone", "--quiet", "--shared", "--no-checkout", "--", source, shared);
  await assert.rejects(openLocal(shared, git, { ref: null }), refusal(/borrows objects from .*one\/\.git\/objects/));
  assert.deepEqual(await remoteHead({ url: pathToFileURL(shared).href, ref: null }, { git }), { reason: "refused" });
  await mustRun(git, `--git-dir=${join(shared, ".git")}`, "repack", "-a", "-d", "--quiet");
  await rm(join(shared, ".git/objects/info/alternates"));
  assert.deepEqual(await readAll(shared, git), [undefined, undefined, undefined], "the remedy works");
  await symlink("/dev/zero", join(shared, ".git/objects/info/alternates"));
  await assert.rejects(openLocal(shared, git, { ref: null }), refusal(/borrows objects/));
});

test("links among the objects, and git directories elsewhere that know nothing of the folder, are refused", async (t) => {
  const { folder, source, gitDir, git } = await setUp(t);
  const made = async (name: string): Promise<string> => {
    await mkdir(join(folder, name), { recursive: true });
    return join(folder, name);
  };
  await writeFile(join(await made("file"), ".git"), `gitdir: ${gitDir}\n`);
  await symlink(gitDir, join(await made("link"), ".git"));
  const common = join(await made("common"), ".git");
  await mkdir(join(common, "refs"), { recursive: true });
  await writeFile(join(common, "commondir"), `${gitDir}\n`);
  await writeFile(join(common, "HEAD"), "ref: refs/heads/main\n");
  for (const name of ["file", "link", "common"])
    await assert.rejects(openLocal(join(folder, name), git, { ref: null }), refusal(/which knows nothing of it/), name);

  const objects = await makeRepository(join(folder, "objects"), []);
  await rm(join(objects, "objects"), { recursive: true });
  await symlink(join(gitDir, "objects"), join(objects, "objects"));
  await assert.rejects(openLocal(join(folder, "objects"), git, { ref: null }), refusal(/knows nothing of it/));
  const [fanOut] = (await readdir(join(gitDir, "objects"))).filter((name) => name.length === 2);
  const fan = await makeRepository(join(folder, "fan"), [files]);
  await rm(join(fan, "objects", fanOut!), { recursive: true, force: true });
  await symlink(join(gitDir, "objects", fanOut!), join(fan, "objects", fanOut!));
  await assert.rejects(openLocal(join(folder, "fan"), git, { ref: null }), refusal(/symbolic link among its objects/));
  const pack = await makeRepository(join(folder, "pack"), [files]);
  await symlink(join(gitDir, "HEAD"), join(pack, "objects/pack/pack-1.pack"));
  await assert.rejects(openLocal(join(folder, "pack"), git, { ref: null }), refusal(/symbolic link among its objects/));
  assert.deepEqual(await readAll(source, git), [undefined, undefined, undefined]);
});

test("work trees and submodules are known to the repository that they name, a separate git directory is named itself", async (t) => {
  const { folder, source, gitDir, git } = await setUp(t);
  await mustRun(
    git,
    `--git-dir=${gitDir}`,
    "worktree",
    "add",
    "--quiet",
    "--no-checkout",
    "-b",
    "w",
    join(folder, "w"),
  );
  const separate = join(folder, "separate");
  await mustRun(git, "init", "--quiet", "--template=", `--separate-git-dir=${join(folder, "away")}`, "--", separate);
  await addCommits(git, join(folder, "away"), [files]);
  await mustRun(git, `--git-dir=${join(folder, "away")}`, "symbolic-ref", "HEAD", "refs/heads/main");
  const module = join(folder, "super/module");
  await mkdir(join(folder, "super/.git/modules"), { recursive: true });
  await rename(source, module);
  await rename(join(module, ".git"), join(folder, "super/.git/modules/m"));
  await writeFile(join(module, ".git"), "gitdir: ../.git/modules/m\n");
  await mustRun(git, `--git-dir=${join(folder, "super/.git/modules/m")}`, "config", "core.worktree", "../../../module");
  const linked = join(folder, "linked");
  await mustRun(git, "clone", "--quiet", "--no-checkout", "--", module, join(folder, "main"));
  const main = join(folder, "main/.git");
  await mustRun(git, `--git-dir=${main}`, "worktree", "add", "--quiet", "--no-checkout", "-b", "l", linked);
  await assert.rejects(openLocal(separate, git, { ref: null }), refusal(/which knows nothing of it/));
  for (const path of [join(folder, "away"), module, linked])
    assert.deepEqual(await readAll(path, git), [undefined, undefined, undefined]);
});

test("a pin of a local repository is a tag, a branch, one of origin's, a commit or the beginning of one", async (t) => {
  const { source, gitDir, git } = await setUp(t);
  await addCommits(git, gitDir, [[{ path: "b", content: "y" }]]);
  const [first, second] = (await mustRun(git, `--git-dir=${gitDir}`, "rev-parse", "HEAD~1", "HEAD")).split("\n");
  await mustRun(git, `--git-dir=${gitDir}`, "tag", "v1", first!);
  await mustRun(git, `--git-dir=${gitDir}`, "branch", "v1", second!);
  await mustRun(git, `--git-dir=${gitDir}`, "update-ref", "refs/remotes/origin/side", first!);
  const at = async (ref: string | null) => {
    const opened = await openLocal(source, git, { ref });
    return "reason" in opened ? opened.reason : [opened.snapshot.commit, opened.ref];
  };
  assert.deepEqual(await at(null), [second, null]);
  assert.deepEqual(await at("v1"), [first, "v1"]);
  assert.deepEqual(await at("refs/heads/v1"), [second, "refs/heads/v1"]);
  assert.deepEqual(await at("side"), [first, "side"]);
  assert.deepEqual(await at(first!.slice(0, 9)), [first, first]);
  assert.equal(await at("nowhere"), "no such ref");
  assert.equal(await at("0".repeat(40)), "no such ref");
});

test("a cut-off history is known to be, grafts and commit graphs change nothing", async (t) => {
  const { folder, source, gitDir, git } = await setUp(t);
  await addCommits(git, gitDir, [[{ path: "b", content: "y" }]]);
  const cut = join(folder, "cut");
  await mustRun(git, "clone", "--quiet", "--no-checkout", "--depth=1", "--", pathToFileURL(source).href, cut);
  const [shallow, whole] = await Promise.all([cut, source].map((path) => openLocal(path, git, { ref: null })));
  assert.ok("snapshot" in shallow! && shallow.snapshot.shallow);
  assert.ok("snapshot" in whole! && !whole.snapshot.shallow);
  await mkdir(join(gitDir, "info"), { recursive: true });
  await writeFile(join(gitDir, "info/grafts"), `${whole.snapshot.commit}\n`);
  assert.equal((await mustRun(git, `--git-dir=${gitDir}`, "rev-list", "--count", "HEAD")).trim(), "2");
});

test("a repository in a format of the future says so", async (t) => {
  const { source, gitDir, git } = await setUp(t);
  await mustRun(git, `--git-dir=${gitDir}`, "config", "core.repositoryFormatVersion", "1");
  await mustRun(git, `--git-dir=${gitDir}`, "config", "extensions.tomorrow", "true");
  await assert.rejects(openLocal(source, git, { ref: null }), refusal(/a format that this git does not know/));
});
