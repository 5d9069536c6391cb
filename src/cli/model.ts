/** Opens what a user names as a model: a Hugging Face folder or a GGUF file, with its tokenizer. */

import { totalmem } from "node:os";
import { UserError } from "../errors.ts";
import type { Body } from "../models/body.ts";
import type { ModelConfig } from "../models/config.ts";
import { loadBody } from "../models/load.ts";
import { tokenizerOf } from "../models/tokenizer-of.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { checkModelPath } from "./model-path.ts";

/**
 * Loads a model's weights and its tokenizer; what is wrong with either is found before a weight is read.
 *
 * @param path a folder with config.json and model.safetensors (or its index), or a .gguf file
 * @throws UserError "not-found", "damaged", "unsupported" or "mismatch"
 */
export async function openModel(path: string): Promise<{ readonly body: Body; readonly tokenizer: Tokenizer }> {
  const tokenizer = await openTokenizer(path);
  return { body: await loadBody(path), tokenizer };
}

/** The tokenizer of what a user names as a model. */
export async function openTokenizer(path: string): Promise<Tokenizer> {
  checkModelPath(path);
  return tokenizerOf(path);
}

/**
 * Refuses a pass over `B` x `T` positions whose attention alone would not fit into the machine's memory.
 *
 * @throws UserError "memory"
 */
export function checkAttentionMemory(config: ModelConfig, B: number, T: number): void {
  // Scores and their softmax for every head, and the mask; in f32.
  const bytes = 4 * B * T * T * (2 * config.heads + 1);
  if (bytes <= totalmem()) return;
  const gigabytes = (value: number): string => (value / 1e9).toFixed(1);
  throw new UserError(
    "memory",
    `${T} positions at once need ${gigabytes(bytes)} GB for attention, the machine has ${gigabytes(totalmem())} GB`,
    { hint: "give fewer at once" },
  );
}
