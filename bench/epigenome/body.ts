/** The body that a proof trains: its files, its tokenizer and the values of the recipe that it gets. */

import { basename } from "node:path";
import { countTrainable } from "../../src/blueprint/estimate.ts";
import { loadBlueprint } from "../../src/blueprint/load.ts";
import { BYTES_PER_PARAMETER } from "../../src/blueprint/resolve-epigenome.ts";
import type { Blueprint } from "../../src/blueprint/schema.ts";
import { resolveLora } from "../../src/blueprint/workload.ts";
import type { LoraOptions } from "../../src/models/adapter.ts";
import type { ModelConfig } from "../../src/models/config.ts";
import { hashFiles, inspectBody } from "../../src/models/load.ts";
import { tokenizerOf } from "../../src/models/tokenizer-of.ts";
import { countParameters } from "../../src/models/weights.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";

/** What of a blueprint decides a training; the length is the bench's. */
export interface Recipe {
  readonly name: string;
  /** Null: all weights are trained. */
  readonly lora: Omit<LoraOptions, "seed"> | null;
  readonly learningRate: number;
  readonly betas: readonly [number, number];
  readonly warmup: number;
  readonly decay: number;
  readonly clip: number;
  /** Where the recipe ends between parent (0) and what training left (1). */
  readonly blend: number;
  /** Part of the trained tokens that is replay. */
  readonly replay: number;
  /** Positions of a sequence. */
  readonly sequence: number;
  /** Sequences of an optimiser step. */
  readonly sequences: number;
  /** Sequences that are computed at once. */
  readonly microBatch: number;
}

export interface BenchBody {
  readonly path: string;
  /** For files and tables: "larva", or the start of a GGUF's name. */
  readonly name: string;
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly recipe: Recipe;
  /** Bytes of text that one pass of the default epigenome may hold. */
  readonly capacity: number;
  readonly trainable: number;
  /** Of the files that hold weights, read from them now. */
  sha256(): Promise<string>;
}

/** Below this size a body is trained whole (blueprints/small-body.yaml). */
const SMALL = 50e6;

/** Reads what is needed of a body; its weights are loaded anew for each training. */
export async function benchBody(path: string, recipeName?: string): Promise<BenchBody> {
  const { config, weightFiles } = await inspectBody(path);
  const { blueprint } = await loadBlueprint(
    recipeName ?? (countParameters(config) < SMALL ? "small-body" : "medium-body"),
  );
  const lora = resolveLora(blueprint).value ?? undefined;
  const { trainable } = countTrainable(config, { method: blueprint.method, lora });
  return {
    path,
    name: basename(path)
      .toLowerCase()
      .replace(/[-.](?:instruct|q\d|f16|gguf).*$/, ""),
    config,
    tokenizer: await tokenizerOf(path),
    recipe: recipeOf(blueprint, config),
    // The limit by weights: that by time would make the arms' texts depend on the length of the trainings.
    capacity: Math.round((blueprint.epigenome?.bytesPerParameter ?? BYTES_PER_PARAMETER) * trainable),
    trainable,
    sha256: () => hashFiles(weightFiles),
  };
}

/** The recipe's values, where it leaves one open those of planning. */
function recipeOf(blueprint: Blueprint, config: ModelConfig): Recipe {
  const { name, optimizer, schedule, batch } = blueprint;
  const lora = resolveLora(blueprint).value;
  const sequence = Math.min(batch?.sequence ?? 512, config.maxPositions);
  const sequences = Math.max(1, Math.round((batch?.tokens ?? 2048) / sequence));
  return {
    name,
    lora,
    learningRate: optimizer.learningRate,
    betas: optimizer.betas ?? [0.9, 0.95],
    warmup: schedule?.warmup ?? 0.05,
    decay: schedule?.decay ?? 0.4,
    clip: optimizer.clip ?? 1,
    blend: typeof blueprint.blend === "number" ? blueprint.blend : 1,
    replay: blueprint.replay ?? 0.05,
    sequence,
    sequences,
    // Larger bodies keep one sequence's activations at a time: as fast, and half of the memory.
    microBatch: countParameters(config) < SMALL ? sequences : 1,
  };
}
