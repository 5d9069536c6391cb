/** The bytes of text that each id stands for, in byte-level tokenizers: exact, whatever a token tears apart. */

import { bytesOfToken } from "./byte-level.ts";
import type { Library } from "./library.ts";
import { splitsBeforeBytes } from "./pre-tokenizers.ts";
import type { PreTokenizerJson } from "./pre-tokenizers.ts";

/** Looks up bytes by id, as `Tokenizer.bytesOf` promises; what a token is made of is found out when it is asked for first. */
export function bytesOfIds(
  library: Pick<Library, "get_vocab" | "get_added_tokens_decoder">,
  json: Record<string, unknown>,
): (id: number) => Uint8Array | undefined {
  const splits = splitsBeforeBytes((json["pre_tokenizer"] ?? null) as PreTokenizerJson | null);
  if (splits === undefined) return () => undefined;
  const added = library.get_added_tokens_decoder();
  const known = new Map<number, Uint8Array | undefined>();
  let tokens: ReadonlyMap<number, string> | undefined;
  const find = (id: number): Uint8Array | undefined => {
    const own = added.get(id);
    // Added tokens are text as it is; a special one stands for none.
    if (own !== undefined) return own.special ? undefined : Buffer.from(own.content);
    tokens ??= new Map(
      library
        .get_vocab()
        .entries()
        .map(([token, of]) => [of, token]),
    );
    const token = tokens.get(id);
    return token === undefined ? undefined : bytesOfToken(token);
  };
  return (id) => {
    if (!known.has(id)) known.set(id, find(id));
    return known.get(id);
  };
}
