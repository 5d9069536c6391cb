/** What `epigenome show` and `blueprint match` say of the corpus's genome: the larva's diet, and that bodies differ. */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { qwen3Small, smolLm2 } from "../../src/blueprint/known-bodies.ts";
import { configJsonFor } from "../../src/models/config.ts";
import type { Checks } from "./checks.ts";
import { run } from "./processes.ts";

const cli = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

interface Part {
  readonly bytes: number;
  readonly share: number;
}

interface Shown {
  readonly expressed: Part & { readonly byKind: Readonly<Record<string, Part>> };
  readonly silent: { readonly bytes: number };
}

interface Matched {
  readonly chosen: string;
  readonly probed: boolean;
  readonly diet: { readonly tokensByKind: Readonly<Record<string, number>> };
}

/** @param work where folders that hold a config.json alone are written */
export async function judgeDiets(checks: Checks, genome: string, work: string): Promise<void> {
  const add = (check: string, found: string, wanted: string, ok: boolean): void =>
    checks.add("diets", check, found, wanted, ok);
  const ask = async <T>(...args: string[]): Promise<T> => {
    const { stdout } = await run(process.execPath, [cli, ...args, "--genome", genome, "--json"], { quiet: true });
    return JSON.parse(stdout) as T;
  };
  const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
  const shown = await ask<Shown>("epigenome", "show");
  const all = await ask<Shown>("epigenome", "show", "--express", "all");
  const logs = shown.expressed.byKind["log"]?.share ?? 0;
  add("logs in the larva's tokens", percent(logs), "at most 2 %", logs <= 0.02);
  const whole = all.expressed.bytes + all.silent.bytes;
  const part = shown.expressed.bytes / whole;
  add("the larva's diet, of the genome's bytes", percent(part), "at most 50 %", part <= 0.5);
  const everything = all.expressed.bytes / whole;
  add("expressed by --express all", percent(everything), "at least 95 %", everything >= 0.95);

  const folders = { "SmolLM2-135M": smolLm2, "Qwen3-0.6B": qwen3Small };
  const matched: Matched[] = [await ask<Matched>("blueprint", "match")];
  for (const [name, config] of Object.entries(folders)) {
    const folder = join(work, name);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "config.json"), JSON.stringify(configJsonFor(config)));
    matched.push(await ask<Matched>("blueprint", "match", "--model", folder));
  }
  const [larva, smol, qwen] = matched as [Matched, Matched, Matched];
  const chosen = matched.map((of) => of.chosen).join(", ");
  add(
    "recipes of larva, SmolLM2-135M, Qwen3-0.6B",
    chosen,
    "the first and the last differ",
    larva.chosen !== qwen.chosen,
  );
  const differs = (other: Matched): boolean =>
    smol.chosen !== other.chosen || !isDeepStrictEqual(smol.diet.tokensByKind, other.diet.tokensByKind);
  const diet = JSON.stringify(smol.diet.tokensByKind);
  add("SmolLM2-135M's tokens by kind", diet, "unlike both others', or another recipe", differs(larva) && differs(qwen));
}
