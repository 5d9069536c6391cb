/**
 * `npm run bench:epigenome`: what the default epigenome does for the shipped larva, against the whole genome and against
 * placebos of as many bytes. Resumable: each training's scores are kept. README.md beside the benches holds the last figures.
 */

import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { holdOut } from "../../src/epigenome/heldout.ts";
import { lineHashes, shareOf } from "../../src/epigenome/lines.ts";
import { encodeCorpus } from "../../src/epigenome/pack.ts";
import { defaultRules } from "../../src/epigenome/rules.ts";
import { dosedBytes, selectGenes } from "../../src/epigenome/select.ts";
import { readGeneralText, sampleText } from "../../src/epigenome/texts.ts";
import type { Document } from "../../src/eval/bits-per-byte.ts";
import { atomicWrite, canonicalJson, readJson } from "../../src/formats/files.ts";
import { openGenome } from "../../src/genome/manifest.ts";
import type { Gene, Genome } from "../../src/genome/manifest.ts";
import { compare, total } from "../../src/imago/measure.ts";
import { loadTokenizer } from "../../src/tokenizer/tokenizer.ts";
import { arms, expressArm } from "./arms.ts";
import type { Arm } from "./arms.ts";
import { encodeGenes, scoreParent, trainArm } from "./train-arm.ts";
import type { ArmScores, TrainArmOptions } from "./train-arm.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { values } = parseArgs({
  options: {
    genome: { type: "string", default: join(root, "nests", "acceptance", "genome") },
    seeds: { type: "string", default: "1,2,3" },
    tokens: { type: "string", default: "500000" },
    quick: { type: "boolean", default: false },
    work: { type: "string", default: join(root, "nests", "bench-epigenome") },
    json: { type: "boolean", default: false },
  },
});
const seeds = values.quick ? [1] : values.seeds.split(",").map(Number);
const tokens = values.quick ? 60_000 : Number(values.tokens);
const work = resolve(values.work);
const model = join(root, "models", "larva");
const recipe = { learningRate: 3.5e-4, replay: 0.3, sequence: 512, sequences: 4 };
const steps = Math.round(tokens / (recipe.sequence * recipe.sequences));
/** Of text that is scored: 32,000 tokens each. */
const scoredBytes = 96 * 1024;
/** A held-out file of which more lines than this occur in an arm's text measures recall. */
const mostSharedLines = 0.2;
/** 1.6 bytes for each of the larva's 4.0 million weights, as a run allows. */
const capacity = 6.4e6;

const say = (line: string): void => void process.stderr.write(`${line}\n`);
if (!existsSync(values.genome)) {
  say(`bench: ${values.genome} is missing; npm run acceptance -- --only genome builds it, or name one with --genome`);
  process.exit(2);
}
await mkdir(work, { recursive: true });
const tokenizer = await loadTokenizer(model);
const retention = sampleText(await readGeneralText(join(model, "retention.txt")), {
  seed: 1,
  maxBytes: scoredBytes,
}).documents;
const replayText = sampleText(await readGeneralText(join(model, "replay.txt")), {
  seed: 1,
  maxBytes: 4 * tokens,
}).documents;
const replay = await encodeCorpus(replayText, tokenizer);
const genome = await openGenome(values.genome);

interface Row {
  readonly seed: number;
  readonly arm: Arm | "parent";
  /** Bytes of one pass. */
  readonly bytes: number;
  readonly scores: ArmScores;
}

const rows: Row[] = [];
const began = performance.now();
let done = 0;
for (const seed of seeds) {
  const { heldOut, trainable } = await split(genome, seed);
  const options: TrainArmOptions = {
    model,
    tokenizer,
    recipe,
    steps,
    seed,
    replay,
    heldOut,
    retention,
    threads: availableParallelism(),
    dir: join(work, `training-${seed}`),
  };
  rows.push({ seed, arm: "parent", bytes: 0, scores: await kept(`parent-${seed}`, () => scoreParent(options)) });
  for (const arm of arms) {
    const expressed = expressArm(trainable, arm, { seed, capacity });
    const scores = await kept(`${arm}-${seed}`, async () => {
      await rm(options.dir, { recursive: true, force: true });
      return trainArm(await encodeGenes(genome, expressed, tokenizer, { seed, sequence: recipe.sequence }), options);
    });
    rows.push({ seed, arm, bytes: dosedBytes(expressed), scores });
    done++;
    const left = ((performance.now() - began) / done) * (seeds.length * arms.length - done);
    say(
      `seed ${seed}, ${arm}: held-out ${total(scores.heldOut).toFixed(4)}, about ${Math.ceil(left / 60_000)} min left`,
    );
  }
}
await genome.close();
report();

/** Held-out prose, the same for all arms, and the files that none of its copies or near copies is among. */
async function split(of: Genome, seed: number): Promise<{ heldOut: Document[]; trainable: Gene[] }> {
  const text = (gene: Gene): Promise<string> => of.text(gene);
  const { expressed } = selectGenes(of.genes, { rules: defaultRules, seed, capacity });
  const prose = expressed.map(({ gene }) => gene).filter(({ kind }) => kind === "prose");
  const held = await holdOut(prose, { seed, share: 0.12, minFiles: 8, maxBytes: scoredBytes, text });
  const out = new Set(held.heldOut);
  const classes = new Set(held.heldOut.flatMap(({ duplicateClass }) => duplicateClass ?? []));
  const texts = new Set(held.heldOut.map(({ textSha256 }) => textSha256));
  const trainable = of.genes.filter(
    (gene) => !out.has(gene) && !texts.has(gene.textSha256) && !classes.has(gene.duplicateClass ?? ""),
  );
  const lines = new Set<number>();
  for (const gene of trainable) for (const line of lineHashes(await text(gene), { mask: true })) lines.add(line);
  const heldOut: Document[] = [];
  for (const gene of held.heldOut) {
    const content = await text(gene);
    if (shareOf(lineHashes(content, { mask: true }), (line) => lines.has(line)) > mostSharedLines) continue;
    heldOut.push({ id: `${gene.repository}/${gene.path}`, text: content, group: gene.repository });
  }
  say(`seed ${seed}: ${heldOut.length} of ${held.heldOut.length} held-out files are unknown to every arm`);
  return { heldOut, trainable };
}

/** Scores that were kept, or those of the work, which are then kept. */
async function kept(name: string, make: () => Promise<ArmScores>): Promise<ArmScores> {
  const path = join(work, `${name}-${tokens}.json`);
  if (existsSync(path)) return (await readJson(path)) as ArmScores;
  const scores = await make();
  await atomicWrite(path, canonicalJson(scores));
  return scores;
}

function report(): void {
  const of = (arm: Row["arm"]): Row[] => rows.filter((row) => row.arm === arm);
  const heldOutOf = (own: readonly Row[]) => own.flatMap(({ scores }) => scores.heldOut);
  const retentionOf = (own: readonly Row[]) => own.flatMap(({ scores }) => scores.retention);
  const table = (["parent", ...arms] as const).map((arm) => {
    const own = of(arm);
    const against = (other: Row["arm"]) => compare(heldOutOf(of(other)), heldOutOf(own));
    return {
      arm,
      megabytes: own.reduce((sum, { bytes }) => sum + bytes, 0) / own.length / 1e6,
      heldOut: own.map(({ scores }) => total(scores.heldOut)),
      mean: mean(own.map(({ scores }) => total(scores.heldOut))),
      retention: mean(own.map(({ scores }) => total(scores.retention))),
      retentionChange: compare(retentionOf(of("parent")), retentionOf(own)),
      againstParent: against("parent"),
      againstDefault: against("default"),
    };
  });
  const summary = { tokens, steps, seeds, files: heldOutOf(of("parent")).length, node: process.version, table };
  if (values.json) process.stdout.write(canonicalJson(summary));
  else {
    console.table(
      table.map(
        ({ arm, megabytes, heldOut, mean: bits, retention: kept_, againstDefault: { difference, standardError } }) => ({
          arm,
          "MB a pass": megabytes.toFixed(1),
          "held-out prose": bits.toFixed(4),
          seeds: heldOut.map((value) => value.toFixed(3)).join(" "),
          "minus default": `${difference >= 0 ? "+" : ""}${difference.toFixed(4)} +- ${standardError?.toFixed(4) ?? "?"}`,
          retention: kept_.toFixed(4),
        }),
      ),
    );
  }
}

function mean(of: readonly number[]): number {
  return of.reduce((sum, value) => sum + value, 0) / of.length;
}
