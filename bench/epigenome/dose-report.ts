/** What the dose-response proof found, as numbers, lines and figures. */

import { lineChart, rowChart } from "../plot.ts";
import { bootstrap, mean, permutedDoses, withinSlope } from "./dose-response.ts";
import type { Interval, Placebo, Series } from "./dose-response.ts";

export interface GroupResult extends Series {
  readonly files: { readonly trainable: number; readonly heldOut: number };
  readonly bytes: { readonly trainable: number; readonly heldOut: number };
  /** Bits per byte of the untouched parent. */
  readonly parent: number;
  /** Part of the trainable bytes that was expressed, run by run: whole files come only near to a dose. */
  readonly expressed: readonly number[];
  readonly slope: Interval;
}

export interface DoseResult {
  readonly body: string;
  readonly recipe: string;
  /** Of every run: with the sequences of a step, equal FLOPs. */
  readonly steps: number;
  readonly positionsPerStep: number;
  readonly seeds: readonly number[];
  /** SHA-256 of genome.txt and of the parent's weights, read before the first run and after the last: the same. */
  readonly genome: string;
  readonly parent: string;
  readonly groups: readonly GroupResult[];
  readonly dropped: readonly { readonly name: string; readonly reason: string }[];
  /** Bits per byte that full expression changes, within groups. */
  readonly slope: Interval;
  readonly response: readonly (Interval & { readonly dose: number })[];
  readonly placebos: { readonly within: Placebo; readonly across: Placebo };
  /** Groups whose bits per byte rise with their dose. */
  readonly wrongSign: readonly string[];
  readonly retention: { readonly parent: number; readonly runs: readonly number[] };
}

export function reportDose(result: DoseResult): string[] {
  const { groups, placebos, slope, wrongSign, retention, dropped } = result;
  const placebo = (name: string, { mean: middle, low, high, p }: Placebo): string =>
    `doses permuted ${name}: ${signed(middle)} (${signed(low)} to ${signed(high)}), p = ${p.toFixed(4)}`;
  return [
    `${result.seeds.length} runs of ${result.steps} steps of ${result.positionsPerStep} positions; genome and parent have the hashes they had`,
    "",
    "| group | files trained, held out | KB trained, held out | parent | dose 0 | dose 1 | slope, bits per byte |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...groups.map((group) => {
      const at = (wanted: number): string =>
        mean(group.values.filter((_, run) => group.doses[run] === wanted)).toFixed(4);
      const { files, bytes } = group;
      return `| ${group.group} | ${files.trainable}, ${files.heldOut} | ${kilobytes(bytes.trainable)}, ${kilobytes(bytes.heldOut)} | ${group.parent.toFixed(4)} | ${at(0)} | ${at(1)} | ${interval(group.slope)} |`;
    }),
    "",
    `within-group slope: ${interval(slope)} bits per byte from dose 0 to dose 1`,
    placebo("within groups, across runs", placebos.within),
    placebo("across groups, within runs", placebos.across),
    ...narrowed(groups),
    `wrong sign: ${wrongSign.length === 0 ? "none" : wrongSign.join(", ")}`,
    `retention: ${retention.parent.toFixed(4)} to ${mean(retention.runs).toFixed(4)} (mean of the runs)`,
    ...dropped.map(({ name, reason }) => `not measured: ${name} (${reason})`),
  ];
}

/** Whether the slope rests on one group that answers strongly, or on text of one kind. */
function narrowed(groups: readonly GroupResult[]): string[] {
  const steepest = groups.toSorted((a, b) => a.slope.value - b.slope.value)[0]!;
  const parts = [
    { name: `without ${steepest.group}`, own: groups.filter((group) => group !== steepest) },
    { name: "prose alone", own: groups.filter(({ group }) => group.endsWith(" prose")) },
  ];
  return parts.flatMap(({ name, own }) =>
    own.length === 0
      ? []
      : `${name}: ${interval(bootstrap(own, withinSlope))}, p = ${permutedDoses(own, "within").p.toFixed(4)} within, ${permutedDoses(own, "across").p.toFixed(4)} across groups`,
  );
}

export function drawDose(result: DoseResult): Record<string, string> {
  const { body, groups, seeds, steps, slope, placebos, response } = result;
  const all = `${groups.length} groups, ${seeds.length} runs of ${steps} steps`;
  return {
    response: lineChart({
      title: `Dose and response within groups of files (${body})`,
      subtitle: `${all}; whiskers: 95 % bootstrap over runs and groups; p = ${placebos.within.p.toFixed(4)} against permuted doses`,
      xLabel: "dose: part of a group's training bytes that is expressed",
      yLabel: "held-out bits per byte minus group mean",
      series: [
        {
          label: "measured",
          points: response.map(({ dose, value, low, high }) => ({ x: dose, y: value, low, high })),
        },
      ],
    }),
    slopes: rowChart({
      title: `Slope of held-out bits per byte on dose (${body})`,
      subtitle: `${all}; below 0: better with more; whiskers: 95 % (of permuted doses: of the permutations)`,
      valueLabel: "bits per byte from dose 0 to dose 1",
      mark: "point",
      rows: [
        ...groups.map((group) => ({ label: group.group, ...group.slope })),
        { label: "all groups", ...slope },
        { label: "doses permuted within groups", value: placebos.within.mean, ...ends(placebos.within), isMuted: true },
        { label: "doses permuted across groups", value: placebos.across.mean, ...ends(placebos.across), isMuted: true },
      ].map((row) => ({ ...row, note: signed(row.value) })),
    }),
  };
}

const ends = ({ low, high }: Placebo): { low: number; high: number } => ({ low, high });
const signed = (value: number): string => `${value >= 0 ? "+" : ""}${value.toFixed(4)}`;
const interval = ({ value, low, high }: Interval): string => `${signed(value)} (${signed(low)} to ${signed(high)})`;
const kilobytes = (bytes: number): string => (bytes / 1000).toFixed(1);
