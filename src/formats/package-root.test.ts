import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { packageRoot, packageVersion } from "./package-root.ts";

test("the package's root holds its package.json, whatever the current folder", () => {
  const before = process.cwd();
  try {
    process.chdir("/");
    assert.ok(existsSync(join(packageRoot(), "package-lock.json")));
    const manifest = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string };
    assert.equal(packageVersion(), manifest.version);
  } finally {
    process.chdir(before);
  }
});
