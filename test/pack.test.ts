/** Installs the package as it would be published into an empty folder and runs it there. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { test } from "node:test";
import { packageRoot, packageVersion } from "../src/formats/package-root.ts";

const UNREACHABLE = /\b(ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH)\b/;

function run(command: string, args: readonly string[], folder: string): { status: number | null; output: string } {
  // What `npm test` tells its scripts about this package is not true of the other folder; its settings still are.
  const kept = Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|command)/.test(name));
  const env = {
    ...Object.fromEntries(kept),
    PATH: [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter),
    ONNXRUNTIME_NODE_INSTALL: "skip",
  };
  const options = { cwd: folder, env, encoding: "utf8", shell: process.platform === "win32" } as const;
  const answer = spawnSync(command, args, options);
  return { status: answer.status, output: `${answer.error?.message ?? ""}${answer.stdout}${answer.stderr}` };
}

test("the packed package installs into an empty folder and runs", (context) => {
  const place = mkdtempSync(join(tmpdir(), "chrysalis-pack-"));
  context.after(() => rmSync(place, { recursive: true, force: true }));

  const packed = run("npm", ["pack", "--pack-destination", place], packageRoot());
  assert.equal(packed.status, 0, packed.output);
  const tarball = readdirSync(place).find((name) => name.endsWith(".tgz"));
  assert.ok(tarball, `npm pack left a tarball: ${packed.output}`);

  writeFileSync(join(place, "package.json"), '{ "private": true }\n');
  const flags = ["--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"];
  const installed = run("npm", ["install", ...flags, `./${tarball}`], place);
  if (installed.status !== 0 && UNREACHABLE.test(installed.output)) {
    context.skip("the registry is unreachable and npm's cache lacks the dependencies: the tarball was not installed");
    return;
  }
  assert.equal(installed.status, 0, installed.output);

  const home = join(place, "node_modules", "symbiotic-chrysalis");
  const shipped = globSync(["blueprints/**/*.yaml", "models/**/*.*", "LICENSE", "README.md", "CHANGELOG.md"], {
    cwd: packageRoot(),
  });
  for (const path of shipped) assert.ok(existsSync(join(home, path)), `${path} is part of the package`);
  const unwanted = globSync(["src", "test", "dist/**/*.test.*", "dist/**/testing*"], { cwd: home });
  assert.deepEqual(unwanted, [], "neither sources nor tests are part of the package");

  const names = run(
    process.execPath,
    ["--input-type=module", "-e", 'console.log(Object.keys(await import("symbiotic-chrysalis")).join())'],
    place,
  );
  assert.equal(names.status, 0, names.output);
  assert.match(names.output, /\bUserError\b/);

  const command = join(place, "node_modules", ".bin", "chrysalis");
  const version = run(command, ["--version"], place);
  assert.equal(version.status, 0, version.output);
  assert.ok(version.output.includes(packageVersion()), `--version says ${packageVersion()}: ${version.output}`);
  const help = run(command, ["--help"], place);
  assert.equal(help.status, 0, help.output);
  assert.match(help.output, /^\s+eval\b/m, "--help lists the verbs");
});
