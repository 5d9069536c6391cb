/**
 * The part of @huggingface/tokenizers that is used here, with its types: the package's own declarations import each other
 * without file extensions, which TypeScript does not resolve for ES modules.
 */

import * as untyped from "@huggingface/tokenizers";

export interface LibraryAddedToken {
  readonly id: number;
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly special: boolean;
  readonly normalized: boolean;
}

export interface LibraryModel {
  /** Tokens of pre-tokenized pieces, each piece on its own. */
  (pieces: readonly string[]): string[];
  readonly tokens_to_ids: ReadonlyMap<string, number>;
}

export interface Library {
  readonly model: LibraryModel | null;
  encode(text: string, options: { readonly add_special_tokens: boolean }): { readonly ids: number[] };
  /** `ids` must not be empty. */
  decode(
    ids: readonly number[],
    options: { readonly skip_special_tokens: boolean; readonly clean_up_tokenization_spaces: boolean },
  ): string;
  token_to_id(token: string): number | undefined;
  get_added_tokens_decoder(): ReadonlyMap<number, LibraryAddedToken>;
  get_vocab(): ReadonlyMap<string, number>;
}

interface LibraryModule {
  readonly Tokenizer: new (tokenizerJson: object, config: object) => Library;
  readonly SplitPreTokenizer: new (config: object) => { readonly pattern: RegExp | null };
}

export const { Tokenizer, SplitPreTokenizer } = untyped as unknown as LibraryModule;
