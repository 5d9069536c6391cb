/** Refuses replay and retention texts that overlap: what is trained on cannot show what was kept. */
import { UserError } from "../errors.ts";
import type { Document } from "../eval/bits-per-byte.ts";
import { hash53, lineHashes, shareOf } from "./lines.ts";

/** A named text or set of documents. */
export interface NamedText {
  /** As the user wrote it, for the message. */
  readonly name: string;
  readonly documents: readonly Document[];
}

/** More than this part of one text's lines in the other is a copy. */
export const MAX_SHARED_LINES = 0.2;

/**
 * @throws UserError `overlap` when the two share a document (surrounding white space apart), or when more than 20 % of
 *   the lines of 20 characters or more of one occur in the other.
 */
export function refuseOverlap(retention: NamedText, replay: NamedText): void {
  const hint = "give texts of different documents to --retention and --replay";
  const known = new Map(retention.documents.map((document) => [hash53(document.text.trim()), document.id]));
  for (const { id, text } of replay.documents) {
    if (text.trim() === "") continue;
    const same = known.get(hash53(text.trim()));
    if (same === undefined) continue;
    throw new UserError(
      "overlap",
      `retention text ${retention.name} and replay text ${replay.name} share a document (${same} is ${id})`,
      { hint },
    );
  }
  const linesOf = (of: NamedText): number[] => of.documents.flatMap(({ text }) => lineHashes(text, { mask: false }));
  const kept = linesOf(retention);
  const replayed = linesOf(replay);
  for (const [one, lines, other, against] of [
    [retention, kept, replay, new Set(replayed)],
    [replay, replayed, retention, new Set(kept)],
  ] as const) {
    const share = shareOf(lines, (line) => against.has(line));
    if (share <= MAX_SHARED_LINES) continue;
    throw new UserError(
      "overlap",
      `${(100 * share).toFixed(1)} % of the lines of ${one.name} occur in ${other.name}; at most 20 % may`,
      { hint },
    );
  }
}
