/** `chrysalis eval`: bits per byte of a model on any text, by the definition of a run's own figures. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { sequencesOfLine } from "../epigenome/heldout-records.ts";
import { UserError } from "../errors.ts";
import { scoreDocuments } from "../eval/bits-per-byte.ts";
import { readFilesToMeasure } from "../eval/documents.ts";
import { readJson } from "../formats/files.ts";
import { loadBody } from "../models/load.ts";
import { compileStep } from "../models/step.ts";
import { formatBytes, formatCount, formatFigure, formatMany } from "./format.ts";
import { checkAttentionMemory, openTokenizer } from "./model.ts";
import { showMeasuring } from "./pipeline/show-stages.ts";
import { defineVerb } from "./verb.ts";

const DEFAULT_WINDOW = 512;
/** Positions that go through the model at once. */
const POSITIONS_PER_PASS = 2048;
const MOST_ROWS = 30;

export const evaluate = defineVerb({
  name: "eval",
  summary: "Measure a model's bits per byte on text",
  usage: "MODEL --files FILE|DIR... [--split NAME] [--window N]",
  positionals: [{ name: "MODEL", help: "Imago or other Hugging Face folder with its tokenizer, or .gguf file" }],
  flags: {
    files: {
      kind: "text",
      value: "FILE|DIR",
      many: true,
      required: true,
      help: "Text, .jsonl or .jsonl.gz (one document per line in `text`), or folders: all text files below them",
    },
    split: { kind: "text", value: "NAME", help: "Only lines of .jsonl files whose `split` is this" },
    window: {
      kind: "number",
      value: "N",
      integer: true,
      min: 2,
      help: `Positions of a window; windows overlap by half (default: that of the imago's own figures, else ${DEFAULT_WINDOW}, or the model's positions where it has fewer)`,
    },
  },
  examples: [
    {
      command: "chrysalis eval nest/imago --files nest/heldout.jsonl",
      does: "a run's held-out figure, measured again",
    },
    { command: "chrysalis eval models/larva --files README.md docs --json", does: "any text, for a program to read" },
  ],
  async run({ flags, positionals }, { signal, progress }) {
    const path = positionals[0]!;
    const tokenizer = await openTokenizer(path);
    const { documents, skipped } = await readFilesToMeasure(flags.files, {
      ...(flags.split === undefined ? {} : { split: flags.split }),
      sequencesOf: (line) => sequencesOfLine(line, tokenizer),
    });
    progress.update({ stage: "loading", details: [path] });
    const body = await loadBody(path);
    const { maxPositions } = body.config;
    const T = flags.window ?? Math.min(maxPositions, (await recordedWindow(path)) ?? DEFAULT_WINDOW);
    if (T > maxPositions) {
      throw new UserError("usage", `--window is ${T}, the model has ${maxPositions} positions`, {
        hint: `give at most ${maxPositions}`,
      });
    }
    // Short text does not fill many sequences, and padding takes as long as text.
    const bytes = documents.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    const B = Math.max(1, Math.min(Math.floor(POSITIONS_PER_PASS / T), Math.floor(bytes / 4 / T)));
    checkAttentionMemory(body.config, B, T);
    signal.throwIfAborted();
    const step = await compileStep(body, { B, T, train: "none" });
    try {
      const onProgress = showMeasuring(progress, "measuring");
      const { perDocument, ...total } = await scoreDocuments(step, tokenizer, documents, { onProgress, signal });
      return {
        model: path,
        window: T,
        bitsPerByte: total.bitsPerByte,
        nats: total.nats,
        bytes: total.bytes,
        tokens: total.tokens,
        perFile: perDocument.map(({ id, bitsPerByte, nats, bytes, tokens }) => ({
          file: id,
          bitsPerByte,
          nats,
          bytes,
          tokens,
        })),
        skipped,
      };
    } finally {
      await step.release();
    }
  },
  human: ({ bitsPerByte, bytes, tokens, window, perFile, skipped }) => {
    const rows = perFile
      .slice(0, MOST_ROWS)
      .map((file) => `${formatFigure(file.bitsPerByte).padStart(7)}  ${file.file}`);
    const more = perFile.length - rows.length;
    return [
      ...(perFile.length > 1 ? rows : []),
      ...(more > 0 ? [`         and ${formatCount(more)} more, which --json lists`] : []),
      `${formatFigure(bitsPerByte).padStart(7)}  bits per byte of ${formatBytes(bytes)} in ${formatMany(perFile.length, "document")} (${formatMany(tokens, "token")}, window ${window})`,
      ...skipped.map(({ path, reason }) => `skipped ${path}: ${reason}`),
    ].join("\n");
  },
});

/** The window that an imago's own figures were measured with. */
async function recordedWindow(model: string): Promise<number | undefined> {
  const path = join(model, "report.json");
  if (!existsSync(path)) return undefined;
  const report = (await readJson(path)) as { evaluation?: { window?: unknown } } | null;
  const window = report?.evaluation?.window;
  return Number.isInteger(window) && (window as number) >= 2 ? (window as number) : undefined;
}
