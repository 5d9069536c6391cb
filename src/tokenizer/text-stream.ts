/** Decodes token by token, for text shown while it is generated. */

export interface TextStream {
  /** The text that this id completes; empty while a character is still incomplete. */
  push(id: number): string;
  /** What is left: the incomplete character as U+FFFD, or nothing. */
  end(): string;
}

/** After so many ids without a whole character the bytes are not UTF-8 at all (a character has at most four). */
const patience = 8;

/**
 * Only whole characters come out: while the decoded text ends in U+FFFD it is held back. The ids that the previous text
 * came from are decoded again as context, because some decoders treat the first token apart.
 */
export function createTextStream(decode: (ids: readonly number[]) => string): TextStream {
  let context: number[] = [];
  let pending: number[] = [];
  const take = (): string => {
    const text = decode([...context, ...pending]).slice(decode(context).length);
    context = pending;
    pending = [];
    return text;
  };
  return {
    push(id) {
      pending.push(id);
      if (pending.length < patience && decode([...context, ...pending]).endsWith("\uFFFD")) return "";
      return take();
    },
    end: () => (pending.length === 0 ? "" : take()),
  };
}
