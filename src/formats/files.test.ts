import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { atomicFolder, atomicStream, atomicWrite, canonicalJson, readJson, sha256OfFile } from "./files.ts";
import { failsWith } from "../../test/support/user-error.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "files-"));
});
after(() => rm(folder, { recursive: true }));

test("a file is replaced whole; a failure keeps the old one and leaves nothing beside it", async () => {
  const path = join(folder, "a.txt");
  await atomicWrite(path, "old");
  const failing = atomicStream(path, async (handle) => {
    await handle.writeFile("half");
    assert.equal(await readFile(path, "utf8"), "old");
    throw new Error("stop");
  });
  await assert.rejects(failing, /stop/);
  assert.equal(await readFile(path, "utf8"), "old");
  await atomicWrite(path, Uint8Array.of(110, 101, 119));
  assert.equal(await readFile(path, "utf8"), "new");
  assert.deepEqual(await readdir(folder), ["a.txt"]);
});

test("a folder appears whole or not at all and is never written over", async () => {
  const path = join(folder, "model", "deep");
  const failing = atomicFolder(path, async (temporary) => {
    await writeFile(join(temporary, "x"), "1");
    throw new Error("stop");
  });
  await assert.rejects(failing, /stop/);
  assert.deepEqual(await readdir(join(folder, "model")), []);
  await mkdir(path);
  await atomicFolder(path, (temporary) => writeFile(join(temporary, "x"), "1"));
  assert.deepEqual(await readdir(join(folder, "model")), ["deep"]);
  assert.deepEqual(await readdir(path), ["x"]);
  await assert.rejects(
    atomicFolder(path, async () => assert.fail()),
    failsWith("exists", /deep exists/),
  );
  await assert.rejects(
    atomicFolder(join(folder, "a.txt"), async () => assert.fail()),
    failsWith("exists", /a\.txt/),
  );
});

test("missing places are the user's to mend", async () => {
  await assert.rejects(sha256OfFile(join(folder, "absent")), failsWith("not-found", /absent/));
  await assert.rejects(atomicWrite(join(folder, "no", "where"), ""), failsWith("not-found", /where/));
  await assert.rejects(readJson(folder), failsWith("invalid", /is a folder/));
  if (process.platform !== "win32") await assert.rejects(readJson("/dev/null"), failsWith("invalid", /not a regular/));
  await assert.rejects(atomicWrite(folder, "x"), failsWith("invalid", /is a folder/));
  await writeFile(join(folder, "bad.json"), "{");
  await assert.rejects(readJson(join(folder, "bad.json")), failsWith("damaged", /bad\.json is not valid JSON/));
});

test("a hash is that of all bytes, across the chunks of a stream", async () => {
  const path = join(folder, "big");
  const bytes = new Uint8Array(9_000_001).map((_, i) => i * 7);
  await writeFile(path, bytes);
  assert.equal(await sha256OfFile(path), createHash("sha256").update(bytes).digest("hex"));
});

test("canonical JSON sorts keys at every level and refuses what JSON cannot hold", () => {
  const value = { b: [{ z: 1, a: undefined }], a: null, ["__proto__"]: 2 };
  assert.equal(
    canonicalJson(value),
    '{\n  "__proto__": 2,\n  "a": null,\n  "b": [\n    {\n      "z": 1\n    }\n  ]\n}\n',
  );
  assert.throws(() => canonicalJson({ a: [NaN] }), /NaN/);
});
