/** The verbs of genomes as a user types them: what they print, their exit codes, and what `sha256sum` says. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { glue } from "../genome/clean/testing.ts";
import { isolatedEnvironment, makeRepository } from "../genome/testing.ts";
import { chrysalis } from "./testing.ts";

describe("chrysalis genome", () => {
  let folder = "";
  let env: NodeJS.ProcessEnv = {};
  const run = (...args: string[]) => chrysalis(["genome", ...args], { cwd: folder, env });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "genome-verbs-"));
    env = isolatedEnvironment(folder);
    await makeRepository(join(folder, "notes"), [
      [
        { path: "a.md", content: `mail ${glue("someone", "@mail.dev")}\n` },
        { path: "b.md", content: "the same five words here\n" },
        { path: "copy/b.md", content: "the same five words here\n" },
        { path: "c.png", content: "\0" },
      ],
    ]);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("build --json gives what was built, masked, repeated and left out", async () => {
    const { code, stdout, stderr } = await run("build", "notes", "notes-gone", "--out", "g", "--json");
    assert.equal(code, 2, "a path of the user's own must be there");
    assert.match(JSON.parse(stdout).error.message, /notes-gone/);
    assert.match(stderr, /^chrysalis: /);
    const built = await run("build", "notes", "--out", "g", "--json");
    assert.deepEqual([built.code, built.stderr], [0, ""]);
    const result = JSON.parse(built.stdout);
    assert.deepEqual(
      result.repositories.map(({ name }: { name: string }) => name),
      ["notes"],
    );
    assert.deepEqual(result.missing, []);
    assert.equal(result.genes, 3);
    assert.equal(result.bytes, 72);
    assert.match(result.sha256, /^[0-9a-f]{64}$/);
    assert.ok(result.seconds > 0 && result.peakMemoryBytes > 1e6);
    assert.deepEqual(result.audit, { PASS: 3, FAIL: 0, ERROR: 0, SKIPPED: 2 });
    assert.deepEqual(result.duplicates, { exact: 25, near: 0, template: 0 });
    assert.deepEqual(result.masked, { email: 1 });
    assert.deepEqual(result.skipped, { binary: 1 });
  });

  test("build tells people the same, and that nothing had moved", async () => {
    const { code, stdout } = await run("build", "notes", "--out", "g");
    assert.equal(code, 0);
    assert.match(stdout, /^3 files \(72 B\) of 1 repository in .*; nothing had moved\n/);
    assert.match(stdout, /^repeated {4}exact 25 B$/m);
    assert.match(stdout, /^masked {6}email 1$/m);
    assert.match(stdout, /^left out {4}binary 1$/m);
    assert.match(stdout, /^audit {7}PASS 3, SKIPPED 2$/m);
  });

  test("a source that cannot be had: exit code 0 with its reason, 1 where all are required", async () => {
    await writeFile(join(folder, "list.txt"), "notes\nhttps://host.invalid/o/gone\n");
    const git = { ...env, GIT_ALLOW_PROTOCOL: "file" };
    const some = await chrysalis(["genome", "build", "--hub", "list.txt", "--out", "h", "--json"], {
      cwd: folder,
      env: git,
    });
    assert.equal(some.code, 0);
    const [missing, ...others] = JSON.parse(some.stdout).missing;
    assert.equal(missing.url, "https://host.invalid/o/gone");
    assert.equal(typeof missing.reason, "string");
    assert.deepEqual(others, []);
    const all = await chrysalis(["genome", "build", "--hub", "list.txt", "--out", "i", "--require-all"], {
      cwd: folder,
      env: git,
    });
    assert.equal(all.code, 1);
    assert.match(all.stderr, /chrysalis: https:\/\/host\.invalid\/o\/gone: /);
  });

  test("verify passes a whole genome and fails one with a changed byte", async (t) => {
    const whole = await run("verify", "g", "--json");
    assert.equal(whole.code, 0, whole.stdout);
    assert.equal(JSON.parse(whole.stdout).ok, true);
    const coreutils = spawnSync("sha256sum", ["--strict", "--quiet", "-c", "SHA256SUMS"], { cwd: join(folder, "g") });
    if (coreutils.error === undefined) assert.equal(coreutils.status, 0, String(coreutils.stderr));
    else t.diagnostic("sha256sum is not installed here");
    const path = join(folder, "g", "genome.txt");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace("five", "FIVE"));
    const changed = await run("verify", "g");
    assert.equal(changed.code, 1);
    assert.match(changed.stdout, /^.*g: it is not what it should be/);
    assert.match(changed.stdout, /^wrong {4}genome\.txt: /m);
  });

  test("what cannot be asked is refused with exit code 2", async () => {
    for (const [args, line] of [
      [["build"], /no source was given/],
      [["build", "notes", "--licences", "permisive"], /permisive/],
      [["build", "notes", "--extensions", "all"], /--extensions/],
      [["build", "--locked", "nowhere.json"], /nowhere\.json/],
      [["verify", "nowhere"], /nowhere/],
      [["bulid"], /nearest is genome build/],
    ] as const) {
      const { code, stderr } = await run(...args);
      assert.equal(code, 2, args.join(" "));
      assert.match(stderr, line);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    }
    const help = await run("--help");
    assert.match(help.stdout, /genome build[^]*genome verify/);
  });
});
