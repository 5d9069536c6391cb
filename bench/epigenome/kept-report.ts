/** What "learned against kept" found, as tables and as a figure. */

import { lineChart } from "../plot.ts";
import type { ArmResult, AtGain, KeptResult } from "./kept-result.ts";

/** The result in lines of Markdown. */
export function reportKept(result: KeptResult): readonly string[] {
  const { body, steps, seeds, gains, heldOut, retention, trials, selectionGain } = result;
  const gain = mean(gains);
  const lines = [
    `${body}: ${steps} steps, seeds ${seeds.join(", ")}; held-out ${heldOut.files} files, ${heldOut.bytes} bytes, parent ${figure(heldOut.parent)}; retention ${retention.pieces} pieces, ${retention.bytes} bytes, parent ${figure(retention.parent)}`,
    `matched gain ${figure(gain)} (${gains.map(figure).join(", ")}), ${percent(gain / heldOut.parent)} of the parent's held-out bits per byte`,
    "| arm | rate | reaches, seed by seed | read at | forgetting | minus default |",
    "| --- | --- | --- | --- | --- | --- |",
    ...result.arms.map((arm) => rowOf(arm, result)),
  ];
  if (result.readable !== null) {
    const { without, gains: own, arms } = result.readable;
    lines.push(
      `without ${without.map(({ file, bytes, bitsPerByte }) => `${file} (${bytes} bytes, ${bitsPerByte.toFixed(2)} bits per byte under the parent)`).join(", ")}: matched gain ${figure(mean(own))} (${own.map(figure).join(", ")})`,
      "| arm | read at | forgetting | minus default |",
      "| --- | --- | --- | --- |",
      ...result.arms.map(
        ({ label, name, isBlended }) => `| ${label} | ${atGain(name, arms[name]!, arms["default"]!, isBlended)} |`,
      ),
    );
  }
  if (selectionGain === null) return lines;
  return [
    ...lines,
    `learning rates, chosen on a split of their own at a gain of ${figure(selectionGain)}:`,
    "| arm | rate | reaches | forgetting there | |",
    "| --- | --- | --- | --- | --- |",
    ...trials.map(
      ({ arm, rate, reach, forgetting, isChosen }) =>
        `| ${arm} | ${rate} | ${figure(reach)} | ${forgetting === null ? "" : signed(forgetting)} | ${isChosen ? "chosen" : ""} |`,
    ),
  ];
}

/** Forgetting over gain, means over seeds. */
export function drawKept({
  body,
  steps,
  seeds,
  heldOut,
  retention,
  arms,
  gains,
}: KeptResult): Readonly<Record<string, string>> {
  const gain = mean(gains);
  const curves = lineChart({
    title: `What is forgotten for what is learned (${body})`,
    subtitle: `${steps} steps, means of ${seeds.length} seeds, ${heldOut.files} held-out files, ${retention.pieces} pieces of retention; matched gain ${gain.toFixed(3)}`,
    xLabel: "learned: held-out bits per byte below the parent",
    yLabel: "forgotten: retention bits per byte above it",
    series: arms
      .filter(({ name, role }) => role !== "part" || name === "no-blend")
      .map(({ label, name, curve, mean: own, intervals }) => ({
        label,
        isMuted: name === "lora",
        points: curve.map(({ gain: x, forgetting: y }) =>
          Math.abs(x - gain) < 1e-9 && own !== null && intervals !== null
            ? { x, y: own, ...intervals.forgetting }
            : { x, y },
        ),
      })),
  });
  return { curves };
}

function rowOf(arm: ArmResult, { arms }: KeptResult): string {
  const { label, name, rate, reach, isBlended } = arm;
  const base = arms.find((other) => other.name === "default")!;
  return `| ${label} | ${rate} | ${reach.map((value) => value.toFixed(3)).join(", ")} | ${atGain(name, arm, base, isBlended)} |`;
}

/** Three cells: where the gain is reached, what is forgotten there, and how much more than by the default. */
function atGain(name: string, { at, forgetting, mean: own, intervals }: AtGain, base: AtGain, isBlended: boolean) {
  const difference =
    name === "default" || own === null || base.mean === null
      ? ""
      : `${signed(own - base.mean)}${intervals ? ` (${signed(intervals.difference.low)} to ${signed(intervals.difference.high)})` : ""}`;
  const seedBySeed = forgetting.map((value) => (value === null ? "-" : signed(value))).join(", ");
  const read = at.map((value) => (value === null ? "-" : value.toFixed(2))).join(", ");
  const found = own === null ? `falls short (${seedBySeed})` : `${signed(own)} (${seedBySeed})`;
  return `${isBlended ? "alpha" : "part"} ${read} | ${found} | ${difference}`;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const figure = (value: number): string => value.toFixed(4);
const signed = (value: number): string => `${value >= 0 ? "+" : "-"}${Math.abs(value).toFixed(4)}`;
const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
