/** The framing of a file's history: what it says now, and for each change what stood there, and what took its place. */
import type { Change } from "../changes.ts";
import type { Framed, Framing } from "./framing.ts";

/** Longer changes are seldom one thought, and would fill a sequence alone, in characters. */
const LONGEST = 4096;

/**
 * The text as it stands, then for each change a document: path and subject of the commit, the lines before, and as the
 * answer the lines after. An answer without text has nothing to train: pure deletions are left out.
 */
export const change: Framing = {
  summary: "the text, and what commits changed in it: the lines before as prompt, the lines after as answer",
  needsChanges: true,
  asks: true,
  *frame({ gene, text, copy }, { changesOf }) {
    yield [{ part: "text", text }];
    if (copy > 0) return;
    for (const of of changesOf(gene)) {
      for (const hunk of of.hunks) {
        if (hunk.new === "" || hunk.old.length + hunk.new.length > LONGEST) continue;
        yield framedHunk(gene, of, hunk);
      }
    }
  },
};

function framedHunk(
  { repository, path }: { readonly repository: string; readonly path: string },
  { subject }: Change,
  { old, new: now, contextBefore, contextAfter }: Change["hunks"][number],
): Framed {
  return [
    { part: "header", text: `${repository}/${path}\n${subject}\n\n` },
    { part: "prompt", text: `<before>\n${contextBefore}${old}${contextAfter}</before>\n<after>\n${contextBefore}` },
    { part: "answer", text: `${now}</after>\n` },
  ];
}
