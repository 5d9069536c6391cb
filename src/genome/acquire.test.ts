import assert from "node:assert/strict";
import { once } from "node:events";
import { access, mkdir, readFile, readdir, rename, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { UserError } from "../errors.ts";
import { acquire, nothingHad } from "./acquire.ts";
import type { GenomeEvent } from "./events.ts";
import { createGit } from "./git.ts";
import { addCommits, isolatedEnvironment, isolatedGit, makeRepository, mustRun, temporaryFolder } from "./testing.ts";

/** A folder whose `forge/` stands for https://github.com/. */
async function setUp(t: TestContext) {
  const folder = await temporaryFolder(t);
  const forge = join(folder, "forge");
  await mkdir(forge);
  const env = isolatedEnvironment(folder, {
    [`url.${pathToFileURL(forge).href}/.insteadOf`]: "https://github.com/",
    "protocol.file.allow": "always",
  });
  const events: GenomeEvent[] = [];
  const options = {
    git: createGit({ env }),
    cache: join(folder, "cache"),
    onEvent: (event: GenomeEvent) => void events.push(event),
    backOffMs: 1,
  };
  const make = (name: string, content = name) =>
    makeRepository(join(forge, name), [[{ path: "README.md", content }]], { bare: true });
  return { folder, forge, events, options, make };
}

function rejectsWith(code: string, hint = true) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.code, code, error.message);
    assert.equal(error.hint !== undefined, hint);
    return true;
  };
}

test("a local repository is read where it stands: with a work tree, bare, or linked", async (t) => {
  const { folder, options } = await setUp(t);
  const plain = join(folder, "plain");
  const gitDir = await makeRepository(plain, [[{ path: "a", content: "x" }]]);
  await makeRepository(join(folder, "bare.git"), [[{ path: "a", content: "x" }]], { bare: true });
  const git = isolatedGit(folder);
  await mustRun(
    git,
    `--git-dir=${gitDir}`,
    "worktree",
    "add",
    "--quiet",
    "--no-checkout",
    "-b",
    "side",
    join(folder, "linked"),
  );
  await symlink(plain, join(folder, "link"));
  const sources = ["plain", "bare.git", "linked", "link"].map((name) => join(folder, name));
  const { repositories } = await acquire(sources, undefined, options);
  assert.deepEqual(
    repositories.map(({ parts }) => parts.at(-1)),
    ["plain", "bare", "linked", "link"],
  );
  assert.equal(new Set(repositories.map(({ snapshot }) => snapshot.commit)).size, 1);
  assert.ok(repositories.every(({ url }) => url === null));
  await assert.rejects(access(options.cache), "nothing was cloned");
});

test("what is no repository says so, also inside one", async (t) => {
  const { folder, options } = await setUp(t);
  await makeRepository(join(folder, "around"), [[{ path: "a", content: "x" }]]);
  await mkdir(join(folder, "around/inner"));
  await writeFile(join(folder, "file"), "x");
  for (const path of ["cache-not-there/..", "around/inner", "file"]) {
    await mkdir(join(folder, "cache-not-there"), { recursive: true });
    await assert.rejects(acquire([join(folder, path)], undefined, options), rejectsWith("not-a-repository"), path);
  }
  await assert.rejects(acquire([join(folder, "nowhere")], undefined, options), rejectsWith("not-found"));
  await makeRepository(join(folder, "unborn"), []);
  await assert.rejects(acquire([join(folder, "unborn")], undefined, options), rejectsWith("empty"));
});

test("a remote is cloned once, then only what moved is fetched", async (t) => {
  const { options, events, make } = await setUp(t);
  const gitDir = await make("o/a");
  const how = () => events.flatMap((event) => (event.type === "repository-ready" ? [event.how] : []));
  const url = "https://github.com/o/a";
  const first = await acquire([url], undefined, options);
  const [clone] = await readdir(options.cache);
  await rename(join(options.cache, clone!), join(options.cache, `${clone}.building-999999999`));
  assert.deepEqual(await acquire([url], undefined, options), first, "what a killed clone left is not taken for one");
  assert.deepEqual(await readdir(options.cache), [clone]);
  const second = await acquire([url], undefined, options);
  assert.deepEqual(second.repositories, [{ ...first.repositories[0], fetched: false }]);
  await addCommits(options.git, gitDir, [[{ path: "README.md", content: "new" }]]);
  const third = await acquire([url], undefined, options);
  const fourth = await acquire([url], undefined, options);
  assert.notEqual(third.repositories[0]!.snapshot.commit, first.repositories[0]!.snapshot.commit);
  assert.deepEqual(fourth.repositories, [{ ...third.repositories[0], fetched: false }]);
  assert.deepEqual(how(), ["cloned", "cloned", "unchanged", "updated", "unchanged"]);
  assert.equal(third.repositories[0]!.url, url);
});

test("a password in a URL is neither reported nor kept", async (t) => {
  const { options, events, folder, forge, make } = await setUp(t);
  await make("o/a");
  const env = isolatedEnvironment(folder, {
    [`url.${pathToFileURL(forge).href}/.insteadOf`]: "https://u:secret@github.com/",
  });
  const { repositories } = await acquire(["https://u:secret@github.com/o/a"], undefined, {
    ...options,
    git: createGit({ env }),
  });
  assert.equal(repositories[0]!.url, "https://github.com/o/a");
  const config = await readFile(join(repositories[0]!.snapshot.gitDir, "config"), "utf8");
  assert.ok(!JSON.stringify([repositories, events]).includes("secret") && !config.includes("secret"));
});

test("a hub's links, and remotes that the user named, are had or reported; the hub itself must be had", async (t) => {
  const { options, make, folder } = await setUp(t);
  await make("o/a");
  await make("o/b");
  await make(
    "o/hub",
    "[a](https://github.com/o/a) https://github.com/o/gone https://github.com/o/b.git https://github.com/o/b/issues",
  );
  const fromRemote = await acquire([], "https://github.com/o/hub", options);
  assert.deepEqual(
    fromRemote.repositories.map(({ url }) => url),
    ["https://github.com/o/a", "https://github.com/o/b"],
  );
  assert.equal(fromRemote.missing.length, 1);
  assert.deepEqual(fromRemote.missing[0]!.url, "https://github.com/o/gone");
  const named = await acquire(["o/a@nowhere", "o/gone"], undefined, options);
  assert.deepEqual(
    [named.repositories.length, named.missing.map(({ url }) => url)],
    [0, ["https://github.com/o/a@nowhere", "https://github.com/o/gone"]],
  );
  assert.equal(named.missing[0]!.reason, "no such ref");
  assert.match(nothingHad(named.missing).message, /o\/a@nowhere: no such ref, and none of the 1 others/);
  await assert.rejects(acquire([], "https://github.com/o/gone", options), rejectsWith("unreachable"));
  await assert.rejects(acquire([], "https://github.com/o/a", options), rejectsWith("empty"), "a page without links");
  await assert.rejects(acquire(["ext::sh -c id"], undefined, options), rejectsWith("invalid"));
  await assert.rejects(acquire(["o/a", "o/a@main"], undefined, options), rejectsWith("invalid"), "one with two pins");
  await writeFile(join(folder, "README.md"), "a line with [a](https://github.com/o/a)\n");
  assert.equal((await acquire([], join(folder, "README.md"), options)).repositories.length, 1);
});

test("a plain list names sources of every kind, one a line, from its own folder", async (t) => {
  const { options, make, folder } = await setUp(t);
  await make("o/a");
  await make("o/b");
  const local = await makeRepository(join(folder, "lists/local"), [[{ path: "a", content: "x" }]]);
  await mustRun(options.git, `--git-dir=${local}`, "tag", "v1");
  await writeFile(
    join(folder, "lists/list.txt"),
    `# what I read\n\no/a@main # a pin\nhttps://github.com/o/b\no/b\nlocal@v1\nnowhere\n./local@v2\next::sh\no/b@--upload-pack=x\n`,
  );
  const { repositories, missing } = await acquire([], join(folder, "lists/list.txt"), options);
  assert.deepEqual(
    repositories.map(({ url, ref, parts }) => [url, ref, parts.at(-1)]),
    [
      ["https://github.com/o/a", "main", "a"],
      ["https://github.com/o/b", null, "b"],
      [null, "v1", "local"],
    ],
  );
  assert.deepEqual(missing, [
    { url: "ext::sh", reason: "not a source" },
    { url: "o/b@--upload-pack=x", reason: "not a source" },
    { url: join(folder, "lists/nowhere"), reason: "not found" },
  ]);
});

test("a server in trouble is asked three times, with growing pauses", async (t) => {
  const { options, make, forge } = await setUp(t);
  await make("o/a");
  const times: number[] = [];
  const server = createServer((_, response) => {
    times.push(performance.now());
    response.writeHead(503).end();
  }).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/o/x.git`;
  const list = join(forge, "list");
  await writeFile(list, `https://github.com/o/a ${url}`);
  const { repositories, missing } = await acquire([], list, { ...options, backOffMs: 100 });
  assert.deepEqual([repositories.length, missing], [1, [{ url, reason: "no answer" }]]);
  assert.equal(times.length, 3);
  assert.ok(times[1]! - times[0]! >= 100 && times[2]! - times[1]! >= 200);
});

test("a server that refuses connections gives no answer, at once", async (t) => {
  const { options } = await setUp(t);
  const { missing } = await acquire(["http://127.0.0.1:1/o/a"], undefined, options);
  assert.deepEqual(missing, [{ url: "http://127.0.0.1:1/o/a", reason: "no answer" }]);
});
