/** The step "genome": the corpus built through its hub as a user would, built again, verified, damaged, and judged. */

import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { timedFiles } from "../../src/genome/audit/sums.ts";
import type { Checks } from "./checks.ts";
import { judgeDiets } from "./diets.ts";
import { judgeDuplicates } from "./near-duplicates.ts";
import { killAfter, run, serveCorpus } from "./processes.ts";

/** Builds that are killed. */
const kills = 12;

const cli = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

export interface GenomeMaterial {
  readonly corpus: string;
  /** The script that serves the corpus. */
  readonly server: string;
  readonly work: string;
  /** Repositories that are served. */
  readonly served: number;
}

interface Built {
  readonly repositories: readonly object[];
  readonly missing: readonly { readonly reason: string }[];
  readonly genes: number;
  readonly sha256: string;
  readonly seconds: number;
  readonly audit: Readonly<Record<"PASS" | "FAIL" | "ERROR" | "SKIPPED", number>>;
  readonly unchanged: boolean;
}

/** Builds and judges the corpus's genome; where it lies is kept, so that people can look at it. */
export async function judgeGenome(checks: Checks, material: GenomeMaterial): Promise<void> {
  const { work } = material;
  const add: Add = (check, found, wanted, ok) => checks.add("genome", check, String(found), wanted, ok);
  const dir = join(work, "genome");
  const fresh = join(work, "genome-again");
  for (const folder of [dir, fresh]) await rm(folder, { recursive: true, force: true });

  const server = await serveCorpus(material.server, join(work, "corpus-git"));
  try {
    const { env } = server;
    const cache = join(work, "genome.clones");
    const buildArgs = (out: string, ...flags: string[]): string[] => {
      const where = ["--hub", server.hub, "--out", out, "--cache", cache];
      return [cli, "genome", "build", ...where, "--json", ...flags];
    };
    const build = (out: string, ...flags: string[]) =>
      run(process.execPath, buildArgs(out, ...flags), { env, quiet: true });
    const first = await build(dir);
    add("exit code of a build with missing links", first.code, "0", first.code === 0);
    const built = JSON.parse(first.stdout) as Built;
    add("repositories", built.repositories.length, `${material.served}`, built.repositories.length === material.served);
    const notFound = built.missing.filter(({ reason }) => reason === "not found").length;
    add("links reported as not found", notFound, "13", notFound === 13 && built.missing.length === 13);
    const { PASS, FAIL, ERROR } = built.audit;
    add("audit", JSON.stringify(built.audit), "no FAIL, no ERROR", PASS > 0 && FAIL === 0 && ERROR === 0);
    const second = JSON.parse((await build(dir)).stdout) as Built;
    add("a second build", second.unchanged, "true", second.unchanged && second.sha256 === built.sha256);
    await build(fresh, "--fresh");
    const differ = await differences(dir, fresh);
    add("files that differ in a build from nothing", differ.join(", ") || "none", "none", differ.length === 0);
    await killBuilds(fresh, { args: buildArgs(fresh, "--fresh"), env, seconds: built.seconds }, add);
    const all = (await build(fresh, "--require-all")).code;
    add("exit code with --require-all", all, "1", all === 1);
  } finally {
    server.stop();
  }

  const missing = await missingOfManifest(material.corpus, dir);
  const readmes = missing.filter((path) => /^[^/]+\/README\.md$/.test(path)).length;
  add(
    "files of MANIFEST.tsv that are no genes",
    missing.length,
    "32 root README.md",
    missing.length === readmes && readmes === 32,
  );
  await damage(dir, add);

  const figures = await judgeDuplicates(dir);
  const { recall, lowestPair, templateClasses, logsInTemplates, strangers, shortTexts } = figures;
  add("recall of pairs at J >= 0.8", recall.toFixed(4), ">= 0.95", recall >= 0.95);
  add("lowest pair of a near class", lowestPair.toFixed(3), ">= 0.7", lowestPair >= 0.7);
  add("short texts in other than exact classes", shortTexts, "0", shortTexts === 0);
  add("game logs in template classes", `${logsInTemplates} of ${figures.logs}`, ">= 70", logsInTemplates >= 70);
  add("their classes", templateClasses, "3 to 12", templateClasses >= 3 && templateClasses <= 12);
  add("files of other repositories in these", strangers.length, "0", strangers.length === 0);
  await judgeDiets(checks, dir, join(work, "configs"));
}

type Add = (check: string, found: string | number | boolean, wanted: string, ok: boolean) => void;

/** Kills builds over a genome that stands, at moments spread over their time: it must stand after each of them. */
async function killBuilds(
  dir: string,
  build: { readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv; readonly seconds: number },
  add: Add,
): Promise<void> {
  let killed = 0;
  let whole = 0;
  for (let i = 1; i <= kills; i++) {
    const milliseconds = (1000 * build.seconds * i) / kills;
    if (await killAfter(milliseconds, process.execPath, build.args, { env: build.env })) killed++;
    if ((await verify(dir)) === 0) whole++;
  }
  add("genomes whole after a build over them was killed", `${whole}, ${killed} killed`, `${kills}`, whole === kills);
}

async function verify(dir: string): Promise<number> {
  return (await run(process.execPath, [cli, "genome", "verify", dir, "--json"], { quiet: true })).code;
}

/** Verifies without a network: the genome as it is, then with one changed byte in each file that must not change. */
async function damage(dir: string, add: Add): Promise<void> {
  const whole = await verify(dir);
  add("exit code of verify", whole, "0", whole === 0);
  const names = ["SHA256SUMS", ...(await listed(dir)).keys()];
  for (const name of names) {
    const path = join(dir, name);
    const bytes = await readFile(path);
    const at = Math.floor(bytes.length / 2);
    bytes[at]! ^= 1;
    await writeFile(path, bytes);
    const code = await verify(dir);
    add(`exit code of verify with one byte of ${name} changed`, code, "1", code === 1);
    bytes[at]! ^= 1;
    await writeFile(path, bytes);
  }
}

/** The files that SHA256SUMS lists, with their hashes. */
async function listed(dir: string): Promise<Map<string, string>> {
  const lines = (await readFile(join(dir, "SHA256SUMS"), "utf8")).trimEnd().split("\n");
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
}

async function differences(a: string, b: string): Promise<string[]> {
  const [one, other] = [await listed(a), await listed(b)];
  const names = new Set([...one.keys(), ...other.keys()]);
  return [...names].filter(
    (name) => one.get(name) !== other.get(name) || (timedFiles as readonly string[]).includes(name),
  );
}

/** The rows of the corpus's manifest whose repository, path and SHA-256 no gene has. */
async function missingOfManifest(corpus: string, dir: string): Promise<string[]> {
  const genes = (await readFile(join(dir, "genes.jsonl"), "utf8")).trimEnd().split("\n");
  const known = new Set(
    genes.map((line) => {
      const { repository, path, sha256 } = JSON.parse(line) as Record<"repository" | "path" | "sha256", string>;
      return `${repository}/${path} ${sha256}`;
    }),
  );
  const rows = (await readFile(join(corpus, "MANIFEST.tsv"), "utf8")).trimEnd().split("\n").slice(1);
  return rows.flatMap((row) => {
    const [repository, , path, , sha256] = row.split("\t");
    return known.has(`${repository}/${path} ${sha256}`) ? [] : [`${repository}/${path}`];
  });
}
