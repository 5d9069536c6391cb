/** `chrysalis epigenome show`: what of a genome a recipe expresses for a model, as tables or a picture. */

import { resolve } from "node:path";
import { selectGenes } from "../epigenome/select.ts";
import { summariseExpression } from "../epigenome/summary.ts";
import type { Part } from "../epigenome/summary.ts";
import { atomicWrite } from "../formats/files.ts";
import { drawGenome } from "../genome/views/picture.ts";
import { dietFlags, openDiet } from "./diet.ts";
import { formatBytes, formatCount, formatMany } from "./format.ts";
import { rowWidth, table } from "./genome-lines.ts";
import { dataLines, dataSummaries } from "./pipeline/own-data.ts";
import { defineVerb } from "./verb.ts";

const mostRows = 20;

export const epigenomeShow = defineVerb({
  name: "epigenome show",
  summary: "Show what of a genome is trained on, and what stays silent and why",
  usage: "[--genome DIR] [--data FILE|DIR] [--model MODEL] [--express all] [--svg FILE]",
  positionals: [],
  flags: { ...dietFlags, svg: { kind: "text", value: "FILE", help: "Draw what is expressed as a picture" } },
  examples: [
    { command: "chrysalis epigenome show --genome nest/genome", does: "what the larva gets of a run's genome" },
    {
      command: "chrysalis epigenome show --genome genome --model path/to/SmolLM2-135M --json",
      does: "what another body gets, for a program to read",
    },
  ],
  async run(input, { cwd, signal, progress }) {
    const diet = await openDiet(input, { cwd, progress });
    const { genome, data, tokenizer, recipe, options, capacity } = diet;
    try {
      const selection = selectGenes(genome.genes, options);
      const tokens = new Map<object, number>();
      for (const [i, { gene }] of selection.expressed.entries()) {
        signal.throwIfAborted();
        tokens.set(gene, tokenizer.encodeContent(await genome.text(gene)).length);
        if (i % 16 === 0) progress.update({ stage: "encoding", done: i, total: selection.expressed.length });
      }
      progress.finish([formatMany(selection.expressed.length, "file")]);
      const summary = summariseExpression(selection, (gene) => tokens.get(gene) ?? 0);
      const { svg } = input.flags;
      if (svg !== undefined) {
        const genes = selection.expressed.map(({ gene }) => gene);
        const title = `Expressed by ${recipe}: ${formatBytes(summary.expressed.bytes)} of ${formatBytes(genome.manifest.genomeBytes)}`;
        await atomicWrite(resolve(cwd, svg), drawGenome(genes, { title, formatBytes }));
      }
      return {
        recipe,
        capacity: capacity.value,
        limitedBy: capacity.reason,
        ...summary,
        idle: selection.idle,
        data: dataSummaries(data),
      };
    } finally {
      await genome.close();
    }
  },
  human({ recipe, capacity, limitedBy, expressed, silent, data }, columns) {
    const width = rowWidth(columns);
    const heading = (first: string): readonly { heading: string; align: "left" | "right" | "rest" }[] => [
      { heading: first, align: "rest" },
      { heading: "files", align: "right" },
      { heading: "bytes", align: "right" },
      { heading: "tokens", align: "right" },
      { heading: "share", align: "right" },
    ];
    const rows = (parts: Readonly<Record<string, Part>>): string[][] =>
      Object.entries(parts)
        .slice(0, mostRows)
        .map(([name, { files, bytes, tokens, share }]) => [
          name,
          formatCount(files),
          formatBytes(bytes),
          formatCount(tokens),
          `${(100 * share).toFixed(1)} %`,
        ]);
    const reasons = Object.entries(silent.byReason).map(([reason, { files, bytes }]) => [
      reason,
      formatCount(files),
      formatBytes(bytes),
    ]);
    const limit = capacity === null ? "" : `; at most ${formatBytes(capacity)}: ${limitedBy}`;
    return [
      `${recipe}: ${formatMany(expressed.files, "file")}, ${formatBytes(expressed.bytes)}, ${formatMany(expressed.tokens, "token")} in one pass${limit}`,
      ...dataLines(data),
      "",
      ...table(heading("kind"), rows(expressed.byKind), width),
      "",
      ...table(heading("repository"), rows(expressed.byRepository), width),
      "",
      ...table(heading("silent").slice(0, 3), reasons, width),
    ].join("\n");
  },
});
