/** Writes the finished model where it is measured: a Hugging Face folder, and its adapter in PEFT format within. */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { LoraOptions } from "../models/adapter.ts";
import type { Body, WeightTensor } from "../models/body.ts";
import { writeModelFolder, writePeftAdapter } from "../models/save.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

/** Part of the gain that rounding on export may cost before the export stays in f32. */
export const ROUNDING_LIMIT = 0.02;

/** What `--merge-dtype` may say; `parent` is the type that the parent's file has, f32 for a quantised one. */
export const MERGE_DTYPES = ["parent", "f32", "bf16"] as const;
export type MergeDtype = (typeof MERGE_DTYPES)[number];

export function exportType(wanted: MergeDtype, parent: Body["dtype"]): Body["dtype"] {
  return wanted === "parent" ? parent : wanted === "f32" ? "F32" : "BF16";
}

export interface Rounding {
  /** Held-out bits per byte of the weights as trained, and as exported. */
  readonly trained: number;
  readonly exported: number;
  /** Part of the gain that rounding cost; null where there was no gain. */
  readonly lost: number | null;
}

/** Compares weights as trained with their rounded export, by held-out bits per byte. */
export function judgeRounding(before: number, trained: number, exported: number): Rounding {
  const gain = before - trained;
  return { trained, exported, lost: gain > 0 ? (exported - trained) / gain : null };
}

export interface AdapterExport {
  /** As trained: A and B of every adapted module. */
  readonly tensors: readonly WeightTensor[];
  readonly lora: LoraOptions;
  /** Folder of the parent that the adapter belongs to. */
  readonly parent: string;
}

/** Writes `folder`, in place of what an interrupted export left there. */
export async function writeImago(
  folder: string,
  model: {
    readonly configJson: Readonly<Record<string, unknown>>;
    readonly weights: ReadonlyMap<string, WeightTensor>;
    readonly generationConfig: Readonly<Record<string, unknown>> | undefined;
    readonly tokenizer: Pick<Tokenizer, "files">;
    readonly dtype: Body["dtype"];
    readonly adapter: AdapterExport | undefined;
  },
): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await writeModelFolder(folder, {
    configJson: model.configJson,
    weights: model.weights.values(),
    dtype: model.dtype,
    tokenizerFiles: model.tokenizer.files,
    generationConfig: model.generationConfig,
  });
  if (model.adapter === undefined) return;
  const { tensors, lora, parent } = model.adapter;
  await writePeftAdapter(join(folder, "adapter"), {
    baseModel: parent,
    tensors,
    rank: lora.rank,
    alpha: lora.alpha,
    targetModules: lora.targets,
    rslora: lora.rslora ?? false,
  });
}
