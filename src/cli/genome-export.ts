/** `chrysalis genome export`: a genome in the formats that other tools read. */

import { resolve } from "node:path";
import { exportFiles } from "../genome/views/export-files.ts";
import { exportParquet } from "../genome/views/export-parquet.ts";
import { exportText } from "../genome/views/export-text.ts";
import type { Exported } from "../genome/views/export-text.ts";
import { exportZip } from "../genome/views/export-zip.ts";
import type { Watched } from "../genome/views/genome-pieces.ts";
import { formatBytes, formatMany } from "./format.ts";
import { genomeArgument, showBytes } from "./genome-lines.ts";
import { defineVerb } from "./verb.ts";

const formats = {
  ecosystem: (dir, out, watched) => exportText(dir, out, { ...watched, format: "ecosystem" }),
  safe: (dir, out, watched) => exportText(dir, out, { ...watched, format: "safe" }),
  files: exportFiles,
  parquet: exportParquet,
  zip: exportZip,
} as const satisfies Record<string, (dir: string, out: string, watched: Watched) => Promise<Exported>>;

export const genomeExport = defineVerb({
  name: "genome export",
  summary: "Write a genome as one text, a text per repository, Parquet, or a zip archive",
  usage: "DIR --format FORMAT --out PATH",
  positionals: [genomeArgument],
  flags: {
    format: {
      kind: "choice",
      choices: Object.keys(formats),
      required: true,
      help: "ecosystem and safe: one text; files: a folder with a text per repository; parquet: a row per file, with its text; zip: texts, genes and reports",
    },
    out: {
      kind: "text",
      value: "PATH",
      required: true,
      help: "File (folder for files) to write; it must not exist yet",
    },
  },
  examples: [
    {
      command: "chrysalis genome export genome --format parquet --out genome.parquet",
      does: "for data frames and training frameworks",
    },
    {
      command: "chrysalis genome export genome --format ecosystem --out dataset.txt",
      does: "the ecosystem's own format",
    },
    { command: "chrysalis genome export genome --format files --out texts", does: "a text per repository" },
    { command: "chrysalis genome export genome --format zip --out genome.zip", does: "all of it, to hand on" },
  ],
  async run({ flags, positionals }, { cwd, progress, signal }) {
    const [dir, out] = [resolve(cwd, positionals[0]!), resolve(cwd, flags.out)];
    const format = flags.format as keyof typeof formats;
    const exported = await formats[format](dir, out, {
      signal,
      onProgress: showBytes(progress, "exporting"),
    });
    return { genome: dir, format, ...exported };
  },
  human: ({ out, bytes, files }) =>
    `${out} has ${formatBytes(bytes)}${files === 1 ? "" : ` in ${formatMany(files, "file")}`}.`,
});
