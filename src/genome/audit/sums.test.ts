import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFile, mkdir, readFile, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { UserError } from "../../errors.ts";
import { temporaryFolder } from "../testing.ts";
import { checkSums, writeSums } from "./sums.ts";

const contents: Readonly<Record<string, string>> = {
  "a b.txt": "one\n",
  "back\\slash": "two\n",
  "line\nbreak": "three\n",
  "repositories/x.txt": "four\n",
  "\uffee.txt": "five\n",
  "\u{13080}.txt": "six\n",
};

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function sample(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, "repositories"));
  for (const [name, content] of Object.entries(contents)) await writeFile(join(folder, name), content);
  for (const name of ["integrity_report.json", "integration_report.json", "events.jsonl"]) {
    await writeFile(join(folder, name), "timed");
  }
  await writeSums(folder);
  return folder;
}

async function isSound(folder: string): Promise<boolean> {
  const { failed, unlisted } = await checkSums(folder);
  return failed.length === 0 && unlisted.length === 0;
}

test("the list has coreutils' form, in the order of code points", async (t) => {
  const folder = await sample(t);
  assert.equal(
    await readFile(join(folder, "SHA256SUMS"), "utf8"),
    `${sha256("one\n")}  a b.txt\n` +
      `\\${sha256("two\n")}  back\\\\slash\n` +
      `\\${sha256("three\n")}  line\\nbreak\n` +
      `${sha256("four\n")}  repositories/x.txt\n` +
      `${sha256("five\n")}  \uffee.txt\n` +
      `${sha256("six\n")}  \u{13080}.txt\n`,
  );
  const result = await checkSums(folder);
  assert.deepEqual(result.ok, Object.keys(contents));
  assert.deepEqual([result.failed, result.unlisted], [[], []]);
  assert.equal(result.hashes.get("line\nbreak"), sha256("three\n"));
});

test("a hash taken while writing is compared with what lies on the disk", async (t) => {
  const folder = await sample(t);
  await writeSums(folder, { "a b.txt": sha256("what was meant") });
  assert.deepEqual((await checkSums(folder)).failed, [
    { file: "a b.txt", why: "does not have the hash that is listed" },
  ]);
});

test("every flipped byte of the list is found", async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, "plain"), "one\n");
  await writeFile(join(folder, "line\nbreak"), "two\n");
  await writeSums(folder);
  const path = join(folder, "SHA256SUMS");
  const whole = await readFile(path);
  for (let at = 0; at < whole.length; at++) {
    for (const mask of [1 << (at % 8), 0x20, 0xff]) {
      const flipped = Buffer.from(whole);
      flipped[at]! ^= mask;
      await writeFile(path, flipped);
      assert.ok(!(await isSound(folder)), `byte ${at} flipped by ${mask}`);
    }
  }
  await writeFile(path, whole);
  assert.ok(await isSound(folder));
});

test("every flipped byte of a listed file is found", async (t) => {
  const folder = await sample(t);
  for (const [name, content] of Object.entries(contents)) {
    for (let at = 0; at < content.length; at++) {
      const flipped = Buffer.from(content);
      flipped[at]! ^= 1;
      await writeFile(join(folder, name), flipped);
      assert.deepEqual(
        (await checkSums(folder)).failed.map(({ file }) => file),
        [name],
      );
    }
    await writeFile(join(folder, name), content);
  }
});

test("a list of another form is refused although coreutils would take it", async (t) => {
  const folder = await sample(t);
  const path = join(folder, "SHA256SUMS");
  const whole = await readFile(path, "utf8");
  const lines = whole.trimEnd().split("\n");
  const others: Record<string, string> = {
    "a comment": `# comment\n${whole}`,
    "the binary marker": whole.replace("  ", " *"),
    "upper case": whole.replace(/^\w+/, (hash) => hash.toUpperCase()),
    "no last newline": whole.trimEnd(),
    "an empty line": `${whole}\n`,
    "a BOM": `\ufeff${whole}`,
    CRLF: whole.replaceAll("\n", "\r\n"),
    "another order": `${lines.toReversed().join("\n")}\n`,
    "a line twice": `${lines[0]}\n${whole}`,
    "a line less": `${lines.slice(1).join("\n")}\n`,
    "a needless escape": `\\${whole}`,
    nothing: "",
  };
  for (const [what, text] of Object.entries(others)) {
    await writeFile(path, text);
    assert.ok(!(await isSound(folder)), what);
  }
  await rm(path);
  assert.deepEqual((await checkSums(folder)).failed, [{ file: "SHA256SUMS", why: "is missing" }]);
});

test("files that are missing, cut, new or renamed are named", async (t) => {
  const folder = await sample(t);
  await rm(join(folder, "back\\slash"));
  await truncate(join(folder, "a b.txt"), 1);
  await writeFile(join(folder, "repositories/new"), "");
  await rename(join(folder, "\uffee.txt"), join(folder, "moved"));
  await appendFile(join(folder, "events.jsonl"), "times may change");
  const { ok, failed, unlisted } = await checkSums(folder);
  assert.deepEqual(ok, ["line\nbreak", "repositories/x.txt", "\u{13080}.txt"]);
  assert.deepEqual(
    failed.map(({ file, why }) => `${file}: ${why}`),
    [
      "a b.txt: does not have the hash that is listed",
      "back\\slash: is listed, but missing",
      "\uffee.txt: is listed, but missing",
    ],
  );
  assert.deepEqual(unlisted, ["moved", "repositories/new"]);
});

test("names and links that lead out of the folder are refused, and nothing there is read", async (t) => {
  const outside = await temporaryFolder(t);
  await writeFile(join(outside, "secret"), "secret");
  const folder = join(outside, "genome");
  await mkdir(folder);
  await symlink(join(outside, "secret"), join(folder, "link"));
  await symlink(outside, join(folder, "up"));
  const hash = sha256("secret");
  const names = ["../secret", "./x", "/etc/passwd", join(outside, "secret"), "SHA256SUMS", "link", "up/secret", "x//y"];
  await writeFile(join(folder, "SHA256SUMS"), names.map((name) => `${hash}  ${name}\n`).join(""));
  const { ok, failed } = await checkSums(folder);
  assert.deepEqual(ok, []);
  const why = new Map(failed.map((failure) => [failure.file, failure.why]));
  for (const name of ["../secret", "./x", "/etc/passwd", join(outside, "secret"), "x//y"]) {
    assert.equal(why.get(name), "is listed, but its name leads out of the folder", name);
  }
  assert.equal(why.get("link"), "is a symbolic link");
  assert.equal(why.get("up"), "is a symbolic link");
  assert.equal(why.get("up/secret"), "is listed, but missing");
  await assert.rejects(writeSums(folder), (error) => error instanceof UserError && error.code === "invalid");
});

test("a list or a timed file that is a link is refused", async (t) => {
  const folder = await sample(t);
  await rm(join(folder, "SHA256SUMS"));
  await symlink("/dev/zero", join(folder, "SHA256SUMS"));
  await rm(join(folder, "events.jsonl"));
  await symlink("/dev/zero", join(folder, "events.jsonl"));
  const { failed } = await checkSums(folder);
  const named = failed.map(({ file }) => file);
  assert.ok(named.includes("SHA256SUMS") && named.includes("events.jsonl"));
});
