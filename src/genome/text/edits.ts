/** How a text differs from the one its pieces would be written as: what is to remove and to insert, in order. */
import { invariant } from "../../errors.ts";

export interface Edit {
  readonly type: "edit";
  /** In the text before any edit, in bytes; never smaller than that of the edit before. */
  readonly offset: number;
  /** Bytes that are removed from there. */
  readonly remove: number;
  /** What stands there instead. */
  readonly insert: Uint8Array;
}

/** Applies edits to a text, both as streams. */
export async function* applyEdits(
  chunks: AsyncIterable<Uint8Array>,
  edits: AsyncIterable<Edit> | Iterable<Edit>,
): AsyncGenerator<Uint8Array, void, void> {
  const list = Symbol.asyncIterator in edits ? edits[Symbol.asyncIterator]() : edits[Symbol.iterator]();
  try {
    let next = await list.next();
    let offset = 0;
    let removing = 0;
    for await (const chunk of chunks) {
      let at = 0;
      for (;;) {
        const removed = Math.min(removing, chunk.length - at);
        removing -= removed;
        at += removed;
        const position = offset + at;
        if (next.done !== true && removing === 0 && next.value.offset === position) {
          yield next.value.insert;
          removing = next.value.remove;
          next = await list.next();
          continue;
        }
        if (at === chunk.length) break;
        const until = next.done === true ? chunk.length : Math.min(chunk.length, next.value.offset - offset);
        invariant(until > at, "edits are in the order of the text");
        yield chunk.subarray(at, until);
        at = until;
      }
      offset += chunk.length;
    }
    for (; next.done !== true; next = await list.next()) yield next.value.insert;
  } finally {
    await list.return?.();
  }
}
