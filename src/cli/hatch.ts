/** `chrysalis hatch`: a tokenizer and a small base model from scratch, from text alone. */

import { readdir } from "node:fs/promises";
import { hatch as hatchModel } from "../chrysalis/hatch.ts";
import { UserError } from "../errors.ts";
import { asUserError } from "../formats/files.ts";
import { packageVersion } from "../formats/package-root.ts";
import { COMMAND } from "./command-name.ts";
import { usageError } from "./flags.ts";
import { formatDuration, formatFigure, formatMany } from "./format.ts";
import { showHatching } from "./pipeline/show-stages.ts";
import { defineVerb } from "./verb.ts";

const DEFAULT_MINUTES = 60;

export const hatch = defineVerb({
  name: "hatch",
  summary: "Train a tokenizer and a small base model from scratch, from text alone",
  usage: "--text FILE --out DIR [--minutes M | --steps N] [FLAGS]",
  positionals: [],
  flags: {
    text: {
      kind: "text",
      value: "FILE",
      required: true,
      help: "Text, .jsonl or .jsonl.gz with one document per line in `text`",
    },
    out: { kind: "text", value: "DIR", required: true, help: "Folder of the run; the model will be DIR/model" },
    split: { kind: "text", value: "NAME", help: "Train only on lines whose `split` is NAME, the tokenizer too" },
    heldoutSplit: { kind: "text", value: "NAME", help: "Measure bits per byte on lines whose `split` is NAME" },
    minutes: { kind: "number", value: "M", above: 0, help: `Length of the training (default ${DEFAULT_MINUTES})` },
    steps: {
      kind: "number",
      value: "N",
      integer: true,
      min: 1,
      help: "Length of the training in steps, instead of minutes",
    },
    vocabulary: {
      kind: "number",
      value: "N",
      integer: true,
      min: 257,
      max: 1 << 20,
      default: 4096,
      help: "Tokens of the vocabulary",
    },
    hidden: { kind: "number", value: "N", integer: true, min: 2, default: 256, help: "Width of the model" },
    intermediate: { kind: "number", value: "N", integer: true, min: 1, default: 704, help: "Width inside its MLPs" },
    layers: { kind: "number", value: "N", integer: true, min: 1, default: 4, help: "Layers" },
    heads: { kind: "number", value: "N", integer: true, min: 1, default: 4, help: "Attention heads" },
    kvHeads: { kind: "number", value: "N", integer: true, min: 1, default: 2, help: "Key-value heads" },
    context: { kind: "number", value: "N", integer: true, min: 2, default: 512, help: "Positions of a sequence" },
    optimizer: {
      kind: "choice",
      choices: ["muon", "adamw"],
      default: "muon",
      help: "Optimiser; muon updates the matrices, the rest is AdamW's",
    },
    learningRate: { kind: "number", value: "X", above: 0, default: 3e-3, help: "Learning rate after the warm-up" },
    weightDecay: { kind: "number", value: "X", min: 0, default: 0.1, help: "Decoupled weight decay" },
    decay: {
      kind: "number",
      value: "X",
      min: 0,
      max: 1,
      default: 0.4,
      help: "Last part of the training, in which the learning rate falls",
    },
    batchTokens: { kind: "number", value: "N", integer: true, min: 1, default: 4096, help: "Tokens of a step" },
    sequences: {
      kind: "number",
      value: "N",
      integer: true,
      min: 1,
      default: 4,
      help: "Sequences that go through the model at once",
    },
    threads: { kind: "number", value: "N", integer: true, min: 1, help: "Threads (default: all the machine has)" },
    seed: {
      kind: "number",
      value: "N",
      integer: true,
      min: 0,
      max: 2 ** 32 - 1,
      default: 0,
      help: "Seed of every random choice",
    },
    resume: { kind: "switch", help: "Go on with the run in DIR; give the other flags as before" },
  },
  examples: [
    { command: "chrysalis hatch --text notes.txt --out hatchling --minutes 30", does: "half an hour on one text" },
    {
      command:
        "chrysalis hatch --text general.jsonl.gz --split train --heldout-split heldout --out hatchling --steps 3000",
      does: "only lines of one split, measured on another",
    },
    { command: "chrysalis hatch --text notes.txt --out hatchling --minutes 30 --resume", does: "go on after Ctrl-C" },
  ],
  async run({ flags }, { signal, progress }) {
    if (flags.minutes !== undefined && flags.steps !== undefined) {
      throw usageError("--minutes and --steps are both given", "give one of them");
    }
    await checkOut(flags.out, flags.resume);
    const show = showHatching(progress, flags.vocabulary);
    const result = await hatchModel({
      text: flags.text,
      split: flags.split,
      heldOutSplit: flags.heldoutSplit,
      shape: {
        vocabulary: flags.vocabulary,
        hidden: flags.hidden,
        intermediate: flags.intermediate,
        layers: flags.layers,
        heads: flags.heads,
        keyValueHeads: flags.kvHeads,
        context: flags.context,
      },
      optimiser: flags.optimizer,
      learningRate: flags.learningRate,
      weightDecay: flags.weightDecay,
      batchTokens: flags.batchTokens,
      sequencesPerPass: flags.sequences,
      decay: flags.decay,
      budget: flags.steps === undefined ? { minutes: flags.minutes ?? DEFAULT_MINUTES } : { steps: flags.steps },
      seed: flags.seed,
      threads: flags.threads,
      out: flags.out,
      resume: flags.resume,
      version: packageVersion(),
      onEvent: (event) => {
        // Training stops by itself, with a checkpoint; what comes before and after it stops here.
        if (signal.aborted && ["tokenizer", "encoding", "measuring"].includes(event.type)) throw interrupted();
        show(event);
      },
      signal,
    });
    const { model, parameters, training, heldOut } = result;
    const { steps, tokens, tokensPerSecond, seconds, evaluations } = training;
    return { model, parameters, steps, tokens, tokensPerSecond, seconds, heldOut, evaluations };
  },
  human: ({ model, parameters, steps, tokens, seconds, heldOut }) =>
    [
      `A model of ${formatMany(parameters, "parameter")} is in ${model}.`,
      `It was trained on ${formatMany(tokens, "token")}, ${formatMany(steps, "step")}, in ${formatDuration(seconds)}.`,
      ...(heldOut === undefined ? [] : [`Held-out text: ${formatFigure(heldOut.bitsPerByte)} bits per byte.`]),
      `Talk to it: ${COMMAND} chat ${model}`,
    ].join("\n"),
});

function interrupted(): UserError {
  return new UserError("interrupted", "hatching was interrupted", {
    hint: "nothing is lost; go on with the same command and --resume",
  });
}

/** Finds a folder in use before the text is read. */
async function checkOut(out: string, resume: boolean): Promise<void> {
  let names: string[] = [];
  try {
    names = await readdir(out);
  } catch (error) {
    const known = asUserError(error, out);
    if (!(known instanceof UserError) || known.code !== "not-found") throw known;
  }
  if (names.includes("model")) {
    throw new UserError("exists", `${out} already holds a finished model`, {
      hint: "choose another folder with --out",
    });
  }
  if (names.length > 0 && !resume) {
    throw new UserError("exists", `${out} already holds a run or other files`, {
      hint: "go on with it by --resume, or choose another folder with --out",
    });
  }
}
