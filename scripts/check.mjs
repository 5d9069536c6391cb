/** Runs every check of package.json in turn, each even where an earlier one failed, and sums up. Changes nothing. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const CHECKS = ["lint", "format:check", "types", "dead", "pack:check"];

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
const failed = CHECKS.filter((name) => {
  process.stdout.write(`\n== ${name}: ${scripts[name]}\n`);
  return spawnSync(scripts[name], { cwd: root, stdio: "inherit", shell: true }).status !== 0;
});
const passed = CHECKS.length - failed.length;
process.stdout.write(
  `\n${passed} of ${CHECKS.length} checks passed${failed.length > 0 ? `; failed: ${failed.join(", ")}` : ""}\n`,
);
process.exit(failed.length > 0 ? 1 : 0);
