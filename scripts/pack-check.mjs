/** Packs the package as it would be published and lets publint and attw judge the tarball. Publishes nothing. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";

const place = mkdtempSync(path.join(tmpdir(), "chrysalis-pack-"));
process.on("exit", () => rmSync(place, { recursive: true, force: true }));

run("npm", ["pack", "--silent", "--pack-destination", place]);
const tarball = path.join(place, readdirSync(place)[0]);
run("publint", ["run", tarball, "--strict"]);
run("attw", [tarball, "--profile", "esm-only"]);

function run(command, args) {
  const answer = spawnSync(command, args, { stdio: "inherit", shell: process.platform === "win32" });
  if (answer.error) process.stderr.write(`${command} could not be started: ${answer.error.message}\n`);
  if (answer.status !== 0) process.exit(1);
}
