/** What the proof of order, selection and emphasis found, as numbers, lines and a figure. */

import type { DocumentScore } from "../../src/eval/bits-per-byte.ts";
import { compare, total } from "../../src/imago/measure.ts";
import type { Change } from "../../src/imago/measure.ts";
import { rowChart } from "../plot.ts";
import type { OrderArm } from "./order-arms.ts";
import type { Bench } from "./proof.ts";
import type { ArmScores } from "./train-arm.ts";
import { byDocument, mean, signed } from "./whole.ts";

export interface OrderScores extends ArmScores {
  /** Of held-out tokens; "none" is what is of no class. */
  readonly byClass: Readonly<Record<string, { readonly tokens: number; readonly nats: number }>>;
}

export interface OrderRow {
  readonly seed: number;
  readonly arm: string;
  readonly steps: number;
  readonly scores: OrderScores;
}

export interface OrderResult {
  readonly body: string;
  readonly recipe: string;
  readonly steps: number;
  readonly tokensPerStep: number;
  readonly seeds: readonly number[];
  readonly heldOut: { readonly files: number; readonly bytes: number };
  readonly table: readonly {
    readonly arm: string;
    readonly label: string;
    readonly placeboOf: string | null;
    /** Seed by seed. */
    readonly steps: readonly number[];
    readonly heldOut: readonly number[];
    readonly retention: readonly number[];
    /** Held-out, paired over files; null for the shuffle itself. */
    readonly minusShuffle: Change | null;
    /** The same seed by seed. */
    readonly minusShuffleOf: readonly number[];
    /** Of a mechanism; null elsewhere. */
    readonly minusPlacebo: Change | null;
    readonly minusPlaceboOf: readonly number[];
    readonly retentionMinusShuffle: Change | null;
    /** Mean nats of a held-out token of each class. */
    readonly byClass: Readonly<Record<string, number>>;
  }[];
}

export function summariseOrder(bench: Bench, arms: readonly OrderArm[], rows: readonly OrderRow[]): OrderResult {
  const of = (arm: string): OrderRow[] => rows.filter((row) => row.arm === arm);
  const all = (arm: string, text: keyof ArmScores): DocumentScore[] =>
    byDocument(of(arm).flatMap(({ scores }) => scores[text]));
  const minus = (arm: string, other: string | undefined, text: keyof ArmScores): Change | null =>
    other === undefined || arm === other || of(other).length === 0 ? null : compare(all(other, text), all(arm, text));
  const bySeed = (arm: string, other: string | undefined): number[] =>
    other === undefined || arm === other || of(other).length === 0
      ? []
      : of(arm).map(({ scores }, i) => total(scores.heldOut) - total(of(other)[i]!.scores.heldOut));
  const labels = [{ name: "parent", label: "untouched parent", placeboOf: null }, ...arms];
  const heldOut = all("parent", "heldOut");
  return {
    body: bench.body.name,
    recipe: bench.body.recipe.name,
    steps: bench.steps,
    tokensPerStep: bench.body.recipe.sequence * bench.body.recipe.sequences,
    seeds: bench.seeds,
    heldOut: { files: heldOut.length, bytes: heldOut.reduce((sum, { bytes }) => sum + bytes, 0) },
    table: labels.map(({ name, label, placeboOf }) => {
      const placebo = arms.find((arm) => arm.placeboOf === name)?.name;
      const classes = of(name).map(({ scores }) => scores.byClass);
      const sum = (key: string, field: "tokens" | "nats"): number =>
        classes.reduce((total, own) => total + own[key]![field], 0);
      return {
        arm: name,
        label,
        placeboOf,
        steps: of(name).map(({ steps }) => steps),
        heldOut: of(name).map(({ scores }) => total(scores.heldOut)),
        retention: of(name).map(({ scores }) => total(scores.retention)),
        minusShuffle: minus(name, "shuffle", "heldOut"),
        minusShuffleOf: bySeed(name, "shuffle"),
        minusPlacebo: minus(name, placebo, "heldOut"),
        minusPlaceboOf: bySeed(name, placebo),
        retentionMinusShuffle: minus(name, "shuffle", "retention"),
        byClass: Object.fromEntries(
          Object.keys(classes[0]!).map((key) => [key, sum(key, "nats") / sum(key, "tokens")]),
        ),
      };
    }),
  };
}

export function reportOrder({ table, heldOut, seeds }: OrderResult): string[] {
  const classes = Object.keys(table[0]!.byClass);
  const each = (values: readonly number[]): string =>
    values.length === 0 ? "" : ` (${values.map((value) => value.toFixed(4)).join(", ")})`;
  return [
    `${heldOut.files} held-out files, ${heldOut.bytes} bytes over ${seeds.length} seeds`,
    "| arm | steps | held-out, bits per byte | minus shuffle (seeds) | minus its placebo (seeds) | retention | minus shuffle |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...table.map(
      (row) =>
        `| ${row.arm}: ${row.label} | ${Math.round(mean(row.steps))} | ${mean(row.heldOut).toFixed(4)} | ${signed(row.minusShuffle)}${each(row.minusShuffleOf)} | ${signed(row.minusPlacebo)}${each(row.minusPlaceboOf)} | ${mean(row.retention).toFixed(4)} | ${signed(row.retentionMinusShuffle)} |`,
    ),
    "",
    `| held-out nats per token | ${classes.join(" | ")} |`,
    `| --- | ${classes.map(() => "---").join(" | ")} |`,
    ...table.map(({ arm, byClass }) => `| ${arm} | ${classes.map((name) => byClass[name]!.toFixed(4)).join(" | ")} |`),
  ];
}

export function drawOrder({ body, table, steps, tokensPerStep, seeds, heldOut }: OrderResult): string {
  return rowChart({
    title: `Held-out prose at equal operations, against a seeded shuffle (${body})`,
    subtitle: `${steps} steps of ${tokensPerStep} tokens or what they cost, ${seeds.length} seeds, ${heldOut.files} files; whiskers: one paired standard error over files`,
    valueLabel: "bits per byte more than after a shuffle",
    rows: table.flatMap(({ arm, label, placeboOf, minusShuffle }) => {
      if (minusShuffle === null || arm === "parent") return [];
      const { difference, standardError } = minusShuffle;
      const error = standardError ?? 0;
      return [
        {
          label: placeboOf === null ? label : `  ${label}`,
          value: difference,
          low: difference - error,
          high: difference + error,
          note: signed(minusShuffle),
          isMuted: placeboOf !== null,
        },
      ];
    }),
    mark: "point",
  });
}
