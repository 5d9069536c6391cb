/** `chrysalis preview`: the first training sequences as the model will see them. */

import { styleText } from "node:util";
import { frame } from "../epigenome/framings.ts";
import { encodeCorpus, packCorpus, piecesOfSequence } from "../epigenome/pack.ts";
import type { FramedDocument } from "../epigenome/pack.ts";
import { selectGenes } from "../epigenome/select.ts";
import { createStream } from "../epigenome/stream.ts";
import { UserError } from "../errors.ts";
import { dietFlags, openDiet } from "./diet.ts";
import { formatCount, formatMany, oneLine } from "./format.ts";
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
      const names: string[] = [];
      const documents = async function* (): AsyncGenerator<FramedDocument> {
        for (const { gene, dose, copies } of expressed) {
          signal.throwIfAborted();
          const text = await genome.text(gene);
          for (let copy = 0; copy < copies; copy++) {
            // A document without tokens leaves no trace in the corpus.
            if (tokenizer.encodeContent(text).length > 0) names.push(`${gene.repository}/${gene.path}`);
            yield { stretches: frame(gene, text, { ...dose, seed: options.seed, copy }) };
          }
        }
      };
      const onProgress = (done: number): void => progress.update({ stage: "encoding", done, total: expressed.length });
      const corpus = await encodeCorpus(documents(), tokenizer, { onProgress });
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
        lines.push(runs.map(({ text, weight }) => (weight === 0 ? styleText("dim", safe(text)) : safe(text))).join(""));
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

/** Text of a repository must not steer the terminal. */
function safe(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is replaced
  return text.replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, "\uFFFD");
}
