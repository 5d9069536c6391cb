/** Writes a tokenizer as the files of a Hugging Face folder. */

import { byteLevel, splitPattern } from "./pre-tokenizers.ts";

/** A token that is found in a text before anything is cut or merged. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Left out when text is decoded without special tokens. */
  readonly special: boolean;
}

/**
 * tokenizer.json of a byte-level BPE model.
 * Written by hand, because the keys of a JavaScript object would not keep the order of the ids.
 *
 * @param parts.tokens all tokens, byte-level and added, by id
 * @param parts.merges "left right", best first
 * @param parts.patterns where a text is cut, one after the other
 * @param parts.bos put before a text by those who ask for special tokens
 */
export function writeTokenizerJson(parts: {
  readonly tokens: readonly string[];
  readonly merges: readonly string[];
  readonly added: readonly AddedToken[];
  readonly patterns: readonly string[];
  readonly ignoreMerges?: boolean;
  readonly bos?: AddedToken | undefined;
}): string {
  const added = parts.added.map(({ id, content, special }) => {
    return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special };
  });
  const lines = (items: string[]): string => (items.length === 0 ? "" : `\n${items.join(",\n")}\n    `);
  const vocabulary = parts.tokens.map((token, id) => `      ${JSON.stringify(token)}: ${id}`);
  const merges = parts.merges.map((merge) => `      ${JSON.stringify(merge)}`);
  const preTokenizer = { type: "Sequence", pretokenizers: [...parts.patterns.map(splitPattern), byteLevel] };
  return `{
  "version": "1.0",
  "truncation": null,
  "padding": null,
  "added_tokens": [${added.map((token) => `\n    ${JSON.stringify(token)}`).join(",")}
  ],
  "normalizer": null,
  "pre_tokenizer": ${JSON.stringify(preTokenizer)},
  "post_processor": ${JSON.stringify(parts.bos === undefined ? null : beginWith(parts.bos))},
  "decoder": ${JSON.stringify(byteLevel)},
  "model": {
    "type": "BPE",
    "dropout": null,
    "unk_token": null,
    "continuing_subword_prefix": null,
    "end_of_word_suffix": null,
    "fuse_unk": false,
    "byte_fallback": false,
    "ignore_merges": ${parts.ignoreMerges ?? false},
    "vocab": {${lines(vocabulary)}},
    "merges": [${lines(merges)}]
  }
}
`;
}

export interface TokenizerFilesOptions {
  readonly bos?: string | undefined;
  readonly eos?: string | undefined;
  readonly pad?: string | undefined;
  readonly unknown?: string | undefined;
  /** Is `bos` put before a text? Default false. */
  readonly addBos?: boolean;
  /** Jinja. */
  readonly chatTemplate?: string | undefined;
  /** In tokens. */
  readonly maximumLength?: number | undefined;
}

/** tokenizer.json, tokenizer_config.json and special_tokens_map.json by name, as transformers reads them. */
export function tokenizerFiles(tokenizerJson: string, options: TokenizerFilesOptions = {}): Map<string, Uint8Array> {
  const special = {
    ...(options.bos === undefined ? {} : { bos_token: options.bos }),
    ...(options.eos === undefined ? {} : { eos_token: options.eos }),
    ...(options.pad === undefined ? {} : { pad_token: options.pad }),
    ...(options.unknown === undefined ? {} : { unk_token: options.unknown }),
  };
  const config = {
    ...special,
    add_bos_token: options.addBos ?? false,
    ...(options.chatTemplate === undefined ? {} : { chat_template: options.chatTemplate }),
    clean_up_tokenization_spaces: false,
    ...(options.maximumLength === undefined ? {} : { model_max_length: options.maximumLength }),
    tokenizer_class: "PreTrainedTokenizerFast",
  };
  const json = (value: unknown): Uint8Array => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
  return new Map([
    ["tokenizer.json", Buffer.from(tokenizerJson)],
    ["tokenizer_config.json", json(config)],
    ["special_tokens_map.json", json(special)],
  ]);
}

function beginWith(bos: AddedToken): object {
  const token = { SpecialToken: { id: bos.content, type_id: 0 } };
  const sequence = (id: string, type_id: number): object => ({ Sequence: { id, type_id } });
  return {
    type: "TemplateProcessing",
    single: [token, sequence("A", 0)],
    pair: [token, sequence("A", 0), { SpecialToken: { id: bos.content, type_id: 1 } }, sequence("B", 1)],
    special_tokens: { [bos.content]: { id: bos.content, ids: [bos.id], tokens: [bos.content] } },
  };
}
