/**
 * Runs the pinned Node of `node_modules` with the given arguments, after installing what `package-lock.json` names
 * where that is not there yet; without arguments it only installs. So one command is enough on a fresh clone. Plain
 * JavaScript for the system's Node, which may be as old as 18. Not an installer of its own: `npm ci` does the work.
 *
 *     node scripts/node.mjs src/cli/main.ts --help
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const modules = path.join(root, "node_modules");
const pinnedNode = path.join(modules, "node", "bin", process.platform === "win32" ? "node.exe" : "node");
const runtimeFolder = path.join(modules, "onnxruntime-node/bin/napi-v6", process.platform, process.arch);

const missing = whatIsMissing();
if (missing !== undefined) install(missing);
if (process.argv.length > 2) run(process.argv.slice(2));

/** Says in words why an install is needed, or undefined. Contents are compared, not dates: `git pull` changes those. */
function whatIsMissing() {
  const wanted = packagesOf(path.join(root, "package-lock.json"));
  const present = packagesOf(path.join(modules, ".package-lock.json"));
  if (wanted === undefined)
    fail("package-lock.json is missing or not JSON", "restore it: git checkout package-lock.json");
  if (present === undefined) return "there is no complete node_modules";
  for (const [place, entry] of Object.entries(wanted)) {
    if (place === "") continue; // the project itself
    const found = present[place];
    if (found === undefined && entry.optional) continue; // a build for another platform
    if (found === undefined || found.version !== entry.version) {
      return `${place.replace(/^.*node_modules\//, "")} ${entry.version} is not there`;
    }
  }
  if (!existsSync(path.join(runtimeFolder, "onnxruntime_binding.node"))) {
    return `onnxruntime-node holds no binary for ${process.platform} ${process.arch}`;
  }
  if (nodeToUse() === undefined) return `Node ${wanted["node_modules/node"].version} is not there`;
  return undefined;
}

/** The `packages` of a lock file, or undefined where there is none (or half of one). */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}

/** The pinned Node; or, where its install script was not allowed to fetch it, the running one if that is new enough. */
function nodeToUse() {
  if (spawnSync(pinnedNode, ["--version"]).status === 0) return pinnedNode;
  const [major, minor] = process.versions.node.split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 18) ? process.execPath : undefined;
}

function install(reason) {
  process.stderr.write(`Installing the packages with npm ci, since ${reason}. This takes a minute, once.\n`);
  // The npm that started this script, on the Node that it runs on; the pinned Node is about to be replaced.
  const npm = process.env.npm_execpath;
  const known = npm !== undefined && /npm(-cli)?\.c?js$/.test(npm);
  const node = process.execPath.startsWith(modules) ? (process.env.npm_node_execpath ?? "node") : process.execPath;
  const [command, ...first] = known ? [node, npm] : ["npm"];
  // Errors only: npm's warning about the age of the system's Node is beside the point, the pinned one runs everything.
  const answer = spawnSync(command, [...first, "ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2], // standard output belongs to the command that follows
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" },
    shell: !known && process.platform === "win32",
  });
  if (answer.error) fail(`npm could not be started (${answer.error.message})`, "install npm 10 or newer");
  if (answer.status !== 0)
    fail("npm ci failed, see above", "check the network or remove node_modules, then run the command again");
  const still = whatIsMissing();
  if (still === undefined) return;
  fail(
    `npm ci went through, but ${still}`,
    "allow install scripts (npm config get ignore-scripts) or use Node 22.18 or newer",
  );
}

function run(args) {
  const node = nodeToUse();
  const folders = [path.dirname(node), path.join(modules, ".bin"), process.env.PATH ?? ""];
  const child = spawn(node, args, {
    stdio: "inherit",
    env: { ...process.env, PATH: folders.join(path.delimiter) },
  });
  process.on("SIGINT", () => {}); // the terminal sends Ctrl-C to both; the child decides what it means
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) =>
    fail(`${node} could not be started (${error.message})`, "remove node_modules, try again"),
  );
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

function fail(what, remedy) {
  process.stderr.write(`${what}; ${remedy}\n`);
  process.exit(2);
}
