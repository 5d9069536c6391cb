/** Hatching: a tokenizer and a small base model from scratch, from text alone, through the same loop as any training. */

import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import type { Document } from "../eval/bits-per-byte.ts";
import { scoreDocuments } from "../eval/bits-per-byte.ts";
import { packCorpus, encodeCorpus } from "../epigenome/pack.ts";
import type { TokenCorpus } from "../epigenome/pack.ts";
import { createStream } from "../epigenome/stream.ts";
import { atomicWrite, canonicalJson, sha256OfFile } from "../formats/files.ts";
import { readDocuments } from "../formats/jsonl.ts";
import { hash32 } from "../formats/random.ts";
import type { ModelConfig } from "../models/config.ts";
import { initialiseBody } from "../models/initialise.ts";
import { createNewtonSchulz } from "../models/newton-schulz.ts";
import { writeModelFolder } from "../models/save.ts";
import { compileStep } from "../models/step.ts";
import { tokenizerFiles } from "../tokenizer/tokenizer-files.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { makeTokenizer } from "../tokenizer/tokenizer.ts";
import { trainBpe } from "../tokenizer/train-bpe.ts";
import type { TrainEvent } from "./events.ts";
import { createAdamW } from "./optimisers/adamw.ts";
import { createMuon, NEWTON_SCHULZ } from "./optimisers/muon.ts";
import type { Budget } from "./pace.ts";
import { train } from "./train.ts";
import type { TrainResult } from "./train-options.ts";

export interface HatchShape {
  readonly vocabulary: number;
  readonly hidden: number;
  readonly intermediate: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  /** Positions of a sequence, in training and for the finished model. */
  readonly context: number;
}

export type HatchEvent =
  | { readonly type: "tokenizer"; readonly documents: number; readonly vocabulary: number }
  | { readonly type: "encoding"; readonly documents: number; readonly tokens: number }
  | { readonly type: "measuring"; readonly done: number; readonly total: number }
  | TrainEvent;

export interface HatchOptions {
  /** Text, .jsonl or .jsonl.gz. */
  readonly text: string;
  /** Only lines of this split are read, for the tokenizer too. */
  readonly split?: string | undefined;
  /** Lines of this split are measured, some during training and all of them at the end. */
  readonly heldOutSplit?: string | undefined;
  readonly shape: HatchShape;
  readonly optimiser: "adamw" | "muon";
  readonly learningRate: number;
  /** Decoupled. */
  readonly weightDecay: number;
  /** Tokens of an optimiser step, and sequences of one pass through the model. */
  readonly batchTokens: number;
  readonly sequencesPerPass: number;
  /** Part of the run in which the rate falls. */
  readonly decay: number;
  readonly budget: Budget;
  /** Measurements during training. Default 12. */
  readonly evaluations?: number;
  readonly seed: number;
  readonly threads?: number | undefined;
  readonly out: string;
  readonly resume: boolean;
  readonly version: string;
  readonly onEvent: (event: HatchEvent) => void;
  readonly signal?: AbortSignal;
}

export interface HatchResult {
  readonly model: string;
  readonly parameters: number;
  readonly training: TrainResult;
  /** On all of the held-out split, of the weights as trained (f32). */
  readonly heldOut: { readonly bitsPerByte: number; readonly bytes: number } | undefined;
}

const SEPARATOR = "<|endoftext|>";
/** Held-out text of the evaluations during training, in bytes. */
const SAMPLE_BYTES = 128 << 10;
const WARMUP_STEPS = 40;
const EVALUATIONS = 12;

/** The model's configuration; heads divide the width. */
export function hatchConfig(shape: HatchShape): ModelConfig {
  const headSize = shape.hidden / shape.heads;
  if (!Number.isInteger(headSize / 2) || shape.heads % shape.keyValueHeads !== 0) {
    throw new UserError(
      "invalid",
      `a width of ${shape.hidden} has no ${shape.heads} heads on ${shape.keyValueHeads} key-value heads`,
      {
        hint: "the width must be an even multiple of the heads, and these a multiple of the key-value heads",
      },
    );
  }
  return {
    modelType: "llama",
    vocabularySize: shape.vocabulary,
    hiddenSize: shape.hidden,
    intermediateSize: shape.intermediate,
    layers: shape.layers,
    heads: shape.heads,
    keyValueHeads: shape.keyValueHeads,
    headSize,
    normEpsilon: 1e-5,
    maxPositions: shape.context,
    tied: true,
    rope: { theta: 10_000, scaling: null },
    attentionBias: false,
    mlpBias: false,
  };
}

/**
 * Trains a byte-level BPE tokenizer and a Llama-shaped base from scratch, and writes `out`/model as a Hugging Face folder
 * in bf16. `out` also keeps the tokenizer, the encoded text and the run: with `resume` all of it is picked up.
 *
 * @throws UserError "exists", "mismatch", "diverged", "interrupted", "empty", "not-found", "invalid"
 */
export async function hatch(options: HatchOptions): Promise<HatchResult> {
  const { out, shape, seed, onEvent, text } = options;
  const config = hatchConfig(shape);
  await mkdir(out, { recursive: true });
  const textSha256 = await sha256OfFile(text);
  await pinInputs(options, textSha256);
  const tokenizer = await hatchTokenizer(options);
  const corpus = await hatchCorpus(options, tokenizer);
  const sample = options.heldOutSplit === undefined ? [] : await heldOutSample(options);

  const extra = { bos_token_id: tokenizer.separator, eos_token_id: tokenizer.separator };
  const body = initialiseBody(config, seed, extra);
  const T = shape.context;
  const B = options.sequencesPerPass;
  const microBatches = Math.max(1, Math.round(options.batchTokens / (B * T)));
  const threads = options.threads === undefined ? {} : { threads: options.threads };
  const step = await compileStep(body, { B, T, train: "full", ...threads });
  const solver = createNewtonSchulz({ ...NEWTON_SCHULZ, ...threads });
  const adam = { weightDecay: options.weightDecay };
  const optimiser =
    options.optimiser === "muon"
      ? createMuon(step.parameters, { ...adam, orthogonalise: solver.run })
      : createAdamW(step.parameters, adam);
  try {
    const training = await train({
      step,
      optimiser,
      stream: createStream(packCorpus(corpus, T), { B, microBatches, seed }),
      microBatches,
      schedule: { learningRate: options.learningRate, warmup: WARMUP_STEPS, decay: options.decay },
      clip: 1,
      budget: options.budget,
      dir: join(out, "chrysalis"),
      resume: options.resume,
      manifest: { tool: options.version, text: textSha256, split: options.split ?? null, shape: { ...shape }, seed },
      ...(sample.length > 0
        ? {
            evaluation: {
              times: options.evaluations ?? EVALUATIONS,
              evaluate: async () => ({ heldOut: (await scoreDocuments(step, tokenizer, sample)).bitsPerByte }),
            },
          }
        : {}),
      onEvent,
      ...(options.signal ? { signal: options.signal } : {}),
    });
    let heldOut: HatchResult["heldOut"];
    if (options.heldOutSplit !== undefined) {
      const documents = await Array.fromAsync(readDocuments(text, { split: options.heldOutSplit }));
      const onProgress = (done: number, total: number) => onEvent({ type: "measuring", done, total });
      const { bitsPerByte, bytes } = await scoreDocuments(step, tokenizer, documents, { onProgress });
      heldOut = { bitsPerByte, bytes };
    }
    const model = join(out, "model");
    await writeModelFolder(model, {
      configJson: body.configJson,
      weights: body.weights.values(),
      dtype: "BF16",
      tokenizerFiles: tokenizer.files,
      generationConfig: { ...extra, do_sample: true, temperature: 0.8, top_p: 0.95 },
    });
    const parameters = step.parameters.reduce((sum, { data }) => sum + data.length, 0);
    return { model, parameters, training, heldOut };
  } finally {
    await step.release();
    await solver.release();
  }
}

/** What the tokenizer and the encoded text depend on: they are made once and must fit whatever goes on with them. */
async function pinInputs({ out, shape, split }: HatchOptions, textSha256: string): Promise<void> {
  const path = join(out, "hatch.json");
  const inputs = canonicalJson({ text: textSha256, split: split ?? null, vocabulary: shape.vocabulary });
  if (!(await exists(path))) return atomicWrite(path, inputs);
  if ((await readFile(path, "utf8")) !== inputs) {
    throw new UserError("mismatch", `${out} was begun with another text, split or vocabulary`, {
      hint: "give those of its hatch.json, or another --out",
    });
  }
}

async function hatchTokenizer({ out, text, split, shape, onEvent }: HatchOptions): Promise<Tokenizer> {
  const path = join(out, "tokenizer.json");
  if (!(await exists(path))) {
    const selected = split === undefined ? {} : { split };
    let documents = 0;
    const texts = async function* (): AsyncGenerator<string> {
      for await (const document of readDocuments(text, selected)) {
        documents++;
        yield document.text;
      }
    };
    const report = (vocabulary: number) => onEvent({ type: "tokenizer", documents, vocabulary });
    const json = await trainBpe(texts(), {
      vocabularySize: shape.vocabulary,
      specialTokens: [SEPARATOR],
      onEvent: (event) => report(event.type === "merged" ? event.vocabulary : 0),
    });
    await atomicWrite(path, json);
  }
  const files = tokenizerFiles(await readFile(path, "utf8"), {
    bos: SEPARATOR,
    eos: SEPARATOR,
    pad: SEPARATOR,
    maximumLength: shape.context,
  });
  return makeTokenizer(files, { where: out });
}

/** The encoded text; kept in two raw little-endian files, since encoding takes minutes. */
async function hatchCorpus({ out, text, split, onEvent }: HatchOptions, tokenizer: Tokenizer): Promise<TokenCorpus> {
  const [idsPath, offsetsPath] = [join(out, "corpus.ids"), join(out, "corpus.offsets")];
  if (!(await exists(offsetsPath))) {
    const documents = readDocuments(text, split === undefined ? {} : { split });
    const corpus = await encodeCorpus(documents, tokenizer, {
      onProgress: (count, tokens) => onEvent({ type: "encoding", documents: count, tokens }),
    });
    await atomicWrite(idsPath, new Uint8Array(corpus.ids.buffer, corpus.ids.byteOffset, corpus.ids.byteLength));
    await atomicWrite(
      offsetsPath,
      new Uint8Array(corpus.offsets.buffer, corpus.offsets.byteOffset, corpus.offsets.byteLength),
    );
    return corpus;
  }
  const [ids, offsets] = await Promise.all([readFile(idsPath), readFile(offsetsPath)]);
  const Ids = tokenizer.vocabularySize <= 65536 ? Uint16Array : Int32Array;
  return {
    ids: new Ids(new Uint8Array(ids).buffer),
    offsets: new Uint32Array(new Uint8Array(offsets).buffer),
    separator: tokenizer.separator,
  };
}

/** Whole documents in an order of their own, until the sample is full; long ones are cut. */
async function heldOutSample({ text, heldOutSplit, seed }: HatchOptions): Promise<Document[]> {
  const documents = await Array.fromAsync(readDocuments(text, { split: heldOutSplit! }));
  const order = documents
    .map((document, i) => ({ document, key: hash32(seed, "hatch-sample", 0, i) }))
    .sort((a, b) => a.key - b.key);
  const sample: Document[] = [];
  let bytes = 0;
  for (const { document } of order) {
    if (bytes >= SAMPLE_BYTES) break;
    const cut = document.text.slice(0, 16_384);
    sample.push({ id: document.id, text: cut });
    bytes += Buffer.byteLength(cut);
  }
  return sample;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
