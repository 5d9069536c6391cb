import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import type { GenomeEvent } from "./events.ts";
import { createGit } from "./git.ts";
import { listTree, readBlobs } from "./objects.ts";
import { probe, remoteHead, transfer } from "./remote.ts";
import type { RemoteOptions } from "./remote.ts";
import { urlSource } from "./source.ts";
import { serveFiles, startServer } from "./testing-http.ts";
import { addCommits, isolatedEnvironment, makeRepository, mustRun, temporaryFolder } from "./testing.ts";

interface Place {
  readonly folder: string;
  readonly url: string;
  readonly gitDir: string;
  readonly options: RemoteOptions;
  readonly events: GenomeEvent[];
  /** Runs git in the remote. */
  readonly git: (...args: string[]) => Promise<string>;
}

/** A remote with two commits on its main branch, and a cache. */
async function setUp(t: TestContext, settings: Record<string, string> = {}): Promise<Place> {
  const folder = await temporaryFolder(t);
  const gitDir = join(folder, "remote.git");
  const commits = [[{ path: "a", content: "one" }], [{ path: "a", content: "two" }]];
  await makeRepository(gitDir, commits, { bare: true });
  const git = createGit({ env: isolatedEnvironment(folder, settings) });
  const events: GenomeEvent[] = [];
  const options = {
    git,
    cache: join(folder, "cache"),
    backOffMs: 1,
    onEvent: (event: GenomeEvent) => void events.push(event),
  };
  const run = (...args: string[]): Promise<string> =>
    mustRun(git, `--git-dir=${gitDir}`, ...args).then((s) => s.trim());
  return { folder, url: pathToFileURL(gitDir).href, gitDir, options, events, git: run };
}

/** What a build gets: commit, pin and way, or the reason why not. */
async function bring(url: string, ref: string | null, options: RemoteOptions) {
  const source = urlSource(url, ref);
  const probed = await probe(source, options);
  if ("reason" in probed) return probed.reason;
  const result = await transfer(source, probed, options);
  return "reason" in result ? result.reason : result;
}

async function commitAt(url: string, ref: string | null, options: RemoteOptions): Promise<string> {
  const result = await bring(url, ref, options);
  return typeof result === "string" ? result : result.snapshot.commit;
}

test("a pin is a tag, a branch, a commit or the beginning of one", async (t) => {
  const { url, options, git } = await setUp(t);
  const [first, second] = (await git("rev-parse", "main~1", "main")).split("\n") as [string, string];
  const identity = ["-c", "user.name=T", "-c", "user.email=t@example.invalid"];
  await git(...identity, "tag", "--annotate", "--message=x", "v1", first);
  await git("branch", "both", first);
  await git("tag", "both", second);
  await git("branch", "deep/name", first);
  await git("tag", "deadbeef", first); // It looks like a commit, and is none.
  const cases = {
    v1: first,
    both: second,
    "refs/heads/both": first,
    "deep/name": first,
    deadbeef: first,
    [first]: first,
    [first.slice(0, 8)]: first,
    HEAD: second,
  };
  for (const [ref, commit] of Object.entries(cases)) assert.equal(await commitAt(url, ref, options), commit, ref);
  assert.equal(await commitAt(url, null, options), second);
  const short = await bring(url, first.slice(0, 8), options);
  assert.ok(typeof short !== "string" && short.ref === first && short.how === "unchanged");
  for (const ref of ["nowhere", "feedbeef", "0".repeat(40)])
    assert.equal(await commitAt(url, ref, options), "no such ref", ref);
  assert.equal((await readdir(options.cache)).length, 1, "all from one clone");

  assert.deepEqual(await remoteHead({ url, ref: "v1" }, options), { head: first });
  assert.deepEqual(await remoteHead({ url, ref: null }, options), { head: second });
  assert.deepEqual(await remoteHead({ url, ref: first }, options), { reason: "no such ref" });
});

test("a commit that no branch leads to any more is still had where the server gives it, else said to be gone", async (t) => {
  const { folder, url, options, git } = await setUp(t);
  const [first, lost] = (await git("rev-parse", "main~1", "main")).split("\n") as [string, string];
  await git("update-ref", "refs/heads/main", first);
  assert.equal(await commitAt(url, lost, options), lost);
  // In the older protocol a server gives only what its refs lead to.
  const older = createGit({ env: isolatedEnvironment(folder, { "protocol.version": "0" }) });
  const again = { ...options, git: older, cache: join(folder, "other") };
  assert.equal(await commitAt(url, lost, again), "no such ref");
  assert.equal(await commitAt(url, first, again), first);
  await git("update-ref", "refs/heads/side", lost);
  assert.equal(await commitAt(url, lost, { ...again, cache: join(folder, "third") }), lost);
});

test("a commit that is wholly in the cache needs no network", async (t) => {
  const { url, options, git, gitDir } = await setUp(t);
  const first = await git("rev-parse", "main~1");
  await bring(url, null, options);
  await rm(gitDir, { recursive: true });
  const result = await bring(url, first, options);
  assert.ok(typeof result !== "string" && result.how === "unchanged");
  assert.equal(await commitAt(url, null, options), "not found");
});

test("a clone that was damaged is brought up to date or made anew", async (t) => {
  const { url, options, gitDir } = await setUp(t);
  const damages: ((clone: string) => Promise<void>)[] = [
    (clone) => rm(join(clone, "objects/pack"), { recursive: true }),
    (clone) => appendFile(join(clone, "config"), "[core\n"),
    (clone) =>
      rm(join(clone, "refs/chrysalis"), { recursive: true }).then(() => writeFile(join(clone, "refs/chrysalis"), "")),
  ];
  for (const damage of damages) {
    const before = await bring(url, null, options);
    assert.ok(typeof before !== "string");
    await damage(before.snapshot.gitDir);
    await addCommits(options.git, gitDir, [[{ path: "a", content: before.snapshot.commit }]]);
    const after = await bring(url, null, options);
    assert.ok(typeof after !== "string" && after.how !== "unchanged");
    const entries = await listTree(options.git, after.snapshot, "x");
    const [blob] = await Array.fromAsync(
      readBlobs(options.git, after.snapshot.gitDir, [entries[0]!.id], { limit: 100 }),
    );
    assert.equal(Buffer.from((blob as { content: Uint8Array }).content).toString(), before.snapshot.commit);
  }
});

test("a history that is cut off at the remote is known to be, until it is no more", async (t) => {
  const { folder, url, options, git } = await setUp(t);
  const cut = join(folder, "cut.git");
  await mustRun(options.git, "clone", "--quiet", "--bare", "--depth=1", "--", url, cut);
  const source = pathToFileURL(cut).href;
  const shallow = await bring(source, null, options);
  assert.ok(typeof shallow !== "string" && shallow.snapshot.shallow);
  assert.equal(shallow.snapshot.commit, await git("rev-parse", "main"));
  await mustRun(options.git, `--git-dir=${cut}`, "fetch", "--quiet", "--unshallow", "origin");
  const whole = await bring(source, null, options);
  assert.ok(typeof whole !== "string" && !whole.snapshot.shallow);
});

test("SHA-256 repositories are cloned as such, also by a pin", async (t) => {
  const folder = await temporaryFolder(t);
  const gitDir = join(folder, "r.git");
  await makeRepository(gitDir, [[{ path: "a", content: "x" }]], { bare: true, objectFormat: "sha256" });
  const git = createGit({ env: isolatedEnvironment(folder) });
  const url = pathToFileURL(gitDir).href;
  const commit = await commitAt(url, "main", { git, cache: join(folder, "cache") });
  assert.match(commit, /^[0-9a-f]{64}$/);
  assert.equal(await commitAt(url, commit, { git, cache: join(folder, "other") }), commit);
});

test("nothing of an address's password is kept, logged or told", async (t) => {
  const { gitDir, folder, events } = await setUp(t);
  const serve = await serveFiles(gitDir);
  const base = await startServer(t, (request, response) => {
    const given = Buffer.from((request.headers.authorization ?? "").slice(6), "base64").toString();
    if (given === "u:hunter2") serve(request, response);
    else response.writeHead(401, { "www-authenticate": "Basic realm=x" }).end();
  });
  const settings = { "core.logAllRefUpdates": "always" };
  const git = createGit({ env: isolatedEnvironment(folder, settings) });
  const options = { git, cache: join(folder, "cache"), onEvent: (event: GenomeEvent) => void events.push(event) };
  const url = `${base.replace("//", "//u:hunter2@")}r.git`;
  const result = await bring(url, null, options);
  assert.ok(typeof result !== "string");
  assert.equal(await bring(url.replace("hunter2", "hunter3"), "main", options), "refused");
  for (const file of await readdir(options.cache, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    assert.ok(!(await readFile(join(file.parentPath, file.name))).includes("hunter"), file.name);
  }
  assert.ok(!JSON.stringify(events).includes("hunter"));
});

test("a server in trouble is asked again; what it answers in the end counts", async (t) => {
  const { gitDir, options, events, git } = await setUp(t);
  const serve = await serveFiles(gitDir);
  let requests = 0;
  const base = await startServer(t, (request, response) => {
    if (requests++ < 2) response.writeHead(503).end();
    else serve(request, response);
  });
  assert.equal(await commitAt(`${base}r.git`, null, options), await git("rev-parse", "main"));
  assert.deepEqual(
    events.flatMap((event) => (event.type === "repository-retry" ? [[event.reason, event.seconds]] : [])),
    [
      ["no answer", 0.001],
      ["no answer", 0.002],
    ],
  );
});

test("a transfer tells how far it is", async (t) => {
  const { url, options, events } = await setUp(t);
  await bring(url, null, options);
  const told = events.filter((event) => event.type === "repository-transfer");
  assert.ok(told.length > 0);
  assert.ok(told.every((event) => event.url === url && event.percent >= 0 && event.percent <= 100));
});

test("a remote that sends more than it may is stopped, and nothing of it is kept", async (t) => {
  const { folder, url, gitDir, options } = await setUp(t);
  const large = randomBytes(3 << 20); // Nothing that git could make smaller.
  await addCommits(options.git, gitDir, [[{ path: "large", content: large }]]);
  assert.equal(await bring(url, null, { ...options, transferBytes: 1 << 20 }), "too large");
  assert.deepEqual(await readdir(join(folder, "cache")), []);
  const whole = await bring(url, null, { ...options, transferBytes: 4 << 20 });
  assert.ok(typeof whole !== "string");
});

test("each reason is told apart", async (t) => {
  const { folder, options } = await setUp(t);
  const base = await startServer(t, ({ url }, response) => {
    const status = Number(/^\/(\d{3})\//.exec(url!)?.[1] ?? 200);
    if (status === 200) return; // It never answers.
    const headers = status === 401 ? { "www-authenticate": "Basic realm=x" } : {};
    response.writeHead(status, headers).end();
  });
  const empty = await makeRepository(join(folder, "empty.git"), [], { bare: true });
  await mkdir(join(folder, "plain"));
  const cases = {
    [`${base}404/r`]: "not found",
    [`${base}410/r`]: "not found",
    [`${base}401/r`]: "refused",
    [`${base}403/r`]: "refused",
    [`${base}hang/r`]: "timed out",
    [pathToFileURL(empty).href]: "empty",
    [pathToFileURL(join(folder, "plain")).href]: "not a repository",
    [pathToFileURL(join(folder, "gone")).href]: "not found",
  };
  const found = await Promise.all(
    Object.keys(cases).map(async (url) => [url, await bring(url, null, { ...options, probeMs: 400 })]),
  );
  assert.deepEqual(Object.fromEntries(found), cases);
});

test("a remote that lacks objects, or cannot be read, has no commit to give", async (t) => {
  const { url, options, gitDir, git } = await setUp(t);
  const blob = await git("rev-parse", "main:a");
  await rm(join(gitDir, "objects", blob.slice(0, 2), blob.slice(2)));
  assert.equal(await commitAt(url, null, options), "damaged");
  await appendFile(join(gitDir, "config"), "[core\n");
  assert.equal(await commitAt(url, null, options), "not a repository");
});
