/** Encoding on top of @huggingface/tokenizers: its model, its regular expressions, and a cache of words in front of them. */

import { byteCharacters } from "./byte-level.ts";
import { SplitPreTokenizer, Tokenizer as LibraryTokenizer } from "./library.ts";
import type { Library } from "./library.ts";
import { byteLevel, splitsBeforeBytes } from "./pre-tokenizers.ts";
import type { PreTokenizerJson } from "./pre-tokenizers.ts";

/** Words kept with their ids; the cache is emptied when it is full. */
const cachedWords = 200_000;
const cachedWordLength = 64;

/** tokenizer.json with the pre-tokenizer written so that the JavaScript library cuts where the Rust one does. */
export function withExactPreTokenizer(json: Record<string, unknown>): Record<string, unknown> {
  const splits = splitsBeforeBytes((json["pre_tokenizer"] ?? null) as PreTokenizerJson | null);
  const exact = splits && { type: "Sequence", pretokenizers: [...splits, byteLevel] };
  return { normalizer: null, post_processor: null, decoder: null, ...json, ...(exact && { pre_tokenizer: exact }) };
}

export interface Encoder {
  /** Special tokens written in the text become special ids, as in the `tokenizers` library. */
  readonly encode: (text: string) => number[];
  /** Special tokens written in the text are plain text, as with the library's `encode_special_tokens`. */
  readonly encodeContent: (text: string) => number[];
}

/**
 * The library's `encode` without added tokens; for byte-level models the same ids some twenty times as fast.
 *
 * There, text is cut at added tokens, each part is normalised, cut by the splits, and each piece is written as bytes and
 * merged *on its own*: its ids depend on the piece alone, so that they can be remembered. Anything else goes to the library.
 */
export function createEncoder(library: Library, json: Record<string, unknown>, config: object): Encoder {
  const splits = splitsBeforeBytes((json["pre_tokenizer"] ?? null) as PreTokenizerJson | null);
  const { model } = library;
  const normalizer = json["normalizer"] as { readonly type?: string } | null;
  const added = [...library.get_added_tokens_decoder().values()];
  const simple =
    (normalizer === null || normalizer.type === "NFC") &&
    added.every(
      (token) => !token.lstrip && !token.rstrip && !token.single_word && !(token.normalized && normalizer !== null),
    );
  if (splits === undefined || model === null || !simple) return viaLibrary(library, json, config);

  const borders = splits.map((split) => new SplitPreTokenizer(split).pattern!);
  const addedIds = new Map(added.map((token) => [token.content, token.id]));
  const anyAdded = alternatives([...addedIds.keys()]);
  const anyPlain = alternatives(added.filter((token) => !token.special).map((token) => token.content));

  const cache = new Map<string, readonly number[]>();
  const idsOfWord = (word: string): readonly number[] => {
    const known = cache.get(word);
    if (known !== undefined) return known;
    let bytes = "";
    for (const byte of Buffer.from(word, "utf8")) bytes += byteCharacters[byte]!;
    const ids = model([bytes]).map((token) => addedIds.get(token) ?? model.tokens_to_ids.get(token)!);
    if (word.length > cachedWordLength) return ids;
    if (cache.size >= cachedWords) cache.clear();
    cache.set(Buffer.from(word, "utf8").toString("utf8"), ids);
    return ids;
  };
  const encodePart = (text: string, ids: number[]): void => {
    let words = [normalizer === null ? text : text.normalize("NFC")];
    for (const border of borders) words = words.flatMap((word) => cut(word, border));
    for (const word of words) for (const id of idsOfWord(word)) ids.push(id);
  };
  const cutAt = (borders: RegExp | undefined, text: string): number[] => {
    const ids: number[] = [];
    let end = 0;
    for (const match of borders === undefined ? [] : text.matchAll(borders)) {
      if (match.index > end) encodePart(text.slice(end, match.index), ids);
      ids.push(addedIds.get(match[0])!);
      end = match.index + match[0].length;
    }
    if (end < text.length) encodePart(text.slice(end), ids);
    return ids;
  };
  return { encode: (text) => cutAt(anyAdded, text), encodeContent: (text) => cutAt(anyPlain, text) };
}

/** Both through the library itself; for content a second one that knows no special tokens, made when it is needed. */
function viaLibrary(library: Library, json: Record<string, unknown>, config: object): Encoder {
  const idsBy = (of: Library, text: string): number[] => of.encode(text, { add_special_tokens: false }).ids;
  let plain: Library | undefined;
  const withoutSpecial = (): Library => {
    const tokens = (json["added_tokens"] ?? []) as readonly { readonly special?: boolean }[];
    return new LibraryTokenizer({ ...json, added_tokens: tokens.filter(({ special }) => special !== true) }, config);
  };
  return {
    encode: (text) => idsBy(library, text),
    encodeContent: (text) => idsBy((plain ??= withoutSpecial()), text),
  };
}

/** The matches and what lies between them, empty ones left out. */
function cut(text: string, border: RegExp): string[] {
  const pieces: string[] = [];
  let end = 0;
  for (const match of text.matchAll(border)) {
    if (match.index > end) pieces.push(text.slice(end, match.index));
    if (match[0] !== "") pieces.push(match[0]);
    end = match.index + match[0].length;
  }
  if (end < text.length) pieces.push(text.slice(end));
  return pieces;
}

/** Leftmost match, the longest of those that start there. */
function alternatives(words: readonly string[]): RegExp | undefined {
  const longestFirst = words.filter((word) => word !== "").toSorted((one, other) => other.length - one.length);
  if (longestFirst.length === 0) return undefined;
  return new RegExp(longestFirst.map((word) => word.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&")).join("|"), "g");
}
