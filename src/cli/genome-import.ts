/** `chrysalis genome import`: an archived genome text as a genome folder. */

import { resolve } from "node:path";
import { importGenome } from "../genome/views/import.ts";
import { COMMAND } from "./command-name.ts";
import { formatBytes, formatCount, formatMany } from "./format.ts";
import { showBytes } from "./genome-lines.ts";
import { defineVerb } from "./verb.ts";

export const genomeImport = defineVerb({
  name: "genome import",
  summary: "Make a genome folder of a genome text, whose bytes export gives again",
  usage: "FILE --out DIR [--format auto|ecosystem|safe]",
  positionals: [
    {
      name: "FILE",
      help: "Genome text: the ecosystem's dataset.txt, or a genome.txt; its texts are annotated, never changed or masked",
    },
  ],
  flags: {
    out: { kind: "text", value: "DIR", required: true, help: "Folder that becomes the genome; it must not exist yet" },
    format: {
      kind: "choice",
      choices: ["auto", "ecosystem", "safe"],
      default: "auto",
      help: "How the text is written; auto takes the genome.txt of a genome folder as safe, and all else as ecosystem",
    },
  },
  examples: [
    {
      command: "chrysalis genome import dataset.txt --out archived",
      does: "an archived genome of the ecosystem; genome export archived --format ecosystem gives its bytes again",
    },
    { command: "chrysalis genome import sent.txt --format safe --out sent", does: "a genome.txt that came alone" },
  ],
  async run({ flags, positionals }, { cwd, progress, signal }) {
    const format = flags.format === "auto" ? undefined : flags.format;
    const result = await importGenome(resolve(cwd, positionals[0]!), resolve(cwd, flags.out), {
      format,
      signal,
      onProgress: (stage, done, total) => {
        if (stage !== "comparing") showBytes(progress, stage)(done, total);
        else progress.update({ stage, done, total, details: [`${formatCount(done)} of ${formatMany(total, "text")}`] });
      },
    });
    if (result.escapedLines > 0) {
      progress.note(
        `${formatMany(result.escapedLines, "line")} of its files begin with a backslash and a marker: if chrysalis wrote this text, import it with --format safe.`,
      );
    }
    return result;
  },
  human: ({ dir, format, repositories, genes, bytes, edits, editBytes }) =>
    [
      `${formatMany(genes, "file")} (${formatBytes(bytes)}) of ${repositories === 1 ? "1 repository" : `${formatCount(repositories)} repositories`} are in ${dir}, read as ${format}.`,
      ...(edits === 0
        ? []
        : [
            `${formatMany(edits, "place")} in it ${edits === 1 ? "is" : "are"} not as an export writes them, with ${formatBytes(editBytes)} outside every file: kept in import-edits.jsonl.`,
          ]),
      "Its texts are as they were; nothing in them is masked.",
      `The same bytes again: ${COMMAND} genome export ${dir} --format ${format} --out FILE.txt`,
    ].join("\n"),
});
