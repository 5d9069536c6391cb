import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { UserError } from "../errors.ts";
import { buildGenome } from "./build.ts";
import type { GenomeEvent } from "./events.ts";
import { openGenome } from "./manifest.ts";
import {
  addCommits,
  reproducibleHashes,
  isolatedEnvironment,
  isolatedGit,
  makeRepository,
  mustRun,
  plantCommands,
  temporaryFolder,
} from "./testing.ts";
import type { TestFile } from "./testing.ts";
import { readSafeText, writeSafeText } from "./text/safe.ts";

const files: TestFile[] = [
  { path: "README.md", content: "# One\r\nline\r\n" },
  { path: "LICENSE", content: "MIT\n" },
  { path: "copy/LICENSE", content: "MIT\r\n" },
  { path: 'a b/"quoted"\n.txt', content: "no final newline" },
  { path: "\u{13080}-x/ä.py", content: "x = 1\n" },
  { path: "\uffee-x/b.py", content: "y = 2\n" },
  { path: Buffer.from([0x62, 0xff]), content: "named by bytes\n" },
  { path: "markers.md", content: "<|file_end|>\n\\<|repo_start|>x\n" },
  { path: "empty.txt", content: "" },
  { path: "link", content: "/etc/passwd", mode: "120000" },
  { path: "module", content: "1234567890123456789012345678901234567890", mode: "160000" },
  { path: "image.png", content: "\x89PNG\0\0" },
  { path: "cyrillic.txt", content: Buffer.from("cff0e8e2e5f22c20ece8f0", "hex") },
  { path: "large.txt", content: "x".repeat(2000) },
  { path: "weights.bin", content: "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n" },
];

function sha256(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function hasCode(code: string) {
  return (error: unknown): boolean => error instanceof UserError && error.code === code;
}

test("a genome holds every text file once, in order, and counts what it leaves out", async (t) => {
  const folder = await temporaryFolder(t);
  const source = join(folder, "one");
  await makeRepository(source, [files]);
  const events: GenomeEvent[] = [];
  const out = join(folder, "genome");
  const env = isolatedEnvironment(folder);
  const summary = await buildGenome({
    sources: [source],
    out,
    env,
    fileBytes: 1000,
    onEvent: (event) => void events.push(event),
  });
  const skipped = { symlink: 1, submodule: 1, binary: 1, "not-utf8": 1, "too-large": 1, "lfs-pointer": 1 };
  assert.deepEqual(summary.skipped, skipped);
  assert.deepEqual(
    events.map(({ type }) => type),
    ["repository-found", "repository-ready", "repository-read", "audited", "genome-done"],
  );
  const genome = await openGenome(out);
  t.after(() => genome.close());
  assert.deepEqual(
    genome.genes.map(({ path }) => path),
    [
      "LICENSE",
      "README.md",
      'a b/"quoted"\n.txt',
      "b\\xFF",
      "copy/LICENSE",
      "empty.txt",
      "markers.md",
      "\uffee-x/b.py",
      "\u{13080}-x/ä.py",
    ],
  );
  const byPath = new Map(genome.genes.map((gene) => [gene.path, gene]));
  assert.equal(await genome.text(byPath.get("README.md")!), "# One\nline\n");
  assert.equal(await genome.text(byPath.get("markers.md")!), "<|file_end|>\n\\<|repo_start|>x\n");
  assert.equal(await genome.text(byPath.get("empty.txt")!), "");
  assert.deepEqual(byPath.get("README.md")!.transforms, ["newlines@1"]);
  assert.deepEqual(byPath.get("markers.md")!.transforms, ["escape-markers@1"]);
  assert.deepEqual(byPath.get("b\\xFF")!.flags, ["path-escaped"]);
  const [first, second] = [byPath.get("LICENSE")!, byPath.get("copy/LICENSE")!];
  assert.equal(first.duplicateClass, second.duplicateClass);
  assert.equal(first.duplicateClass, `exact:${first.textSha256.slice(0, 16)}`);
  assert.deepEqual([first.duplicateKind, first.representative, second.representative], ["exact", true, false]);
  assert.deepEqual([byPath.get("README.md")!.duplicateClass, byPath.get("README.md")!.representative], [null, true]);
  assert.equal(summary.duplicates.exact, 4);
  assert.equal(second.sha256, sha256("MIT\r\n"));

  const text = await readFile(join(out, "genome.txt"));
  assert.equal(sha256(text), genome.sha256);
  const pieces = await Array.fromAsync(readSafeText([text]));
  assert.deepEqual(
    await Promise.all(genome.genes.map((gene) => genome.text(gene))),
    pieces.flatMap((piece) => (piece.type === "file" ? [Buffer.from(piece.content).toString()] : [])),
  );
  assert.deepEqual(Buffer.concat(await Array.fromAsync(writeSafeText(pieces))), text);
});

test("the same commits give the same bytes in any folder, time zone and locale", async (t) => {
  const folder = await temporaryFolder(t);
  await makeRepository(join(folder, "origin/one"), [files]);
  await makeRepository(join(folder, "origin/two"), [[{ path: "a.py", content: "print()\n" }]]);
  const script = join(folder, "build.ts");
  const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  await writeFile(
    script,
    `import { buildGenome } from ${module("./build.ts")};
const [out, ...sources] = process.argv.slice(2);
await buildGenome({ sources, out: out! });`,
  );
  const hashes: unknown[] = [];
  for (const [place, TZ, LANG] of [
    ["x", "UTC", "C"],
    ["deep/y", "Pacific/Kiritimati", "tr_TR.UTF-8"],
  ] as const) {
    const at = join(folder, place);
    await mkdir(at, { recursive: true });
    await cp(join(folder, "origin"), join(at, "sources"), { recursive: true });
    const names = place === "x" ? ["one", "two"] : ["two", "one"];
    const sources = names.map((name) => join(at, "sources", name));
    const env = { ...isolatedEnvironment(at), TZ, LANG, LC_ALL: LANG };
    await promisify(execFile)(process.execPath, ["--no-warnings", script, join(at, "genome"), ...sources], {
      env,
      cwd: at,
    });
    hashes.push(await reproducibleHashes(join(at, "genome")));
  }
  assert.deepEqual(hashes[0], hashes[1]);
  assert.deepEqual(Object.keys(hashes[0] as object), [
    "SHA256SUMS",
    "genes.jsonl",
    "genome.lock.json",
    "genome.txt",
    "manifest.json",
  ]);
});

test("repositories of one name carry their owner's", async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of ["a/same", "b/same", "c/other"])
    await makeRepository(join(folder, name), [[{ path: "x.md", content: name }]]);
  const sources = ["b/same", "c/other", "a/same"].map((name) => join(folder, name));
  const summary = await buildGenome({ sources, out: join(folder, "genome"), env: isolatedEnvironment(folder) });
  assert.deepEqual(
    summary.repositories.map(({ name }) => name),
    ["a/same", "b/same", "other"],
  );
});

test("a hub's repositories are built, the others reported", async (t) => {
  const folder = await temporaryFolder(t);
  await makeRepository(join(folder, "forge/o/a"), [[{ path: "x.md", content: "a\n" }]], { bare: true });
  const page = "https://github.com/o/a and https://github.com/o/gone";
  await writeFile(join(folder, "hub.md"), page);
  const env = isolatedEnvironment(folder, {
    [`url.${pathToFileURL(join(folder, "forge")).href}/.insteadOf`]: "https://github.com/",
  });
  const summary = await buildGenome({ sources: [], hub: join(folder, "hub.md"), out: join(folder, "genome"), env });
  assert.deepEqual(
    summary.repositories.map(({ name, url }) => [name, url]),
    [["a", "https://github.com/o/a"]],
  );
  assert.deepEqual(
    summary.missing.map(({ url }) => url),
    ["https://github.com/o/gone"],
  );
  await writeFile(join(folder, "hub.md"), "https://github.com/o/gone");
  await assert.rejects(
    buildGenome({ sources: [], hub: join(folder, "hub.md"), out: join(folder, "none"), env }),
    hasCode("unreachable"),
  );
});

test("a build that fails or is killed leaves no genome, and the earlier one stays", async (t) => {
  const folder = await temporaryFolder(t);
  const source = join(folder, "one");
  const gitDir = await makeRepository(source, [[{ path: "a.md", content: "first\n" }]]);
  const env = isolatedEnvironment(folder);
  const out = join(folder, "genome");
  const script = join(folder, "killed.ts");
  await writeFile(
    script,
    `import { buildGenome } from ${JSON.stringify(new URL("./build.ts", import.meta.url).href)};
const [out, source] = process.argv.slice(2);
const onEvent = ({ type }: { type: string }) => { if (type === "repository-read") process.kill(process.pid, "SIGKILL"); };
await buildGenome({ sources: [source!], out: out!, onEvent });`,
  );
  const killed = () =>
    assert.rejects(promisify(execFile)(process.execPath, ["--no-warnings", script, out, source], { env }), {
      signal: "SIGKILL",
    });
  await killed();
  await assert.rejects(openGenome(out), hasCode("not-found"));
  assert.ok((await readdir(folder)).some((name) => name.startsWith("genome.building-")));
  await buildGenome({ sources: [source], out, env });
  assert.ok(!(await readdir(folder)).some((name) => name.startsWith("genome.")), "what the killed build left is gone");
  const before = await reproducibleHashes(out);
  await addCommits(isolatedGit(folder), gitDir, [[{ path: "a.md", content: "second\n" }]]);
  await killed();
  assert.deepEqual(await reproducibleHashes(out), before);
  const id = (await mustRun(isolatedGit(folder), `--git-dir=${gitDir}`, "rev-parse", "HEAD:a.md")).trim();
  await rm(join(gitDir, "objects", id.slice(0, 2), id.slice(2)));
  await assert.rejects(buildGenome({ sources: [source], out, env }), (error) => {
    return hasCode("damaged")(error) && /^one: a\.md: blob \w+ is absent$/.test((error as Error).message);
  });
  assert.deepEqual(await reproducibleHashes(out), before);
});

test("only a genome is ever replaced", async (t) => {
  const folder = await temporaryFolder(t);
  const source = join(folder, "one");
  await makeRepository(source, [[{ path: "a.md", content: "x" }]]);
  await mkdir(join(folder, "mine"));
  await writeFile(join(folder, "mine/thesis.txt"), "x");
  for (const out of ["mine", "mine/thesis.txt"]) {
    await assert.rejects(buildGenome({ sources: [source], out: join(folder, out) }), hasCode("exists"));
  }
  assert.equal(await readFile(join(folder, "mine/thesis.txt"), "utf8"), "x");
  await assert.rejects(buildGenome({ sources: [], out: join(folder, "new") }), hasCode("usage"));
  await makeRepository(join(folder, "pictures"), [[{ path: "a.png", content: "\0" }]]);
  await assert.rejects(
    buildGenome({ sources: [join(folder, "pictures")], out: join(folder, "new") }),
    hasCode("empty"),
  );
  await assert.rejects(access(join(folder, "new")));
});

test("no command that a repository's configuration plants is run", async (t) => {
  const folder = await temporaryFolder(t);
  const source = join(folder, "one");
  const gitDir = await makeRepository(source, [
    [
      { path: "a.md", content: "x\n" },
      { path: ".gitattributes", content: "* filter=evil\n" },
    ],
  ]);
  const git = isolatedGit(folder);
  const canary = await plantCommands(git, gitDir, folder);
  const env = isolatedEnvironment(folder);
  await buildGenome({ sources: [source], out: join(folder, "genome"), env });
  const id = (await mustRun(git, `--git-dir=${gitDir}`, "rev-parse", "HEAD:a.md")).trim();
  await rm(join(gitDir, "objects", id.slice(0, 2), id.slice(2)));
  await assert.rejects(buildGenome({ sources: [source], out: join(folder, "other"), env }), hasCode("damaged"));
  await assert.rejects(access(canary), { code: "ENOENT" });
});

test("an aborted build ends as interrupted", async (t) => {
  const folder = await temporaryFolder(t);
  await makeRepository(join(folder, "one"), [[{ path: "a.md", content: "x" }]]);
  const options = { sources: [join(folder, "one")], out: join(folder, "genome"), env: isolatedEnvironment(folder) };
  await assert.rejects(buildGenome({ ...options, signal: AbortSignal.abort() }), hasCode("interrupted"));
});
