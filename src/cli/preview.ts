/** `chrysalis preview`: the first training sequences as the model will see them. */

import { styleText } from "node:util";
import { resolveOrder } from "../blueprint/resolve-order.ts";
import { resolveStages } from "../blueprint/resolve-stages.ts";
import { asksIn } from "../epigenome/framed-documents.ts";
import { measuresOf } from "../epigenome/order.ts";
import { packCorpus } from "../epigenome/pack.ts";
import { piecesOfSequence } from "../epigenome/pieces.ts";
import { selectGenes } from "../epigenome/select.ts";
import { createStream } from "../epigenome/stream.ts";
import { dietFlags, openDiet } from "./diet.ts";
import { formatCount, formatMany, harmless, oneLine } from "./format.ts";
import { dataLines, dataSummaries } from "./pipeline/own-data.ts";
import { encodeStages } from "./pipeline/stage-corpora.ts";
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
  usage: "[--genome DIR] [--data FILE|DIR] [--model MODEL] [--sequences N]",
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
    {
      command: "chrysalis preview --data chats.jsonl --model path/to/SmolLM2-135M-Instruct",
      does: "dialogues of your own in a model's chat template, what is not trained greyed",
    },
  ],
  async run(input, { cwd, signal, progress }) {
    const {
      genome,
      data,
      tokenizer,
      recipe,
      blueprint,
      sequence: T,
      options,
    } = await openDiet(input, { cwd, progress });
    try {
      const { expressed } = selectGenes(genome.genes, options);
      const order = resolveOrder(blueprint).value;
      const encoded = await encodeStages(genome, expressed, {
        stages: resolveStages(blueprint, (stage) => asksIn(expressed, stage)).value,
        seed: options.seed,
        sequence: T,
        order,
        tokenizer,
        onEncoding: (done, total) => progress.update({ stage: "encoding", done, total }),
        signal,
      });
      const shown = encoded.map(({ name: stage, objective, corpus, genes }) => {
        const packed = packCorpus(corpus, T);
        const stream = createStream(packed, { B: 1, microBatches: 1, seed: options.seed });
        const sequences = Array.from({ length: Math.min(input.flags.sequences, stream.sequences) }, (_, slot) => {
          const pieces = piecesOfSequence(packed, stream.sequenceAt(slot).sequence).map((piece) => {
            const { gene, dose } = genes[piece.document]!;
            return {
              file: `${gene.repository}/${gene.path}`,
              framing: dose.framing,
              from: piece.from,
              tokens: piece.targets.length,
              endsDocument: piece.targets.at(-1) === corpus.separator,
              runs: runsOf(piece, (ids) => tokenizer.decode(ids)),
            };
          });
          return { stage, objective, tokens: pieces.reduce((sum, { tokens }) => sum + tokens, 0), pieces };
        });
        return { of: stream.sequences, sequences };
      });
      const of = shown.reduce((sum, stage) => sum + stage.of, 0);
      progress.finish([formatMany(of, "sequence")]);
      const sequences = shown.flatMap((stage) => stage.sequences);
      // What the parent makes of the text is not measured for a look at it.
      const unordered = measuresOf(order).length > 0;
      return { recipe, positions: T, of, unordered, data: dataSummaries(data), sequences };
    } finally {
      await genome.close();
    }
  },
  human({ recipe, positions, of, unordered, data, sequences }) {
    const stages = Map.groupBy(sequences, ({ stage }) => stage);
    return [
      `${recipe}: ${formatMany(of, "sequence")} of ${positions} positions; the first of ${stages.size === 1 ? "these" : "each stage"}`,
      ...(unordered ? ["shuffled: the order of the recipe goes by what a run measures first"] : []),
      ...dataLines(data),
      ...[...stages].flatMap(([stage, own]) => [
        ...(stages.size === 1 ? [] : ["", styleText("bold", `stage ${stage}, ${own[0]!.objective}`)]),
        ...own.flatMap(linesOfSequence),
      ]),
    ].join("\n");
  },
});

interface Sequence {
  readonly tokens: number;
  readonly pieces: readonly {
    readonly file: string;
    readonly framing: string;
    readonly from: number;
    readonly tokens: number;
    readonly runs: readonly Run[];
  }[];
}

function linesOfSequence({ tokens, pieces }: Sequence, index: number): string[] {
  const title = `== sequence ${index + 1}: ${formatMany(tokens, "token")}, ${formatMany(pieces.length, "document")}`;
  const lines = ["", styleText("bold", title)];
  for (const { file, framing, from, tokens: count, runs } of pieces) {
    const place = from === 0 ? "from its beginning" : `from token ${formatCount(from)}`;
    const framed = framing === "text" ? "" : `, ${framing}`;
    lines.push(styleText("cyan", `-- ${oneLine(file, 200)}, ${formatMany(count, "token")} ${place}${framed}`));
    const shown = runs.map(({ text, weight }) => {
      const safe = harmless(text, "\uFFFD");
      return weight === 0 ? styleText("dim", safe) : safe;
    });
    lines.push(shown.join(""));
  }
  return lines;
}

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
