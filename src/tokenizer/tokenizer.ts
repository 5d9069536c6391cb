/** What everything else sees of a tokenizer, and how one is read from a Hugging Face folder. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Template } from "@huggingface/jinja";
import { UserError } from "../errors.ts";
import { bytesOfIds } from "./bytes-of-ids.ts";
import { createEncoder, withExactPreTokenizer } from "./encode.ts";
import type { Encoder } from "./encode.ts";
import { Tokenizer as LibraryTokenizer } from "./library.ts";
import type { Library } from "./library.ts";
import { createTextStream } from "./text-stream.ts";
import type { TextStream } from "./text-stream.ts";

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

/** A token that steers the model, as it is written in a text. */
export interface SpecialToken {
  readonly id: number;
  readonly content: string;
  /** Whether white space before or after it goes with it. */
  readonly takesBefore: boolean;
  readonly takesAfter: boolean;
}

export interface Tokenizer {
  /** Ids are smaller. */
  readonly vocabularySize: number;
  /** The family's document separator: what stands between documents, and ends one. */
  readonly separator: number;
  /** What the model was trained to find before every text; `undefined` where it was trained without. Never added here. */
  readonly bos: number | undefined;
  /** Ids that end a generation: the separator, the end tokens of the model's files, ends of a chat turn. */
  readonly stop: readonly number[];
  /** Ids of a text, no token added. Special tokens written in the text become special ids, as in the `tokenizers` library. */
  encode(text: string): number[];
  /** Ids of text that somebody else wrote: special tokens written in it are plain text and never steer the model. */
  encodeContent(text: string): number[];
  /** Text of ids. Default: special tokens are written out. */
  decode(ids: readonly number[], options?: { readonly skipSpecial?: boolean }): string;
  /** The tokens that `encode` finds in a text and `encodeContent` does not. */
  readonly specialTokens: readonly SpecialToken[];
  /**
   * UTF-8 bytes of the text that an id stands for, where the tokenizer is a byte-level one: those of the ids of a text join
   * to the text as the model reads it (normalised). Undefined for special tokens, and in other kinds of tokenizer for all.
   */
  bytesOf(id: number): Uint8Array | undefined;
  /** Id of a token by its name in the vocabulary. */
  idOf(token: string): number | undefined;
  /** The files of the Hugging Face folder by name, unchanged. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Jinja. */
  readonly chatTemplate: string | undefined;
  /** @throws UserError("unsupported") without a chat template, UserError("invalid") where the template refuses. */
  renderChat(messages: readonly ChatMessage[], options: { readonly addGenerationPrompt: boolean }): string;
  /** Decodes id by id, special tokens left out. */
  stream(): TextStream;
}

const carriedFiles = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "chat_template.jinja",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "tokenizer.model",
] as const;

/**
 * Reads the tokenizer of a Hugging Face folder: tokenizer.json, and of the files beside it tokenizer_config.json,
 * chat_template.jinja, generation_config.json and config.json where they are.
 *
 * @throws UserError("not-found") without tokenizer.json, ("damaged") where a file is not JSON, ("unsupported") where the
 *   kind of tokenizer is not known.
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const files = new Map<string, Uint8Array>();
  for (const name of carriedFiles) {
    const bytes = await readIfThere(join(folder, name));
    if (bytes !== undefined) files.set(name, bytes);
  }
  if (!files.has("tokenizer.json")) {
    throw new UserError("not-found", `${folder} has no tokenizer.json`, {
      hint: 'write one with transformers: AutoTokenizer.from_pretrained("NAME").save_pretrained("FOLDER")',
    });
  }
  const endIds: number[] = [];
  for (const name of ["generation_config.json", "config.json"]) {
    const bytes = await readIfThere(join(folder, name));
    if (bytes !== undefined) endIds.push(...numbersOf(parseObject(bytes, join(folder, name))["eos_token_id"]));
  }
  return makeTokenizer(files, { endIds, where: folder });
}

/** Makes a tokenizer of the files of a folder; `where` is named in errors, `endIds` end a generation too. */
export function makeTokenizer(
  files: ReadonlyMap<string, Uint8Array>,
  options: { readonly endIds?: readonly number[]; readonly where: string },
): Tokenizer {
  const { where, endIds = [] } = options;
  const json = parseObject(files.get("tokenizer.json")!, join(where, "tokenizer.json"));
  const configBytes = files.get("tokenizer_config.json");
  const config = configBytes === undefined ? {} : parseObject(configBytes, join(where, "tokenizer_config.json"));
  let library: Library;
  let encoder: Encoder;
  try {
    const exact = withExactPreTokenizer(json);
    const settings = { ...config, clean_up_tokenization_spaces: false };
    library = new LibraryTokenizer(exact, settings);
    encoder = createEncoder(library, exact, settings);
  } catch (cause) {
    throw new UserError("unsupported", `the tokenizer of ${where} cannot be read: ${messageOf(cause)}`, {
      hint: "byte-level BPE tokenizers as of Llama 3, Qwen or SmolLM are known to work",
      cause,
    });
  }

  const addedTokens = [...library.get_added_tokens_decoder().values()];
  const added = new Map(addedTokens.map(({ id, content }) => [content, id]));
  const idOf = (token: string): number | undefined => added.get(token) ?? library.token_to_id(token);
  const special = (name: string): string | undefined => tokenName(config[`${name}_token`]);
  const eos = special("eos");
  const ends = [...endIds, ...(eos === undefined ? [] : [idOf(eos)])].filter((id) => id !== undefined);
  const separator = documentSeparators.map((token) => added.get(token)).find((id) => id !== undefined) ?? ends[0];
  if (separator === undefined) {
    throw new UserError("unsupported", `the tokenizer of ${where} names no token that ends a document`, {
      hint: "give eos_token in tokenizer_config.json",
    });
  }
  const turnEnds = chatEnds.map((token) => added.get(token)).filter((id) => id !== undefined);
  const chatTemplate = chatTemplateOf(files, config);
  let template: Template | undefined;

  const decode: Tokenizer["decode"] = (ids, { skipSpecial = false } = {}) =>
    ids.length === 0
      ? ""
      : library.decode(ids, { skip_special_tokens: skipSpecial, clean_up_tokenization_spaces: false });
  return {
    vocabularySize:
      library
        .get_vocab()
        .values()
        .reduce((largest, id) => Math.max(largest, id), -1) + 1,
    separator,
    bos: beginningOf(library, config, idOf),
    stop: [...new Set([separator, ...ends, ...turnEnds])],
    ...encoder,
    decode,
    specialTokens: addedTokens
      .filter(({ special, content }) => special && content !== "")
      .map(({ id, content, lstrip, rstrip }) => ({ id, content, takesBefore: lstrip, takesAfter: rstrip })),
    bytesOf: bytesOfIds(library, json),
    idOf,
    files,
    chatTemplate,
    renderChat: (messages, { addGenerationPrompt }) => {
      if (chatTemplate === undefined) {
        throw new UserError("unsupported", `the tokenizer of ${where} has no chat template`, {
          hint: "continue plain text instead, or add chat_template.jinja to the model's folder",
        });
      }
      const names = Object.fromEntries(
        ["bos", "eos", "pad", "unk"].map((name) => [`${name}_token`, special(name) ?? ""]),
      );
      try {
        template ??= new Template(chatTemplate);
        return template.render({ ...names, messages, add_generation_prompt: addGenerationPrompt });
      } catch (cause) {
        throw new UserError("invalid", `the chat template of ${where} refuses the messages: ${messageOf(cause)}`, {
          hint: "check the roles and their order",
          cause,
        });
      }
    },
    stream: () => createTextStream((ids) => decode(ids, { skipSpecial: true })),
  };
}

/** The same tokenizer with a chat template (Jinja), as a file of its own, in place of what it has. */
export function withChatTemplate({ files, stop }: Pick<Tokenizer, "files" | "stop">, template: string): Tokenizer {
  const all = new Map(files).set("chat_template.jinja", Buffer.from(template));
  return makeTokenizer(all, { endIds: stop, where: "the model" });
}

/** @throws UserError("mismatch") when the tokenizer's ids go beyond the model's embedding rows. */
export function checkTokenizer(tokenizer: Tokenizer, modelVocabularySize: number): void {
  if (tokenizer.vocabularySize <= modelVocabularySize) return;
  throw new UserError(
    "mismatch",
    `the tokenizer has ${tokenizer.vocabularySize} tokens, the model only ${modelVocabularySize}`,
    { hint: "use the tokenizer that came with the model" },
  );
}

/**
 * The tokens that end documents in pretraining, by family, looked for in this order; they must be added tokens. The token
 * named `eos` does not decide, since in chat models it ends a turn (`<|im_end|>`, `<|eot_id|>`).
 * Llama 3, Granite: <|end_of_text|>. GPT-2, SmolLM, Qwen, StarCoder, Phi: <|endoftext|>. Llama 2, TinyLlama, Mistral: </s>.
 * Any other family: its `eos` token.
 */
const documentSeparators = ["<|end_of_text|>", "<|endoftext|>", "</s>"] as const;

const chatEnds = ["<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<end_of_turn>", "<|end_of_turn|>"] as const;

/** `add_bos_token` decides; where it is absent, whether the library puts the token first when asked for special tokens. */
function beginningOf(
  library: Library,
  config: Record<string, unknown>,
  idOf: (token: string) => number | undefined,
): number | undefined {
  const name = tokenName(config["bos_token"]);
  const bos = name === undefined ? undefined : idOf(name);
  if (config["add_bos_token"] === true) return bos;
  if (config["add_bos_token"] === false) return undefined;
  const [first] = library.encode("a", { add_special_tokens: true }).ids;
  return first === library.encode("a", { add_special_tokens: false }).ids[0] ? undefined : first;
}

function chatTemplateOf(files: ReadonlyMap<string, Uint8Array>, config: Record<string, unknown>): string | undefined {
  const file = files.get("chat_template.jinja");
  if (file !== undefined) return Buffer.from(file).toString("utf8");
  const template = config["chat_template"];
  if (typeof template === "string") return template;
  if (!Array.isArray(template)) return undefined;
  const named = template as { readonly name?: string; readonly template?: string }[];
  return (named.find(({ name }) => name === "default") ?? named[0])?.template;
}

function tokenName(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null && "content" in value) return tokenName(value.content);
  return undefined;
}

function numbersOf(value: unknown): number[] {
  return (Array.isArray(value) ? value : [value]).filter((item) => typeof item === "number");
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return undefined;
    throw error;
  }
}

function parseObject(bytes: Uint8Array, path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (cause) {
    throw new UserError("damaged", `${path} is not JSON: ${messageOf(cause)}`, { hint: "fetch the file again", cause });
  }
  throw new UserError("damaged", `${path} does not hold a JSON object`, { hint: "fetch the file again" });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
