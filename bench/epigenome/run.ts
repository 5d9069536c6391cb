/**
 * `npm run bench:epigenome`: the proofs of epigenome and blueprints, each a file beside this one and a line in the table
 * below. Resumable: what a training measured is kept, and the same command goes on from there. docs/log.md holds the figures.
 */

import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { UserError } from "../../src/errors.ts";
import { encodeCorpus } from "../../src/epigenome/pack.ts";
import { canonicalJson } from "../../src/formats/files.ts";
import { openGenome } from "../../src/genome/manifest.ts";
import type { Genome } from "../../src/genome/manifest.ts";
import { adaptive } from "./adaptive.ts";
import { benchBody } from "./body.ts";
import type { BenchBody } from "./body.ts";
import { dose } from "./dose.ts";
import { publish, redraw } from "./figures.ts";
import { generalTexts } from "./general-texts.ts";
import { kept } from "./kept.ts";
import { matcher } from "./matcher.ts";
import { order } from "./order.ts";
import type { Bench, Proof } from "./proof.ts";
import { repair } from "./repair.ts";
import { Enough, openStore } from "./store.ts";
import { whole } from "./whole.ts";

/** In the order in which they run. */
const proofs: readonly Proof[] = [whole, dose, kept, matcher, adaptive, order, repair];

const root = fileURLToPath(new URL("../../", import.meta.url));
const larva = join(root, "models", "larva");

const usage = `Usage: npm run bench:epigenome -- [--proof NAME,...] [--quick] [flags]
${proofs.map(({ name, title }) => `  ${name.padEnd(16)} ${title}`).join("\n")}

  --quick          minutes: fewer seeds, fewer tokens
  --genome DIR     a finished genome (nests/acceptance/genome, which npm run acceptance -- --only genome builds)
  --model PATH     the body: a Hugging Face folder or a .gguf file (models/larva)
  --recipe NAME    its blueprint (small-body below 50 million parameters, else medium-body)
  --text FILE      JSONL with split train and heldout, for replay and retention of a body that brings none
  --arms A,B       these arms alone
  --seeds N,N      --tokens N      --scored-kb N     instead of the proof's own sizes
  --limit N        ends after N trainings; the same command goes on
  --publish        writes figure and numbers to docs/figures
  --redraw         reports and draws again what docs/figures holds the numbers of; trains nothing
  --work DIR       where everything is kept (nests/bench-epigenome)
  --json           the results as JSON on standard output`;

const say = (line: string): void => void process.stderr.write(`${line}\n`);
try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  say(`bench: ${error.message}${error.hint === undefined ? "" : `; ${error.hint}`}`);
  process.exitCode = 2;
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        proof: { type: "string", default: proofs.map(({ name }) => name).join(",") },
        quick: { type: "boolean", default: false },
        genome: { type: "string", default: join(root, "nests", "acceptance", "genome") },
        model: { type: "string", default: larva },
        recipe: { type: "string" },
        text: { type: "string" },
        arms: { type: "string" },
        seeds: { type: "string" },
        tokens: { type: "string" },
        "scored-kb": { type: "string" },
        limit: { type: "string" },
        publish: { type: "boolean", default: false },
        redraw: { type: "boolean", default: false },
        work: { type: "string", default: join(root, "nests", "bench-epigenome") },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (cause) {
    throw new UserError("usage", cause instanceof Error ? cause.message : String(cause), { hint: "see --help", cause });
  }
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options.help) {
    say(usage);
    return 0;
  }
  const chosen = options.proof.split(",").map((name) => {
    const proof = proofs.find((one) => one.name === name);
    if (proof !== undefined) return proof;
    const known = proofs.map((one) => one.name).join(", ");
    throw new UserError("usage", `--proof: there is no proof ${name}`, { hint: `there are ${known}` });
  });
  const figures = join(root, "docs", "figures");
  if (options.publish && options.quick) {
    throw new UserError("usage", "--publish with --quick would put a trial's figures in place of the full run's", {
      hint: "leave one of them out",
    });
  }
  if (options.redraw) {
    for (const proof of chosen) {
      for (const { report, paths } of await redraw(proof, figures)) {
        if (!options.json) for (const line of report) process.stdout.write(`${line}\n`);
        for (const path of paths) say(`drew ${path}`);
      }
    }
    return 0;
  }
  const genomeDir = resolve(options.genome);
  if (!existsSync(genomeDir)) {
    throw new UserError("not-found", `${genomeDir} is missing`, {
      hint: "npm run acceptance -- --only genome builds it, or name one with --genome",
    });
  }
  const body = await benchBody(resolve(options.model), options.recipe);
  const sha256 = await body.sha256();
  const genome = await openGenome(genomeDir);
  const results: Record<string, unknown> = {};
  try {
    for (const proof of chosen) {
      const bench = await benchOf(proof, options, { body, sha256, genome });
      say(
        `${proof.name}: ${proof.title}; ${body.name}, ${body.recipe.name}, ${bench.steps} steps, seeds ${bench.seeds.join(", ")}`,
      );
      const result = await proof.run(bench);
      results[proof.name] = result;
      if (!options.json) for (const line of proof.report(result)) process.stdout.write(`${line}\n`);
      if (options.publish) {
        for (const path of await publish(proof, body.name, result, figures)) say(`wrote ${path}`);
      }
    }
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
    say(`${error.message}; the same command goes on`);
  } finally {
    await genome.close();
  }
  if (options.json) process.stdout.write(canonicalJson(results));
  return 0;
}

/** What a proof is given: its sizes as the flags leave them, the general texts of that length, and its store. */
async function benchOf(
  proof: Proof,
  options: ReturnType<typeof readOptions>,
  { body, sha256, genome }: { readonly body: BenchBody; readonly sha256: string; readonly genome: Genome },
): Promise<Bench> {
  const own = options.quick ? proof.quick : proof.full;
  const tokens = numberOf("--tokens", options.tokens) ?? own.tokens;
  const seeds = options.seeds?.split(",").map((seed) => numberOf("--seeds", seed)!) ?? own.seeds;
  const kilobytes = numberOf("--scored-kb", options["scored-kb"]);
  const scoredBytes = kilobytes === undefined ? own.scoredBytes : kilobytes * 1024;
  const { recipe } = body;
  const steps = Math.max(1, Math.round(tokens / (recipe.sequence * recipe.sequences)));
  const texts = await generalTexts(body.path, options.text, { scoredBytes, replayBytes: 4 * tokens });
  return {
    body,
    genome,
    quick: options.quick,
    tokens,
    seeds,
    scoredBytes,
    steps,
    threads: availableParallelism(),
    text: options.text,
    retention: texts.retention,
    replay: await encodeCorpus(texts.replay, body.tokenizer),
    arms: options.arms?.split(","),
    say,
    store: ({ planned, settings }) =>
      openStore({
        work: join(resolve(options.work), proof.name),
        label: `${body.name}-${tokens}`,
        settings: {
          body: sha256,
          genome: genome.sha256,
          recipe,
          steps,
          scoredBytes,
          texts: texts.sha256,
          ...(settings === undefined ? {} : { own: settings }),
        },
        planned,
        limit: numberOf("--limit", options.limit) ?? Infinity,
        say,
      }),
  };
}

function numberOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new UserError("usage", `${flag} ${text} is not a whole number above 0`);
}
