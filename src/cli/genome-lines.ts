/** What the genome verbs share: their argument, how work on a genome shows, and text as rows that fit the terminal. */

import { stripVTControlCharacters } from "node:util";
import { formatBytes, formatCount, oneLine } from "./format.ts";
import type { Progress } from "./progress.ts";

export const genomeArgument = {
  name: "DIR",
  help: "Genome folder, as genome build or genome import writes it",
} as const;

const narrowest = 60;
const widest = 140;

/** Columns to fill of so many: wider rows are hard to follow, narrower ones hold nothing. */
export function rowWidth(columns: number): number {
  return Math.min(widest, Math.max(narrowest, columns));
}

/** Shows bytes that were worked through. */
export function showBytes(progress: Progress, stage: string): (done: number, total: number) => void {
  return (done, total) =>
    progress.update({ stage, done, total, details: [`${formatBytes(done)} of ${formatBytes(total)}`] });
}

export interface TableColumn {
  readonly heading: string;
  /** Which side the cells stand on; `rest` takes what the others leave, and is cut where that is too little. */
  readonly align: "left" | "right" | "rest";
}

/** Rows in columns, each as wide as its widest cell; nothing goes beyond `width`. */
export function table(columns: readonly TableColumn[], rows: readonly (readonly string[])[], width: number): string[] {
  const all = [columns.map(({ heading }) => heading), ...rows];
  const widths = columns.map((_, i) => Math.max(...all.map((row) => lengthOf(row[i] ?? ""))));
  const fixed = widths.reduce((sum, cell, i) => sum + (columns[i]!.align === "rest" ? 0 : cell + 2), 0);
  return all.map((row) =>
    columns
      .map(({ align }, i) => {
        const cell = row[i] ?? "";
        if (align === "right") return " ".repeat(widths[i]! - lengthOf(cell)) + cell;
        if (align === "left") return cell + " ".repeat(widths[i]! - lengthOf(cell));
        const room = Math.max(8, Math.min(widths[i]!, width - fixed));
        const cut = fit(cell, room);
        return i === columns.length - 1 ? cut : cut + " ".repeat(room - lengthOf(cut));
      })
      .join("  ")
      .trimEnd(),
  );
}

/** A path as one line of at most `width` characters, cut in its middle: it is its end that tells it from others. */
export function fit(text: string, width: number): string {
  // What stands before the first letter draws the tree.
  const [, indent, rest] = /^([ │├└─]*)(.*)$/su.exec(text)!;
  const characters = [...oneLine(rest ?? "", Infinity)];
  const most = Math.max(1, Math.floor(width) - indent!.length);
  if (characters.length <= most) return indent + characters.join("");
  const head = Math.floor((most - 1) / 3);
  return `${indent}${characters.slice(0, head).join("")}…${characters.slice(characters.length - (most - 1 - head)).join("")}`;
}

function lengthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** The largest of a tally with their shares, as many as are worth a word: "prose 81 %, data 12 %". */
export function shares(tally: Readonly<Record<string, number>>, most: number): string {
  const entries = Object.entries(tally);
  const total = entries.reduce((sum, [, count]) => sum + count, 0);
  // Only empty files: none is the larger part.
  if (total === 0) return "";
  const words = entries.slice(0, most).flatMap(([name, count], i) => {
    const percent = Math.round((100 * count) / total);
    return i > 0 && percent < 1 ? [] : [`${name} ${percent} %`];
  });
  return words.join(", ");
}

/** A tally in words: "email 12, secret 3"; "none" where nothing was counted. */
export function counts(tally: Readonly<Record<string, number>>, format = formatCount): string {
  const words = Object.entries(tally).flatMap(([name, count]) => (count > 0 ? [`${name} ${format(count)}`] : []));
  return words.join(", ") || "none";
}
