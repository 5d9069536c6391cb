/** Writes what others load: a model as a Hugging Face folder, a LoRA adapter as a PEFT folder. Never overwrites. */

import { basename, join } from "node:path";
import { invariant } from "../errors.ts";
import { atomicFolder, atomicWrite, canonicalJson } from "../formats/files.ts";
import { writeSafetensors } from "../formats/safetensors.ts";
import type { TensorToWrite } from "../formats/safetensors.ts";
import type { WeightTensor } from "./body.ts";
import { bothSpellings, readModelConfig } from "./config.ts";

/** A matrix [rows, columns], row by row. */
export type Matrix = Pick<WeightTensor, "shape" | "data">;

export interface ModelFolder {
  /** config.json as read; the keys whose spelling changed in transformers 5 are written in both. */
  readonly configJson: Readonly<Record<string, unknown>>;
  /** Names as in the checkpoint; `data` may be a function that makes the values when their turn comes. */
  readonly weights: Iterable<Omit<TensorToWrite, "dtype">>;
  /** Type in which the weights are written, rounded to nearest even. */
  readonly dtype: "F32" | "F16" | "BF16";
  /** By file name: tokenizer.json, tokenizer_config.json, ... */
  readonly tokenizerFiles: ReadonlyMap<string, Uint8Array>;
  readonly generationConfig?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Writes a model folder that transformers 4 and 5 load: config.json, model.safetensors (one file),
 * generation_config.json if given, and the tokenizer's files. It appears whole or not at all.
 *
 * @throws UserError "exists" where `path` is there already, "disk"
 */
export async function writeModelFolder(path: string, model: ModelFolder): Promise<void> {
  const { _name_or_path: _, quantization_config: __, ...kept } = model.configJson;
  const config = { ...kept, ...bothSpellings(readModelConfig(model.configJson, path), model.dtype) };
  await atomicFolder(path, async (folder) => {
    for (const [name, bytes] of model.tokenizerFiles) {
      invariant(basename(name) === name && !RESERVED.has(name), `"${name}" is no name for a tokenizer's file`);
      await atomicWrite(join(folder, name), bytes);
    }
    await atomicWrite(join(folder, "config.json"), canonicalJson(config));
    if (model.generationConfig !== undefined) {
      await atomicWrite(join(folder, "generation_config.json"), canonicalJson(model.generationConfig));
    }
    const tensors = Array.from(model.weights, (weight) => ({ ...weight, dtype: model.dtype }));
    await writeSafetensors(join(folder, "model.safetensors"), tensors, { metadata: { format: "pt" } });
  });
}

const RESERVED: ReadonlySet<string> = new Set(["config.json", "generation_config.json", "model.safetensors"]);

export interface PeftAdapter {
  /** What `base_model_name_or_path` says: a folder or hub id. */
  readonly baseModel: string;
  /** "<weight's name without .weight>.lora_A.weight" [rank, in] and "....lora_B.weight" [out, rank]. */
  readonly tensors: Iterable<WeightTensor>;
  readonly rank: number;
  readonly alpha: number;
  /** Module names: q_proj, ... */
  readonly targetModules: readonly string[];
  /** Scale alpha / sqrt(rank) instead of alpha / rank; false where left out. */
  readonly rslora?: boolean;
}

/**
 * Writes an adapter folder that PEFT loads: adapter_config.json and adapter_model.safetensors (f32).
 *
 * @throws UserError "exists" where `path` is there already, "disk"
 */
export async function writePeftAdapter(path: string, adapter: PeftAdapter): Promise<void> {
  const tensors = Array.from(adapter.tensors, ({ name, shape, data }): TensorToWrite => {
    const [, module] = /\.(\w+)\.lora_[AB]\.weight$/.exec(name) ?? [];
    invariant(module !== undefined && adapter.targetModules.includes(module), `"${name}" adapts no target module`);
    invariant(
      shape[name.endsWith("lora_A.weight") ? 0 : 1] === adapter.rank,
      `"${name}" is not of rank ${adapter.rank}`,
    );
    return { name: `base_model.model.${name}`, dtype: "F32", shape, data };
  });
  const config = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: adapter.baseModel,
    revision: null,
    inference_mode: true,
    r: adapter.rank,
    lora_alpha: adapter.alpha,
    use_rslora: adapter.rslora ?? false,
    target_modules: adapter.targetModules.toSorted(),
    modules_to_save: null,
    lora_dropout: 0,
    bias: "none",
    fan_in_fan_out: false,
    init_lora_weights: true,
    use_dora: false,
    rank_pattern: {},
    alpha_pattern: {},
    layers_to_transform: null,
    layers_pattern: null,
  };
  await atomicFolder(path, async (folder) => {
    await atomicWrite(join(folder, "adapter_config.json"), canonicalJson(config));
    await writeSafetensors(join(folder, "adapter_model.safetensors"), tensors, { metadata: { format: "pt" } });
  });
}

/**
 * A weight with its LoRA merged in: W + scale B A, in f32, as a new array; Hu et al. 2021, arXiv:2106.09685.
 *
 * @param weight [out, in]
 * @param a [rank, in]
 * @param b [out, rank]
 * @param scale alpha / rank, or alpha / sqrt(rank) for rsLoRA
 */
export function mergeLora(weight: Matrix, a: Matrix, b: Matrix, scale: number): Float32Array {
  const [out, width] = weight.shape as [number, number];
  const rank = a.shape[0]!;
  invariant(
    a.shape[1] === width && b.shape[0] === out && b.shape[1] === rank,
    `B [${b.shape.join(", ")}] times A [${a.shape.join(", ")}] does not fit a weight [${weight.shape.join(", ")}]`,
  );
  const merged = new Float32Array(weight.data.length);
  const sum = new Float64Array(width);
  for (let row = 0; row < out; row += 1) {
    sum.fill(0);
    for (let k = 0; k < rank; k += 1) {
      const factor = scale * b.data[row * rank + k]!;
      const from = k * width;
      for (let column = 0; column < width; column += 1) sum[column]! += factor * a.data[from + column]!;
    }
    const from = row * width;
    for (let column = 0; column < width; column += 1) {
      merged[from + column] = weight.data[from + column]! + sum[column]!;
    }
  }
  return merged;
}
