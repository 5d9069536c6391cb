/** Proof 1, expressed against whole: held-out prose after equal tokens of the default epigenome, of everything, of placebos. */

import { join } from "node:path";
import { UserError } from "../../src/errors.ts";
import { holdOut } from "../../src/epigenome/heldout.ts";
import { lineHashes, shareOf } from "../../src/epigenome/lines.ts";
import { MAX_SHARED_LINES } from "../../src/epigenome/overlap.ts";
import { defaultRules } from "../../src/epigenome/rules.ts";
import { dosedBytes, selectGenes } from "../../src/epigenome/select.ts";
import { bitsPerByte } from "../../src/eval/bits-per-byte.ts";
import type { Document, DocumentScore } from "../../src/eval/bits-per-byte.ts";
import type { Gene } from "../../src/genome/manifest.ts";
import { compare, total } from "../../src/imago/measure.ts";
import type { Change } from "../../src/imago/measure.ts";
import { rowChart } from "../plot.ts";
import { arms, expressArm } from "./arms.ts";
import type { Arm } from "./arms.ts";
import type { Bench, Proof } from "./proof.ts";
import { encodeGenes, scoreParent, trainArm } from "./train-arm.ts";
import type { ArmScores } from "./train-arm.ts";

interface Row {
  readonly seed: number;
  readonly arm: Arm | "parent";
  /** Bytes of one pass. */
  readonly bytes: number;
  readonly scores: ArmScores;
}

interface Result {
  readonly body: string;
  readonly recipe: string;
  readonly steps: number;
  readonly seeds: readonly number[];
  readonly heldOut: { readonly files: number; readonly bytes: number };
  readonly retention: { readonly documents: number; readonly bytes: number };
  readonly table: readonly {
    readonly arm: Row["arm"];
    readonly megabytes: number;
    /** Bits per byte, seed by seed. */
    readonly heldOut: readonly number[];
    readonly retention: readonly number[];
    /** Paired over files; of the default null. */
    readonly minusDefault: Change | null;
    readonly minusParent: Change | null;
    readonly retentionMinusParent: Change | null;
  }[];
}

export const whole: Proof<Result> = {
  name: "whole",
  title: "the default epigenome against the whole genome and placebos of as many bytes, at equal tokens",
  full: { tokens: 240_000, seeds: [1, 2, 3], scoredBytes: 96 * 1024 },
  quick: { tokens: 60_000, seeds: [1], scoredBytes: 96 * 1024 },
  async run(bench) {
    const { seeds } = bench;
    const chosen = armsOf(bench);
    const rowNames = (["parent", ...chosen] as const).flatMap((arm) => seeds.map((seed) => `${arm}-${seed}`));
    const store = await bench.store({ planned: rowNames });
    const rows: Row[] = [];
    for (const seed of seeds) {
      const { heldOut, trainable } = await splitProse(bench, seed);
      const parent = await store.kept(`parent-${seed}`, () => scoreParent(bench, heldOut));
      rows.push({ seed, arm: "parent", bytes: 0, scores: parent });
      for (const arm of chosen) {
        const expressed = expressArm(trainable, arm, { seed, capacity: bench.body.capacity });
        const scores = await store.kept(`${arm}-${seed}`, async () =>
          trainArm(bench, await encodeGenes(bench, expressed, seed), {
            seed,
            heldOut,
            dir: join(store.dir, `training-${arm}-${seed}`),
          }),
        );
        rows.push({ seed, arm, bytes: dosedBytes(expressed), scores });
      }
    }
    return summarise(bench, chosen, rows);
  },
  report: ({ table, heldOut, retention }) => [
    `${heldOut.files} held-out files, ${heldOut.bytes} bytes over the seeds; ${retention.documents} retention documents, ${retention.bytes} bytes`,
    "| arm | MB a pass | held-out prose, bits per byte | minus default | minus parent | retention | minus parent |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...table.map(
      (row) =>
        `| ${row.arm} | ${row.megabytes.toFixed(1)} | ${mean(row.heldOut).toFixed(4)} (${row.heldOut.map((bits) => bits.toFixed(3)).join(", ")}) | ${signed(row.minusDefault)} | ${signed(row.minusParent)} | ${mean(row.retention).toFixed(4)} | ${signed(row.retentionMinusParent)} |`,
    ),
  ],
  draw: ({ body, table, steps, seeds, heldOut }) => ({
    differences: rowChart({
      title: `Held-out prose after equal tokens, against the default epigenome (${body})`,
      subtitle: `${steps} steps an arm, ${seeds.length} seeds, ${heldOut.files} files; whiskers: one paired standard error over files`,
      valueLabel: "bits per byte more than after training on the default epigenome ",
      rows: table.flatMap(({ arm, minusDefault }) =>
        minusDefault === null
          ? []
          : [
              {
                label: labels[arm],
                value: minusDefault.difference,
                low: minusDefault.difference - (minusDefault.standardError ?? 0),
                high: minusDefault.difference + (minusDefault.standardError ?? 0),
                note: signed(minusDefault),
                isMuted: arm === "parent",
              },
            ],
      ),
    }),
  }),
};

const labels = {
  parent: "untouched parent",
  default: "default epigenome",
  whole: "whole genome",
  proportional: "proportional marks",
  uniform: "uniform marks",
  random: "random marks",
} as const satisfies Record<Row["arm"], string>;

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function signed(change: Change | null): string {
  if (change === null) return "";
  const { difference, standardError } = change;
  return `${difference >= 0 ? "+" : ""}${difference.toFixed(4)} +- ${standardError?.toFixed(4) ?? "?"}`;
}

function armsOf({ arms: wanted }: Bench): readonly Arm[] {
  const unknown = wanted?.find((name) => !(arms as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new UserError("usage", `--arms: there is no arm ${unknown}`, { hint: `there are ${arms.join(", ")}` });
  }
  return arms.filter((arm) => wanted === undefined || wanted.includes(arm));
}

/** Held-out prose, the same for all arms, and the files that none of its copies or near copies is among. */
export async function splitProse(
  { genome, body, scoredBytes, say }: Bench,
  seed: number,
): Promise<{ heldOut: Document[]; trainable: Gene[] }> {
  const text = (gene: Gene): Promise<string> => genome.text(gene);
  const { expressed } = selectGenes(genome.genes, { rules: defaultRules, seed, capacity: body.capacity });
  const prose = expressed.map(({ gene }) => gene).filter(({ kind }) => kind === "prose");
  const held = await holdOut(prose, { seed, share: 0.12, minFiles: 8, maxBytes: scoredBytes, text });
  const out = new Set(held.heldOut);
  const classes = new Set(held.heldOut.flatMap(({ duplicateClass }) => duplicateClass ?? []));
  const texts = new Set(held.heldOut.map(({ textSha256 }) => textSha256));
  const trainable = genome.genes.filter(
    (gene) => !out.has(gene) && !texts.has(gene.textSha256) && !classes.has(gene.duplicateClass ?? ""),
  );
  const lines = new Set<number>();
  for (const gene of trainable) for (const line of lineHashes(await text(gene), { mask: true })) lines.add(line);
  const heldOut: Document[] = [];
  for (const gene of held.heldOut) {
    const content = await text(gene);
    if (shareOf(lineHashes(content, { mask: true }), (line) => lines.has(line)) > MAX_SHARED_LINES) continue;
    heldOut.push({ id: `${gene.repository}/${gene.path}`, text: content, group: gene.repository });
  }
  say(`seed ${seed}: ${heldOut.length} of ${held.heldOut.length} held-out files are unknown to every arm`);
  return { heldOut, trainable };
}

/** A document that several seeds score counts once in a standard error over documents: with the sum of its scores. */
export function byDocument(scores: readonly DocumentScore[]): DocumentScore[] {
  return [...Map.groupBy(scores, ({ id }) => id).values()].map((own) => {
    const nats = own.reduce((sum, score) => sum + score.nats, 0);
    const bytes = own.reduce((sum, score) => sum + score.bytes, 0);
    return { ...own[0]!, nats, bytes, bitsPerByte: bitsPerByte(nats, bytes) };
  });
}

function summarise({ body, steps, seeds, retention }: Bench, chosen: readonly Arm[], rows: readonly Row[]): Result {
  const of = (arm: Row["arm"]): Row[] => rows.filter((row) => row.arm === arm);
  const all = (arm: Row["arm"], text: keyof ArmScores) => byDocument(of(arm).flatMap(({ scores }) => scores[text]));
  const against = (arm: Row["arm"], other: Row["arm"], text: keyof ArmScores): Change | null =>
    arm === other || of(other).length === 0 ? null : compare(all(other, text), all(arm, text));
  const sizeOf = (documents: readonly { bytes: number }[]) => documents.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    body: body.name,
    recipe: body.recipe.name,
    steps,
    seeds,
    heldOut: { files: all("parent", "heldOut").length, bytes: sizeOf(all("parent", "heldOut")) },
    retention: { documents: retention.length, bytes: sizeOf(of("parent")[0]!.scores.retention) },
    table: (["parent", ...chosen] as const).map((arm) => ({
      arm,
      megabytes: of(arm).reduce((sum, { bytes }) => sum + bytes, 0) / seeds.length / 1e6,
      heldOut: of(arm).map(({ scores }) => total(scores.heldOut)),
      retention: of(arm).map(({ scores }) => total(scores.retention)),
      minusDefault: against(arm, "default", "heldOut"),
      minusParent: against(arm, "parent", "heldOut"),
      retentionMinusParent: against(arm, "parent", "retention"),
    })),
  };
}
