/** `chrysalis genome stats`: figures of a genome, by kind, language, licence and repository, and what repeats most. */

import { resolve } from "node:path";
import { openGenome } from "../genome/manifest.ts";
import { genomeStats } from "../genome/views/stats.ts";
import type { Quantiles } from "../genome/views/stats.ts";
import type { Totals } from "../genome/views/summary.ts";
import { formatBytes, formatCount, formatMany } from "./format.ts";
import { counts, genomeArgument, rowWidth, table } from "./genome-lines.ts";
import { defineVerb } from "./verb.ts";

const MOST_ROWS = 12;
const MOST_CLASSES = 8;

export const genomeStatistics = defineVerb({
  name: "genome stats",
  summary: "Count a genome by kind, language, licence and repository, with what repeats most",
  usage: "DIR",
  positionals: [genomeArgument],
  flags: {},
  examples: [
    { command: "chrysalis genome stats genome", does: "the figures as tables" },
    { command: "chrysalis genome stats genome --json", does: "all of them, for a program to read" },
  ],
  async run({ positionals }, { cwd, progress }) {
    const dir = resolve(cwd, positionals[0]!);
    progress.update({ stage: "reading", details: [dir] });
    const genome = await openGenome(dir);
    try {
      const result = { genome: dir, sha256: genome.sha256, ...genomeStats(genome) };
      progress.close();
      return result;
    } finally {
      await genome.close();
    }
  },
  human: (stats, columns) => render(stats, rowWidth(columns)).join("\n"),
});

type Stats = ReturnType<typeof genomeStats> & { readonly genome: string };

function render(stats: Stats, width: number): string[] {
  const { genome, genes, bytes, textBytes, tokens, repeatedBytes, duplicates, quality } = stats;
  const section = (heading: string, groups: Readonly<Record<string, Totals>>): string[] => {
    const entries = Object.entries(groups);
    const rows = entries
      .slice(0, MOST_ROWS)
      .map(([name, own]) => [
        name === "null" ? "(none known)" : name,
        formatBytes(own.bytes),
        formatCount(own.genes),
        own.repeatedBytes === 0 ? "" : formatBytes(own.repeatedBytes),
      ]);
    const more = entries.length - rows.length;
    return [
      "",
      ...table(
        [
          { heading, align: "rest" },
          { heading: "bytes", align: "right" },
          { heading: "files", align: "right" },
          { heading: "repeated", align: "right" },
        ],
        rows,
        width,
      ),
      ...(more > 0 ? [`and ${formatCount(more)} more, which --json lists`] : []),
    ];
  };
  return [
    [
      `${genome}: ${formatMany(genes, "file")}`,
      `${formatBytes(bytes)} (${formatBytes(textBytes)} as text)`,
      ...(tokens === null ? [] : [formatMany(tokens, "token")]),
      `${formatBytes(repeatedBytes)} of it repeated`,
    ].join(", "),
    ...section("kind", stats.kinds),
    ...section("language", stats.languages),
    ...section("licence", stats.licences),
    ...section("repository", stats.repositories),
    "",
    ...table(
      [
        { heading: "duplicates", align: "left" },
        { heading: "classes", align: "right" },
        { heading: "files", align: "right" },
        { heading: "repeated", align: "right" },
      ],
      Object.entries(duplicates.kinds).map(([kind, own]) => [
        kind,
        formatCount(own.classes),
        formatCount(own.genes),
        formatBytes(own.repeatedBytes),
      ]),
      width,
    ),
    ...(duplicates.largest.length === 0
      ? []
      : [
          "",
          ...table(
            [
              { heading: "repeated most", align: "right" },
              { heading: "copies", align: "right" },
              { heading: "of", align: "rest" },
            ],
            duplicates.largest
              .slice(0, MOST_CLASSES)
              .map((own) => [formatBytes(own.repeatedBytes), formatCount(own.genes - 1), own.representative]),
            width,
          ),
        ]),
    ...(quality === null ? [] : ["", ...qualityRows(quality, width)]),
    "",
    ...(stats.imported
      ? ["imported from a text, so nothing is masked or left out"]
      : [`masked: ${counts(stats.masked)}`, `left out: ${counts(stats.skipped)}`]),
    `flags: ${counts(stats.flags)}`,
    ...(stats.damaged === 0 ? [] : [`damaged and left out: ${formatMany(stats.damaged, "blob")}`]),
  ];
}

function qualityRows(quality: Readonly<Record<string, Quantiles>>, width: number): string[] {
  const shown = ["p10", "median", "p90", "p99", "max"] as const;
  const words: Readonly<Record<string, string>> = {
    lineLength: "characters per line",
    alphabetic: "share of letters",
    repetition: "share in repeated lines",
  };
  return table(
    [{ heading: "quality of files", align: "left" }, ...shown.map((heading) => ({ heading, align: "right" }) as const)],
    Object.entries(quality).map(([signal, own]) => [
      words[signal] ?? signal,
      ...shown.map((at) => (signal === "lineLength" ? formatCount(own[at]) : own[at].toFixed(2))),
    ]),
    width,
  );
}
