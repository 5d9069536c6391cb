/**
 * `npm run bench:genome`: building a genome beside repomix on the same repository in one run, and the curve of time and
 * memory over generated text. README.md beside this file holds the last figures.
 */

import { existsSync } from "node:fs";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { repositoryOfFolder, repositoryOfText } from "./genome-material.ts";
import { measureProcess, median } from "./process-tree.ts";
import type { Measured } from "./process-tree.ts";

const REPOMIX_VERSION = "1.18.1";
const root = fileURLToPath(new URL("../", import.meta.url));
/** The package as it ships, as the peer is measured as it ships. */
const cli = join(root, "dist", "cli", "main.js");

const { values } = parseArgs({
  options: {
    material: { type: "string", default: join(root, "..", "shared", "corpus") },
    runs: { type: "string", default: "5" },
    curve: { type: "string", default: "20,63,200,632,2000" },
    work: { type: "string", default: join(root, "nests", "bench-genome") },
    only: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const runs = Number(values.runs);
const work = resolve(values.work);
const say = (line: string): void => void process.stderr.write(`${line}\n`);

interface Row {
  readonly system: string;
  readonly version: string;
  readonly material: string;
  readonly megabytes: number;
  readonly seconds: number;
  readonly treeMegabytes: number;
  readonly ownMegabytes: number;
  readonly runs: number;
}

await mkdir(work, { recursive: true });
await must(process.execPath, [join(root, "scripts", "node.mjs"), join(root, "scripts", "build.mjs")], root);
const rows: Row[] = [];
if (values.only !== "curve") rows.push(...(await besideRepomix()));
if (values.only !== "repomix") rows.push(...(await curve()));
const { node } = process.versions;
if (values.json) console.log(JSON.stringify({ node, runs, rows }, null, 2));
else console.table(rows.map((row) => ({ ...row, ...rounded(row) })));

function rounded({ megabytes, seconds, treeMegabytes, ownMegabytes }: Row): object {
  return {
    megabytes: megabytes.toFixed(1),
    seconds: seconds.toFixed(2),
    treeMegabytes: treeMegabytes.toFixed(0),
    ownMegabytes: ownMegabytes.toFixed(0),
  };
}

async function besideRepomix(): Promise<Row[]> {
  if (!existsSync(values.material)) throw new Error(`${values.material} is missing; name a folder with --material`);
  const bare = join(work, "corpus.git");
  await repositoryOfFolder(values.material, bare);
  const tree = join(work, "corpus-tree");
  if (!existsSync(tree)) await must("git", ["clone", "--quiet", bare, tree]);
  const peer = join(work, "repomix");
  const repomix = join(peer, "node_modules", "repomix", "bin", "repomix.cjs");
  if (!existsSync(repomix)) {
    await mkdir(peer, { recursive: true });
    await writeFile(join(peer, "package.json"), '{ "private": true }\n');
    await must("npm", ["install", "--no-audit", "--no-fund", `repomix@${REPOMIX_VERSION}`], peer);
  }
  const out = join(work, "genome");
  const fresh = async (): Promise<Measured> => {
    await rm(out, { recursive: true, force: true });
    return build(tree, out);
  };
  const again = (): Promise<Measured> => build(tree, out);
  // It keeps counts of tokens in the folder for temporary files.
  const temporary = join(work, "repomix-temporary");
  const packAgain = async (): Promise<Measured> => {
    await mkdir(temporary, { recursive: true });
    // Beside the repository, so that its own output is not part of what it packs.
    const args = [repomix, tree, "--output", join(work, "repomix.xml")];
    return checked(measureProcess(process.execPath, args, { cwd: peer, env: { ...process.env, TMPDIR: temporary } }));
  };
  const pack = async (): Promise<Measured> => {
    await rm(temporary, { recursive: true, force: true });
    return packAgain();
  };
  const floor = (): Promise<Measured> => checked(measureProcess(process.execPath, [cli, "--version"]));
  const takes: Record<string, { of: () => Promise<Measured>; all: Measured[] }> = {
    "chrysalis genome build": { of: fresh, all: [] },
    "chrysalis genome build, again": { of: again, all: [] },
    "chrysalis --version (start-up)": { of: floor, all: [] },
    repomix: { of: pack, all: [] },
    "repomix, again": { of: packAgain, all: [] },
  };
  for (let run = 0; run <= runs; run++) {
    for (const [name, take] of Object.entries(takes)) {
      const measured = await take.of();
      if (run === 0) continue; // Warms the caches of the file system.
      say(`${name}: ${measured.seconds.toFixed(2)} s, ${(measured.treeBytes / 1e6).toFixed(0)} MB`);
      take.all.push(measured);
    }
  }
  const { bytes } = JSON.parse(await readFile(join(out, "manifest.json"), "utf8")).counts as { bytes: number };
  return Object.entries(takes).map(([system, { all }]) =>
    row(system, system.startsWith("repomix") ? REPOMIX_VERSION : "this checkout", "corpus", bytes, all),
  );
}

async function curve(): Promise<Row[]> {
  const found: Row[] = [];
  for (const megabytes of values.curve.split(",").map(Number)) {
    const place = join(work, `text-${megabytes}.git`);
    say(`text of ${megabytes} MB: making the repository`);
    const made = await repositoryOfText(megabytes * 1e6, place);
    const out = join(work, `genome-${megabytes}`);
    await rm(out, { recursive: true, force: true });
    const measured = await build(place, out);
    const { size } = await stat(join(out, "genome.txt"));
    say(
      `text of ${megabytes} MB in ${made.blobs} blobs: ${measured.seconds.toFixed(1)} s, ` +
        `${(measured.ownBytes / 1e6).toFixed(0)} MB of memory, genome.txt of ${(size / 1e6).toFixed(0)} MB`,
    );
    found.push(row("chrysalis genome build", "this checkout", `${made.blobs} blobs`, megabytes * 1e6, [measured]));
    await rm(out, { recursive: true, force: true });
  }
  return found;
}

function build(source: string, out: string): Promise<Measured> {
  return checked(measureProcess(process.execPath, [cli, "genome", "build", source, "--out", out, "--json"]));
}

async function checked(measuring: Promise<Measured>): Promise<Measured> {
  const measured = await measuring;
  if (measured.code !== 0) throw new Error(`exit status ${measured.code}: ${measured.stderr}`);
  return measured;
}

async function must(command: string, args: readonly string[], cwd = work): Promise<void> {
  await checked(measureProcess(command, args, { cwd }));
}

function row(system: string, version: string, material: string, bytes: number, all: readonly Measured[]): Row {
  return {
    system,
    version,
    material,
    megabytes: bytes / 1e6,
    seconds: median(all.map(({ seconds }) => seconds)),
    treeMegabytes: median(all.map(({ treeBytes }) => treeBytes)) / 1e6,
    ownMegabytes: median(all.map(({ ownBytes }) => ownBytes)) / 1e6,
    runs: all.length,
  };
}
