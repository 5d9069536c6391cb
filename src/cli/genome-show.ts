/** `chrysalis genome show`: what a genome holds, as a tree per repository, and as a picture. */

import { basename, resolve } from "node:path";
import { openGenome } from "../genome/manifest.ts";
import { writeNewFile } from "../genome/views/output.ts";
import { drawGenome } from "../genome/views/picture.ts";
import { summarise, sumTallies, totalsOf } from "../genome/views/summary.ts";
import type { FolderSummary, RepositorySummary } from "../genome/views/summary.ts";
import { formatBytes, formatCount, formatMany } from "./format.ts";
import { counts, genomeArgument, rowWidth, shares, table } from "./genome-lines.ts";
import type { TableColumn } from "./genome-lines.ts";
import { defineVerb } from "./verb.ts";

const MOST_FOLDERS = 12;

export const genomeShow = defineVerb({
  name: "genome show",
  summary: "Show what a genome holds: folders, sizes, kinds, licences, what repeats",
  usage: "DIR [--depth N] [--svg FILE]",
  positionals: [genomeArgument],
  flags: {
    depth: {
      kind: "number",
      value: "N",
      integer: true,
      min: 0,
      max: 20,
      default: 1,
      help: "Levels of folders below each repository",
    },
    svg: {
      kind: "text",
      value: "FILE",
      help: "Also draw it as an SVG picture: areas by bytes, colours by kind, what repeats hatched",
    },
  },
  examples: [
    { command: "chrysalis genome show genome", does: "a tree of its repositories" },
    { command: "chrysalis genome show genome --svg genome.svg", does: "and a picture to look at" },
    { command: "chrysalis genome show genome --depth 3 --json", does: "for a program to read" },
  ],
  async run({ flags, positionals }, { cwd, progress }) {
    const dir = resolve(cwd, positionals[0]!);
    progress.update({ stage: "reading", details: [dir] });
    const genome = await openGenome(dir);
    try {
      const { genes, manifest, sha256 } = genome;
      const repositories = summarise(genome.repositories, genes, { depth: flags.depth });
      const svg = flags.svg === undefined ? undefined : resolve(cwd, flags.svg);
      if (svg !== undefined) {
        const title = `Genome ${basename(dir)}`;
        await writeNewFile(svg, one(Buffer.from(drawGenome(genes, { title, formatBytes }))));
      }
      const result = {
        genome: dir,
        sha256,
        imported: manifest.imported,
        ...totalsOf(genes),
        repositories,
        ...(svg === undefined ? {} : { svg }),
      };
      progress.close();
      return result;
    } finally {
      await genome.close();
    }
  },
  human: (shown, columns) => render(shown, rowWidth(columns)).join("\n"),
});

interface Shown extends ReturnType<typeof totalsOf> {
  readonly genome: string;
  readonly imported: boolean;
  readonly repositories: readonly RepositorySummary[];
  readonly svg?: string;
}

function render(shown: Shown, width: number): string[] {
  const { genome, imported, repositories, genes, bytes, tokens, repeatedBytes, svg } = shown;
  const tokensKnown = repositories.some((repository) => repository.tokens !== null);
  const roomy = width >= 90;
  const columns: TableColumn[] = [
    { heading: "", align: "rest" },
    { heading: "bytes", align: "right" },
    ...(tokensKnown ? [{ heading: "tokens", align: "right" } as const] : []),
    { heading: "repeated", align: "right" },
    { heading: "files", align: "right" },
    { heading: "licence", align: "left" },
    ...(roomy ? [{ heading: "kinds", align: "left" } as const] : []),
  ];
  const cells = (name: string, folder: FolderSummary, licence: string): string[] => [
    name,
    formatBytes(folder.bytes),
    ...(tokensKnown ? [folder.tokens === null ? "" : formatCount(folder.tokens)] : []),
    folder.repeatedBytes === 0 ? "" : formatBytes(folder.repeatedBytes),
    formatCount(folder.genes),
    licence,
    ...(roomy ? [shares(folder.kinds, 2)] : []),
  ];
  const rows = repositories.flatMap((repository) => [
    cells(repository.name, repository, licenceOf(repository)),
    ...treeRows(repository, "", cells),
  ]);
  const masked = sumTallies(repositories.map((repository) => repository.masked));
  const flags = sumTallies(repositories.map((repository) => repository.flags));
  return [
    ...table(columns, rows, width),
    "",
    [
      `${genome}: ${formatMany(genes, "file")}, ${formatBytes(bytes)}`,
      ...(tokens === null ? [] : [formatMany(tokens, "token")]),
      `${formatBytes(repeatedBytes)} of it repeated, in ${repositories.length === 1 ? "1 repository" : `${formatCount(repositories.length)} repositories`}.`,
    ].join(", "),
    imported ? "imported from a text, so nothing is masked" : `masked: ${counts(masked)}`,
    `flags: ${counts(flags)}`,
    ...(svg === undefined ? [] : [`A picture of it is in ${svg}.`]),
  ];
}

/** The repository's licence, and how many others its files state. */
function licenceOf({ licence, licences }: RepositorySummary): string {
  const others = Object.keys(licences).filter((other) => other !== licence).length;
  return others === 0 ? licence : `${licence} +${others}`;
}

function treeRows(
  { folders, ...own }: FolderSummary,
  indent: string,
  cells: (name: string, folder: FolderSummary, licence: string) => string[],
): string[][] {
  const shown = folders.slice(0, MOST_FOLDERS);
  const below = folders.reduce((sum, { genes }) => sum + genes, 0);
  const rest = folders.length - shown.length;
  const loose = own.genes - below;
  const ends = [
    ...(rest > 0 ? [formatMany(rest, "smaller folder")] : []),
    ...(folders.length > 0 && loose > 0 ? [`${formatMany(loose, "file")} beside them`] : []),
  ];
  return [
    ...shown.flatMap((folder, i) => {
      const last = i === shown.length - 1 && ends.length === 0;
      return [
        cells(`${indent}${last ? "└─ " : "├─ "}${folder.name}/`, folder, ""),
        ...treeRows(folder, `${indent}${last ? "   " : "│  "}`, cells),
      ];
    }),
    ...(ends.length === 0 ? [] : [[`${indent}└─ ${ends.join(", ")}`]]),
  ];
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
