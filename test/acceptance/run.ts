/**
 * `npm run acceptance`: the main job on real repositories and a real pretrained model, judged against the project's own
 * bounds and against PyTorch and llama.cpp. README.md beside this file says what it needs and how to read it.
 */

import { existsSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { UserError } from "../../src/errors.ts";
import { atomicWrite, canonicalJson } from "../../src/formats/files.ts";
import { Checks, table } from "./checks.ts";
import { judgeGenome } from "./genome.ts";
import { fetchModel, makeSamples } from "./material.ts";
import { compareTokens, makeVenv, testVerifier, verifyWithPython } from "./peers.ts";
import { Interrupted, serveCorpus, Unusable } from "./processes.ts";
import type { CorpusServer } from "./processes.ts";
import { judgeSeed, placesOf, runSeed, seedTable } from "./seeds.ts";
import type { RunOptions, SeedFigures } from "./seeds.ts";

const STEPS = ["genome", "runs", "python", "tokens"] as const;
type Step = (typeof STEPS)[number];

const root = fileURLToPath(new URL("../../", import.meta.url));

const usage = `Usage: npm run acceptance -- [--seeds 1,2,3] [--minutes 45] [--only STEP] [--skip-python] [--json]
  --seeds N,N...   one run each (1,2,3)
  --minutes M      training time of a run (45)
  --only STEP      ${STEPS.join(", ")}; may be repeated
  --skip-python    leave out the step python
  --work DIR       where everything is kept (nests/acceptance); the same command goes on with what is there
  --shared DIR     folder with corpus/, text/ and tools/ (../shared beside the checkout, or $ACCEPTANCE_SHARED)
  --gguf FILE      SmolLM2-135M-Instruct as GGUF, instead of fetching it ($ACCEPTANCE_GGUF)
  --python FILE    a Python that has test/acceptance/requirements.txt, instead of making one ($ACCEPTANCE_PYTHON)
  --llama DIR      a folder with node-llama-cpp in node_modules, instead of installing it ($ACCEPTANCE_LLAMA)
  --json           the summary as JSON on standard output, all else on standard error`;

const { env } = process;
const options = readOptions();
const say = (line: string): void => (options.json ? console.error(line) : console.log(line));
const checks = new Checks(say);
process.exitCode = await main();

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        seeds: { type: "string", default: "1,2,3" },
        minutes: { type: "string", default: "45" },
        only: { type: "string", multiple: true, default: [...STEPS] },
        "skip-python": { type: "boolean", default: false },
        work: { type: "string", default: join(root, "nests", "acceptance") },
        shared: { type: "string", default: env["ACCEPTANCE_SHARED"] ?? join(root, "..", "shared") },
        gguf: { type: "string", ...defaultOf("ACCEPTANCE_GGUF") },
        python: { type: "string", ...defaultOf("ACCEPTANCE_PYTHON") },
        llama: { type: "string", ...defaultOf("ACCEPTANCE_LLAMA") },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    const seeds = values.seeds.split(",").map(Number);
    const minutes = Number(values.minutes);
    const unknown = values.only.find((step) => !(STEPS as readonly string[]).includes(step));
    if (unknown !== undefined) throw new TypeError(`--only is "${unknown}"; it must be one of ${STEPS.join(", ")}`);
    if (!seeds.every((seed) => Number.isInteger(seed) && seed >= 0))
      throw new TypeError(`--seeds is "${values.seeds}"`);
    if (!(minutes > 0)) throw new TypeError(`--minutes is "${values.minutes}"`);
    const steps = values.only.filter((step) => !(values["skip-python"] && step === "python")) as Step[];
    return { ...values, seeds, minutes, steps, work: resolve(values.work), shared: resolve(values.shared) };
  } catch (error) {
    console.error(`acceptance: ${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

function defaultOf(variable: string): { default?: string } {
  const value = env[variable];
  return value === undefined || value === "" ? {} : { default: value };
}

async function main(): Promise<number> {
  const corpus = join(options.shared, "corpus");
  const text = join(options.shared, "text", "general.jsonl.gz");
  const server = join(options.shared, "tools", "corpus-server.mjs");
  const missing = [corpus, text, server].filter((path) => !existsSync(path));
  if (options.gguf !== undefined && !existsSync(options.gguf)) missing.push(options.gguf);
  if (missing.length > 0) {
    console.error(`acceptance: missing: ${missing.join(", ")}; say with --shared where corpus/, text/ and tools/ are`);
    return 2;
  }
  await mkdir(options.work, { recursive: true });
  say(`everything is kept in ${options.work}`);
  let figures: readonly SeedFigures[] = [];
  try {
    if (wants("genome")) {
      await step("genome", "the corpus built through its hub, built again, verified, damaged, judged", async () =>
        judgeGenome(checks, { corpus, server, work: options.work, served: await countServed(corpus) }),
      );
      if (options.steps.length === 1) return await finish([]);
    }
    say("\n== material: the pretrained model, retention and replay text");
    const python = process.platform === "win32" ? "python" : "python3";
    const gguf =
      options.gguf === undefined ? await fetchModel(join(options.work, "model"), python) : resolve(options.gguf);
    say(`  model: ${gguf}`);
    const { retention, replay, notes } = await makeSamples(text, join(options.work, "text"));
    for (const note of notes) say(`  ${note}`);
    if (wants("runs")) figures = await runs({ gguf, retention, replay, server, served: await countServed(corpus) });
    if (wants("python")) {
      await step("python", "PyTorch, transformers and peft recompute logits and bits per byte", async () => {
        const own = options.python ?? (await makeVenv(join(options.work, "venv"), python));
        await testVerifier(checks, own);
        await verifyWithPython(checks, { work: options.work, seed: options.seeds[0]!, gguf, python: own });
      });
    }
    if (wants("tokens")) {
      await step("tokens", "llama.cpp encodes the same files", async () =>
        compareTokens(checks, { gguf, corpus, dir: options.llama ?? join(options.work, "llama") }),
      );
    }
  } catch (error) {
    if (error instanceof Interrupted) {
      say("\nacceptance: interrupted; the same command goes on from here");
      return 130;
    }
    if (!(error instanceof Unusable) && !(error instanceof UserError)) throw error;
    checks.add("material", "made", error.message, "", false);
  }
  return finish(figures);
}

function wants(step: Step): boolean {
  return options.steps.includes(step);
}

/** Does a step; what stops it is a failed check of its own, and the next step follows. */
async function step(name: string, title: string, work: () => Promise<void>): Promise<void> {
  say(`\n== ${name}: ${title}`);
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Unusable) && !(error instanceof UserError)) throw error;
    checks.add(name, "went through", error.message, "", false);
  }
}

/** The repositories of the corpus and the one that its server makes. */
async function countServed(corpus: string): Promise<number> {
  const entries = await readdir(corpus, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).length + 1;
}

type Material = Pick<RunOptions, "gguf" | "retention" | "replay" | "served"> & { readonly server: string };

async function runs({ server: script, ...material }: Material): Promise<SeedFigures[]> {
  const { work, minutes, seeds } = options;
  let started: CorpusServer | undefined;
  const server = async (): Promise<CorpusServer> => (started ??= await serveCorpus(script, join(work, "corpus-git")));
  const runOptions: RunOptions = { ...material, work, minutes, server, say };
  const figures: SeedFigures[] = [];
  try {
    for (const seed of seeds) {
      await step(`seed ${seed}`, `${minutes} minutes of training in ${placesOf(work, seed).nest}`, async () => {
        await runSeed(seed, runOptions);
        figures.push(await judgeSeed(seed, checks, runOptions));
      });
    }
  } finally {
    started?.stop();
  }
  return figures;
}

async function finish(figures: readonly SeedFigures[]): Promise<number> {
  const { rows, failed } = checks;
  const ok = failed.length === 0 && rows.length > 0;
  const parts = [...new Set(rows.map(({ of }) => of))].map((of) => {
    const own = rows.filter((row) => row.of === of);
    return [of, `${own.filter((row) => row.ok).length} of ${own.length}`];
  });
  if (figures.length > 0) say(`\n${seedTable(figures)}`);
  say(`\n${table([["part", "checks passed"], ...parts])}`);
  for (const { of, check, found } of failed) say(`FAILED ${of}: ${check}: ${found}`);
  const { seeds, minutes, steps } = options;
  const summary = canonicalJson({ ok, seeds, minutes, steps, node: process.version, figures, checks: rows });
  await atomicWrite(join(options.work, "summary.json"), summary);
  if (options.json) process.stdout.write(summary);
  say(`\n${ok ? "accepted" : "not accepted"}; ${join(options.work, "summary.json")} has all of it`);
  return ok ? 0 : 1;
}
