/** `chrysalis preview`: the first training sequences as the model will see them. */

import { styleText } from "node:util";
import { framedDocuments } from "../epigenome/framed-documents.ts";
import { encodeCorpus, packCorpus, piecesOfSequence } from "../epigenome/pack.ts";
import { selectGenes } from "../epigenome/select.ts";
import { createStream } from "../epigenome/stream.ts";
import { UserError } from "../errors.ts";
import { dietFlags, openDiet } from "./diet.ts";
import { formatCount, formatMany, harmless, oneLine } from "./format.ts";
import { defineVerb } from "./verb.ts";

const DEFAULT_SEQUENCES = 3;

interface Run {
  readonly text: string;
  /** In the loss; 0 is context that is not trained. */
  readonly weight: number;
}

export const preview = defineVerb({
  name: "preview",
  summary: "Show the first training sequences as the model will see them",
  usage: "--genome DIR [--model MODEL] [--sequences N]",
  positionals: [],
  flags: {
    ...dietFlags,
    sequences: {
      kind: "number",
      value: "N",
      integer: true,
      min: 1,
      max: 1000,
      default: DEFAULT_SEQUENCES,
      help: "How many",
    },
  },
  examples: [
    { command: "chrysalis preview --genome nest/genome", does: "what the larva reads first of a run's genome" },
    {
      command: "chrysalis preview --genome genome --blueprint recipe.yaml --sequences 1 --json",
      does: "under a recipe of your own, for a program to read",
    },
  ],
  async run(input, { cwd, signal, progress }) {
    const { genome, tokenizer, recipe, sequence: T, options } = await openDiet(input, cwd);
    try {
      const { expressed } = selectGenes(genome.genes, options);
      const read = expressed.flatMap(({ gene, copies }) =>
        Array.from({ length: copies }, () => `${gene.repository}/${gene.path}`),
      );
      const names: string[] = [];
      let before = 0;
      const onProgress = (done: number, tokens: number): void => {
        // A document without tokens leaves no trace in the corpus.
        if (tokens > before) names.push(read[done - 1]!);
        before = tokens;
        progress.update({ stage: "encoding", done, total: read.length });
      };
      const documents = framedDocuments(genome, expressed, { seed: options.seed, signal });
      const corpus = await encodeCorpus(documents, tokenizer, { onProgress });
      const packed = packCorpus(corpus, T);
      const stream = createStream(packed, { B: 1, microBatches: 1, seed: options.seed });
      if (stream.sequences === 0) throw new UserError("empty", "the expressed files hold no token");
      progress.finish([formatMany(stream.sequences, "sequence")]);
      const sequences = Array.from({ length: Math.min(input.flags.sequences, stream.sequences) }, (_, slot) => {
        const pieces = piecesOfSequence(packed, stream.sequenceAt(slot).sequence).map((piece) => ({
          file: names[piece.document]!,
          from: piece.from,
          tokens: piece.targets.length,
          endsDocument: piece.targets.at(-1) === corpus.separator,
          runs: runsOf(piece, (ids) => tokenizer.decode(ids)),
        }));
        return { tokens: pieces.reduce((sum, { tokens }) => sum + tokens, 0), pieces };
      });
      return { recipe, positions: T, of: stream.sequences, sequences };
    } finally {
      await genome.close();
    }
  },
  human({ recipe, positions, of, sequences }) {
    const lines = [
      `${recipe}: the first ${formatCount(sequences.length)} of ${formatMany(of, "sequence")} of ${positions} positions`,
    ];
    for (const [i, { tokens, pieces }] of sequences.entries()) {
      lines.push(
        "",
        styleText(
          "bold",
          `== sequence ${i + 1}: ${formatMany(tokens, "token")}, ${formatMany(pieces.length, "document")}`,
        ),
      );
      for (const { file, from, tokens: count, runs } of pieces) {
        const place = from === 0 ? "from its beginning" : `from token ${formatCount(from)}`;
        lines.push(styleText("cyan", `-- ${oneLine(file, 200)}, ${formatMany(count, "token")} ${place}`));
        const shown = runs.map(({ text, weight }) => {
          const safe = harmless(text, "\uFFFD");
          return weight === 0 ? styleText("dim", safe) : safe;
        });
        lines.push(shown.join(""));
      }
    }
    return lines.join("\n");
  },
});

/** Neighbouring tokens of one weight, decoded together so that no character is torn. */
function runsOf(
  { targets, weights }: { targets: readonly number[]; weights: readonly number[] },
  decode: (ids: readonly number[]) => string,
): Run[] {
  const runs: Run[] = [];
  for (let from = 0; from < targets.length;) {
    let to = from + 1;
    while (to < targets.length && weights[to] === weights[from]) to++;
    runs.push({ text: decode(targets.slice(from, to)), weight: weights[from]! });
    from = to;
  }
  return runs;
}
