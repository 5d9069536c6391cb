/** Builds a tokenizer from the metadata of a GGUF file: byte-level BPE only. */

import { inspect } from "node:util";
import { UserError } from "../errors.ts";
import { ggufPreTokenizers } from "./pre-tokenizers.ts";
import { tokenizerFiles, writeTokenizerJson } from "./tokenizer-files.ts";
import type { AddedToken } from "./tokenizer-files.ts";
import { makeTokenizer } from "./tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";

const typeControl = 3;
const typeUserDefined = 4;

/**
 * The tokenizer that `tokenizer.ggml.*` describes, with Hugging Face files to carry it over to exports. Control tokens become
 * special tokens, user-defined ones added tokens. The reference for its ids is llama.cpp: so there is no normalizer, also
 * where the original has one (Qwen's NFC).
 *
 * @param file.path is named in errors
 * @throws UserError("unsupported") naming another kind of tokenizer or an unknown pre-tokenizer, ("damaged") where the
 *   metadata contradict themselves.
 */
export function tokenizerFromGguf(file: {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, unknown>;
}): Tokenizer {
  const { path, metadata } = file;
  const model = metadata.get("tokenizer.ggml.model");
  if (model !== "gpt2") {
    throw new UserError("unsupported", `${path} has a tokenizer of kind ${JSON.stringify(model)}`, {
      hint: 'only byte-level BPE ("gpt2") is read from GGUF; use the model\'s Hugging Face folder instead',
    });
  }
  const name = metadata.get("tokenizer.ggml.pre") ?? "default";
  const preTokenizer = typeof name === "string" ? ggufPreTokenizers.get(name) : undefined;
  if (preTokenizer === undefined) {
    throw new UserError("unsupported", `${path} names the pre-tokenizer ${JSON.stringify(name)}, which is not known`, {
      hint: `known are ${[...ggufPreTokenizers.keys()].join(", ")}; or use the model's Hugging Face folder`,
    });
  }

  const damaged = (what: string): UserError =>
    new UserError("damaged", `${path}: ${what}`, { hint: "fetch the file again" });
  const strings = (key: string): string[] => {
    const value = metadata.get(key);
    if (!Array.isArray(value)) throw damaged(`${key} is missing`);
    return value.map((item: unknown) => {
      if (typeof item === "string") return item;
      throw damaged(`${key} holds something that is not text`);
    });
  };
  const tokens = strings("tokenizer.ggml.tokens");
  const ids = new Map(tokens.map((token, id) => [token, id]));
  if (ids.size !== tokens.length) throw damaged("tokenizer.ggml.tokens names a token twice");
  const merges = strings("tokenizer.ggml.merges");
  for (const merge of merges) {
    const space = merge.indexOf(" ", 1);
    const left = merge.slice(0, space);
    const right = merge.slice(space + 1);
    if (space < 0 || ![left, right, left + right].every((part) => ids.has(part))) {
      throw damaged(`tokenizer.ggml.merges has ${JSON.stringify(merge)}, which makes no token of two others`);
    }
  }
  const types = metadata.get("tokenizer.ggml.token_type") ?? [];
  if (!Array.isArray(types) || (types.length > 0 && types.length !== tokens.length)) {
    throw damaged("tokenizer.ggml.token_type does not say one type for each token");
  }
  const added: AddedToken[] = tokens.flatMap((content, id) =>
    types[id] === typeControl || types[id] === typeUserDefined
      ? [{ id, content, special: types[id] === typeControl }]
      : [],
  );

  const tokenAt = (key: string): AddedToken | undefined => {
    const id = metadata.get(`tokenizer.ggml.${key}_token_id`);
    if (id === undefined) return undefined;
    const content = typeof id === "number" ? tokens[id] : undefined;
    if (typeof id !== "number" || content === undefined) {
      throw damaged(`tokenizer.ggml.${key}_token_id is ${inspect(id)}, which is no token`);
    }
    return { id, content, special: true };
  };
  const bos = tokenAt("bos");
  const eos = tokenAt("eos");
  // Beginning and end are special tokens, also in a file that gives no types.
  for (const token of [bos, eos]) {
    if (token !== undefined && !added.some(({ id }) => id === token.id)) added.push(token);
  }
  const addBos = (metadata.get("tokenizer.ggml.add_bos_token") ?? preTokenizer.addBos) === true && bos !== undefined;
  const template = metadata.get("tokenizer.chat_template");
  const json = writeTokenizerJson({
    tokens,
    merges,
    added,
    patterns: preTokenizer.patterns,
    ignoreMerges: preTokenizer.ignoreMerges,
    bos: addBos ? bos : undefined,
  });
  const files = tokenizerFiles(json, {
    bos: bos?.content,
    eos: eos?.content,
    pad: tokenAt("padding")?.content,
    unknown: tokenAt("unknown")?.content,
    addBos,
    chatTemplate: typeof template === "string" ? template : undefined,
  });
  const endIds = [eos, tokenAt("eot"), tokenAt("eom")].filter((token) => token !== undefined).map(({ id }) => id);
  return makeTokenizer(files, { endIds, where: path });
}
