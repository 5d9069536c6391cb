/** The tokenizer that belongs to a model: of its Hugging Face folder, or of its GGUF file. */

import { openGguf } from "../formats/gguf.ts";
import { tokenizerFromGguf } from "../tokenizer/from-gguf.ts";
import { checkTokenizer, loadTokenizer } from "../tokenizer/tokenizer.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { inspectBody } from "./load.ts";

/**
 * The tokenizer of a model, checked against the model's configuration; no weight is read.
 *
 * @throws UserError "not-found", "damaged", "unsupported" or "mismatch"
 */
export async function tokenizerOf(path: string): Promise<Tokenizer> {
  const { kind, config } = await inspectBody(path);
  const tokenizer = kind === "folder" ? await loadTokenizer(path) : await ofGguf(path);
  checkTokenizer(tokenizer, config.vocabularySize);
  return tokenizer;
}

async function ofGguf(path: string): Promise<Tokenizer> {
  const file = await openGguf(path);
  try {
    return tokenizerFromGguf(file);
  } finally {
    await file.close();
  }
}
