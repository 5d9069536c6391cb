/** `chrysalis genome diff`: what differs between two genomes. */

import { resolve } from "node:path";
import { openGenome } from "../genome/manifest.ts";
import type { Gene } from "../genome/manifest.ts";
import { diffGenes } from "../genome/views/diff.ts";
import type { GenomeDiff, Place } from "../genome/views/diff.ts";
import { formatBytes, formatCount, formatMany } from "./format.ts";
import { fit, rowWidth, table } from "./genome-lines.ts";
import type { Progress } from "./progress.ts";
import { defineVerb } from "./verb.ts";

const MOST_ROWS = 40;

export const genomeDiff = defineVerb({
  name: "genome diff",
  summary: "Show what was added, removed, changed and moved between two genomes",
  usage: "A B",
  positionals: [
    { name: "A", help: "Genome folder, the earlier one" },
    { name: "B", help: "Genome folder, the later one" },
  ],
  flags: {},
  examples: [
    { command: "chrysalis genome diff genome-1 genome-2", does: "what a new build brought" },
    { command: "chrysalis genome diff genome-1 genome-2 --json", does: "every file, for a program to read" },
  ],
  async run({ positionals }, { cwd, progress }) {
    const [a, b] = positionals.map((dir) => resolve(cwd, dir)) as [string, string];
    const before = await read(a, progress);
    const after = await read(b, progress);
    const result = { before: a, after: b, ...diffGenes(before, after) };
    progress.close();
    return result;
  },
  human: (diff, columns) => render(diff, rowWidth(columns)).join("\n"),
});

async function read(dir: string, progress: Progress): Promise<readonly Gene[]> {
  progress.update({ stage: "reading", details: [dir] });
  const genome = await openGenome(dir);
  await genome.close();
  return genome.genes;
}

function render(diff: GenomeDiff, width: number): string[] {
  const { added, removed, changed, moved, unchanged, repositories } = diff;
  const name = ({ repository, path }: Place): string => `${repository}/${path}`;
  const rows = [
    ...added.map((gene) => [`+ ${name(gene)}`, formatBytes(gene.bytes)]),
    ...removed.map((gene) => [`- ${name(gene)}`, formatBytes(gene.bytes)]),
    ...changed.map((gene) => [
      `~ ${name(gene)}`,
      `${formatBytes(gene.bytesBefore)} to ${formatBytes(gene.bytesAfter)}`,
    ]),
    ...moved.map(({ from, to }) => [`> ${name(to)}`, fit(`from ${name(from)}`, width / 2)]),
  ];
  const more = rows.length - MOST_ROWS;
  const summary = `${formatCount(added.length)} added, ${formatCount(removed.length)} removed, ${formatCount(changed.length)} changed, ${formatCount(moved.length)} moved; ${formatMany(unchanged, "file")} unchanged.`;
  if (rows.length === 0) return [`The two genomes hold the same texts: ${formatMany(unchanged, "file")}.`];
  return [
    ...rows.slice(0, MOST_ROWS).map(([place, size]) => `${fit(place!, width - size!.length - 4)}  (${size})`),
    ...(more > 0 ? [`  and ${formatCount(more)} more, which --json lists`] : []),
    "",
    ...table(
      [
        { heading: "", align: "rest" },
        { heading: "added", align: "right" },
        { heading: "removed", align: "right" },
        { heading: "changed", align: "right" },
        { heading: "moved", align: "right" },
        { heading: "bytes", align: "right" },
      ],
      repositories.map((own) => [
        own.in === "both" ? own.name : `${own.name} (only in ${own.in === "first" ? "A" : "B"})`,
        ...[own.added, own.removed, own.changed, own.moved].map((count) => (count === 0 ? "" : formatCount(count))),
        difference(own.bytesAfter - own.bytesBefore),
      ]),
      width,
    ),
    "",
    summary,
  ];
}

function difference(bytes: number): string {
  if (bytes === 0) return "0 B";
  return `${bytes < 0 ? "-" : "+"}${formatBytes(Math.abs(bytes))}`;
}
