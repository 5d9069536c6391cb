/** The other implementations that a run is compared with: PyTorch with transformers and peft, and llama.cpp. */

import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { openGguf } from "../../src/formats/gguf.ts";
import { readDocuments } from "../../src/formats/jsonl.ts";
import { tokenizerFromGguf } from "../../src/tokenizer/from-gguf.ts";
import type { Checks } from "./checks.ts";
import { must, run, Unusable } from "./processes.ts";
import { cli, placesOf } from "./seeds.ts";

const LLAMA_VERSION = "3.22.1";
const TOKEN_FILES = 30;
/** Ids whose likelihoods and logits are compared. */
const SCORED_IDS = 384;

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** A Python with what requirements.txt names: made in `dir` unless it is there. */
export async function makeVenv(dir: string, python: string): Promise<string> {
  const own = process.platform === "win32" ? join(dir, "Scripts", "python.exe") : join(dir, "bin", "python");
  const wanted = await readFile(here("requirements.txt"), "utf8");
  const stamp = join(dir, "installed.txt");
  if (existsSync(own) && existsSync(stamp) && (await readFile(stamp, "utf8")) === wanted) return own;
  await must(python, ["-m", "venv", dir]);
  await must(own, ["-m", "pip", "install", "--requirement", here("requirements.txt")]);
  await writeFile(stamp, wanted);
  return own;
}

interface Verdict {
  readonly checks: readonly {
    readonly check: string;
    readonly ours: string | number;
    readonly reference: string | number;
    readonly difference: number;
    readonly allowed: number;
    readonly ok: boolean;
  }[];
}

/** Has verify.py recompute what the finished run of `seed` claims. */
export async function verifyWithPython(
  checks: Checks,
  options: { readonly work: string; readonly seed: number; readonly gguf: string; readonly python: string },
): Promise<void> {
  const { work, seed, gguf, python } = options;
  const { nest, result } = placesOf(work, seed);
  if (!existsSync(result)) throw new Unusable(`the run of seed ${seed} is not finished: ${result} is missing`);
  const ids = join(work, "ids.json");
  await writeFile(ids, JSON.stringify(await idsOf(gguf, join(nest, "retention.jsonl"))));
  const scores: string[] = [];
  const subjects = { gguf, parent: join(nest, "parent"), imago: join(nest, "imago") };
  for (const [subject, model] of Object.entries(subjects)) {
    const { code, stdout } = await run(process.execPath, [cli, "score", model, "--ids", ids, "--json"]);
    if (code !== 0) throw new Unusable(`chrysalis score ${model} ended with ${code}: ${stdout}`);
    const file = join(work, `score-${subject}.json`);
    await writeFile(file, stdout);
    scores.push("--score", `${subject}=${file}`);
  }
  const args = [here("verify.py"), nest, "--gguf", gguf, "--ids", ids, ...scores, "--result", result, "--json"];
  const { code, stdout } = await run(python, args);
  if (code > 1 || stdout === "") throw new Unusable(`verify.py could not verify ${nest} (exit status ${code})`);
  const verdict = JSON.parse(stdout) as Verdict;
  const text = (value: string | number): string => (typeof value === "number" ? value.toFixed(5) : value);
  for (const { check, ours, reference, difference, allowed, ok } of verdict.checks) {
    const found = `${text(ours)}, PyTorch ${text(reference)}, difference ${difference.toExponential(1)}`;
    checks.add("python", check, found, `at most ${allowed}`, ok);
  }
}

/** The first ids of the retention text, as a program would score it. */
async function idsOf(gguf: string, retention: string): Promise<number[]> {
  const file = await openGguf(gguf);
  try {
    const tokenizer = tokenizerFromGguf(file);
    const ids = [tokenizer.separator];
    for await (const { text } of readDocuments(retention)) {
      ids.push(...tokenizer.encode(text), tokenizer.separator);
      if (ids.length >= SCORED_IDS) break;
    }
    return ids.slice(0, SCORED_IDS);
  } finally {
    await file.close();
  }
}

/** Runs the tests of verify.py itself, which show that it finds what is wrong. */
export async function testVerifier(checks: Checks, python: string): Promise<void> {
  const { code } = await run(python, [here("verify_test.py")]);
  checks.add("python", "tests of verify.py", code === 0 ? "passed" : `exit status ${code}`, "passed", code === 0);
}

/** Compares token ids with llama.cpp's, through node-llama-cpp, which is installed into `dir` without its scripts. */
export async function compareTokens(
  checks: Checks,
  options: { readonly gguf: string; readonly corpus: string; readonly dir: string },
): Promise<void> {
  const { gguf, corpus, dir } = options;
  const binary = `@node-llama-cpp/${process.platform === "darwin" && process.arch === "arm64" ? "mac-arm64-metal" : `${platform()}-${process.arch}`}`;
  if (!existsSync(join(dir, "node_modules", ...binary.split("/"), "package.json"))) {
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, "package.json"), '{ "private": true }\n');
    const names = [`node-llama-cpp@${LLAMA_VERSION}`, `${binary}@${LLAMA_VERSION}`];
    // The optional packages are builds for other platforms and accelerators, hundreds of megabytes each.
    const flags = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"];
    await must("npm", ["install", "--prefix", dir, ...flags, ...names], { cwd: dir });
  }
  const { code, stdout } = await run(process.execPath, [here("token-ids.ts"), gguf, corpus, dir, `${TOKEN_FILES}`]);
  const lines = stdout.trim().split("\n");
  const wanted = `all of ${TOKEN_FILES} files`;
  const differing = lines.slice(0, -1).filter((line) => !line.endsWith(", equal"));
  const found = [...differing, lines.at(-1)].join("; ");
  checks.add("tokens", "ids equal to node-llama-cpp's", found, wanted, code === 0);
}

function platform(): string {
  return { darwin: "mac", win32: "win" }[process.platform as string] ?? process.platform;
}
