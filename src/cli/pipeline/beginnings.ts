/** What an interim evaluation scores of documents, where it may not score all of them. */

import type { Document } from "../../eval/bits-per-byte.ts";

/**
 * The beginnings of the documents, each cut by the same part, so that their texts come to about `maxBytes`. What is read as
 * sequences is not cut: of all of these, spread evenly, the same part is taken.
 */
export function beginnings(documents: readonly Document[], maxBytes: number): Document[] {
  const bytes = documents.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  if (bytes <= maxBytes) return [...documents];
  let owed = 0;
  return documents.map((document) => {
    const { text, sequences } = document;
    if (sequences === undefined) {
      const length = Math.ceil((text.length * maxBytes) / bytes);
      // Never between the halves of a surrogate pair.
      const cut = (text.charCodeAt(length) & 0xfc00) === 0xdc00 ? length + 1 : length;
      return { ...document, text: text.slice(0, cut) };
    }
    const taken = sequences.filter(({ ids }) => {
      owed += (ids.length * maxBytes) / bytes;
      if (owed <= 0) return false;
      owed -= ids.length;
      return true;
    });
    return { ...document, sequences: taken };
  });
}
