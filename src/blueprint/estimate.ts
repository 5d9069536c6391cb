/** What a run will need, from the shapes alone: memory, disk, operations per token. Predictions, to be compared later. */
import { UserError } from "../errors.ts";
import type { ModelConfig } from "../models/config.ts";
import { type ModuleRule, rateOf } from "../models/module-marks.ts";
import { countParameters, estimateLoadedBytes, expectedWeights } from "../models/weights.ts";
import type { Machine } from "./machine.ts";

export interface EstimateOptions {
  readonly method: "full" | "lora";
  readonly lora: { readonly rank: number; readonly targets: readonly string[] } | undefined;
  /** Marks on modules: what they freeze is not trained. Default none. */
  readonly modules?: readonly ModuleRule[] | undefined;
  readonly optimizer: "adamw" | "muon";
  /** Sequences of a micro-batch. */
  readonly B: number;
  /** Positions of a sequence. */
  readonly T: number;
  /** Ids of all texts together. */
  readonly corpusTokens: number;
  /** Bytes of genome.txt. */
  readonly genomeBytes: number;
  /** Whether the parent is written to the nest as a folder of its own. */
  readonly copiesParent: boolean;
  /** Whether the best checkpoint inside a budget is kept beside the best of all. */
  readonly keepsTwo?: boolean;
  /** Whether gradients of single sequences are compared with two of the retention text. */
  readonly probesGradients?: boolean;
}

export interface Estimate {
  readonly parameters: number;
  readonly trainable: number;
  /** Of the forward, backward and weight-gradient products of a trained token; recomputation is not counted. */
  readonly flopsPerToken: number;
  /** Of a scored token. */
  readonly flopsPerScoredToken: number;
  readonly memoryBytes: number;
  /** What `memoryBytes` is made of. */
  readonly memory: {
    readonly process: number;
    readonly weights: number;
    readonly gradients: number;
    readonly moments: number;
    readonly activations: number;
    readonly texts: number;
  };
  readonly diskBytes: number;
}

/** Node, the runtime, a tokenizer's tables, before any weight. */
const PROCESS_BYTES = 260e6;
/** What allocators hold beyond the tensors that live at once. */
const FRAGMENTATION = 1.25;
/** Checkpoints on the disk at the same time: the last, the best, and the one being written. */
const CHECKPOINTS = 3;
/** Elements of the logits that exist at once. */
const LOGITS = 6 << 20;

/** Predicts the needs of training a body. */
export function estimate(config: ModelConfig, options: EstimateOptions): Estimate {
  const parameters = countParameters(config);
  const { trainable, matrices } = countTrainable(config, options);
  const loaded = estimateLoadedBytes(config);
  const moments = options.optimizer === "muon" ? 4 * matrices + 8 * (trainable - matrices) : 8 * trainable;
  // A step of one sequence stands beside that of the training.
  const beside = options.probesGradients === true && options.B > 1;
  const activations = activationBytes(config, options) + (beside ? activationBytes(config, { ...options, B: 1 }) : 0);
  const memory = {
    process: PROCESS_BYTES,
    weights: loaded + (options.method === "lora" ? 4 * trainable : 0),
    gradients: 4 * trainable * (1 + (options.probesGradients === true ? 2 : 0) + (beside ? 1 : 0)),
    moments,
    activations: Math.round(FRAGMENTATION * activations),
    texts: 4 * options.corpusTokens + 2 * options.genomeBytes,
  };
  const training = Object.values(memory).reduce((sum, bytes) => sum + bytes, 0);
  // At the end the trained weights stand beside those of the export that is opened again.
  const exporting = PROCESS_BYTES + memory.weights + loaded + memory.activations;
  // What is frozen stands in a checkpoint, without moments.
  const checkpoint = 4 * countTrainable(config, { ...options, modules: [] }).trainable + moments;
  const copies = options.method === "lora" ? 4 * trainable : 0;
  return {
    parameters,
    trainable,
    flopsPerToken: flopsPerToken(config, options, trainable),
    flopsPerScoredToken: flopsPerToken(config, { ...options, method: "full" }, 0) / 3,
    memoryBytes: Math.max(training, exporting),
    memory,
    diskBytes:
      (CHECKPOINTS + (options.keepsTwo ? 1 : 0)) * checkpoint +
      4 * parameters +
      copies +
      (options.copiesParent ? 4 * parameters : 0) +
      3 * options.genomeBytes,
  };
}

/** How many parameters a method trains, and how many of them are those of matrices in the layers. */
export function countTrainable(
  config: ModelConfig,
  options: Pick<EstimateOptions, "method" | "lora" | "modules">,
): { trainable: number; matrices: number } {
  let trainable = 0;
  let matrices = 0;
  const rate = rateOf(options.modules ?? []);
  for (const [name, shape] of expectedWeights(config)) {
    if (rate(name) === 0) continue;
    const [rows, columns] = shape;
    const linear = name.startsWith("model.layers.") && columns !== undefined;
    if (options.method === "full") {
      const size = rows! * (columns ?? 1);
      trainable += size;
      if (linear) matrices += size;
    } else if (linear && options.lora?.targets.includes(name.split(".").at(-2)!)) {
      const size = options.lora.rank * (rows! + columns);
      trainable += size;
      matrices += size;
    }
  }
  return { trainable, matrices };
}

/** What every layer keeps for its backward pass, the working set of one, the head's chunk, and the rows between layers. */
function activationBytes(config: ModelConfig, { method, B, T }: EstimateOptions): number {
  const { hiddenSize: D, intermediateSize: I, heads, keyValueHeads, headSize, layers, vocabularySize: V } = config;
  const queries = heads * headSize;
  const keys = keyValueHeads * headSize;
  const ofLayer = B * T * (2 * D + 2 * queries + 2 * keys + 3 * I) + B * heads * T * T;
  const logits = Math.max(LOGITS, 64 * V);
  return 4 * ((layers + 3) * ofLayer + layers * B * T * D + 3 * logits + (method === "full" ? V * D : 0));
}

/** 4 operations per frozen and 6 per trained parameter of a product, and causal attention. */
function flopsPerToken(config: ModelConfig, options: Pick<EstimateOptions, "method" | "T">, trainable: number): number {
  const { layers, heads, headSize, vocabularySize, hiddenSize } = config;
  let linear = vocabularySize * hiddenSize;
  for (const [name, [rows, columns]] of expectedWeights(config)) {
    if (name.startsWith("model.layers.") && columns !== undefined) linear += rows! * columns;
  }
  const products = options.method === "full" ? 6 * linear : 4 * linear + 6 * trainable;
  return products + 6 * layers * options.T * heads * headSize;
}

/**
 * Refuses what the machine cannot hold, before any work.
 *
 * @throws UserError `memory` or `disk`, with what is needed, what there is, and what to change
 */
export function refuseUnfit(needs: Estimate, machine: Machine, where: string): void {
  if (needs.memoryBytes > machine.memoryBytes) {
    throw new UserError(
      "memory",
      `training needs about ${mebibytes(needs.memoryBytes)} of memory, ${mebibytes(machine.memoryBytes)} are available`,
      { hint: "take a smaller model, method: lora, or a shorter batch.sequence, or close other programs" },
    );
  }
  if (needs.diskBytes > machine.diskBytes) {
    throw new UserError(
      "disk",
      `the run needs about ${mebibytes(needs.diskBytes)} of disk, ${where} has ${mebibytes(machine.diskBytes)} free`,
      { hint: "free some space or choose another --out" },
    );
  }
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20).toLocaleString("en")} MiB`;
}
