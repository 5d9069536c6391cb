/** Line diffs between two versions of a text, as data from which the newer one can be rebuilt. */
import { diffArrays } from "diff";
import { UserError } from "../../errors.ts";

/** One stretch of lines that another one replaces; all texts keep their line ends, the last line may have none. */
export interface Hunk {
  /** Number of the line, from 1, at which `old` begins in the old text; an insertion goes before that line. */
  readonly oldStart: number;
  /** The same for `new` in the new text. */
  readonly newStart: number;
  /** The replaced lines; "" where lines are only inserted. */
  readonly old: string;
  /** The lines that take their place; "" where lines are only deleted. */
  readonly new: string;
  /** Unchanged lines before and after, for a reader to see where the change stands; not needed to apply it. */
  readonly contextBefore: string;
  readonly contextAfter: string;
}

/** Most lines that may differ (inserted plus deleted), beyond which the search is given up. */
const maxEdits = 2000;
/** Most lines of either text between their common beginning and end: bounds the search together with `maxEdits`. */
const maxLines = 20_000;
const contextLines = 3;
/** Longest context on either side of a hunk, in UTF-16 units; lines beyond it are left out whole. */
const contextUnits = 1024;

/**
 * A smallest line diff (Myers 1986, as in the package `diff`), without a clock, so that equal texts give equal hunks.
 *
 * @returns hunks in order, apart by at least one unchanged line; none for equal texts; undefined where the texts
 *   differ by more than 2,000 lines, or in parts longer than 20,000 lines
 */
export function diffTexts(old: string, next: string): readonly Hunk[] | undefined {
  const oldLines = splitLines(old);
  const newLines = splitLines(next);
  const shortest = Math.min(oldLines.length, newLines.length);
  let head = 0;
  while (head < shortest && oldLines[head] === newLines[head]) head++;
  let tail = 0;
  while (tail < shortest - head && oldLines.at(-1 - tail) === newLines.at(-1 - tail)) tail++;
  // Numbers for lines: long equal lines are compared once, not at each step of the search.
  const numbers = new Map<string, number>();
  const numbered = (lines: readonly string[]): number[] =>
    lines.slice(head, lines.length - tail).map((line) => {
      const number = numbers.get(line) ?? numbers.size;
      numbers.set(line, number);
      return number;
    });
  const oldMiddle = numbered(oldLines);
  const newMiddle = numbered(newLines);
  if (Math.max(oldMiddle.length, newMiddle.length) > maxLines) return undefined;
  const changes = diffArrays(oldMiddle, newMiddle, { maxEditLength: maxEdits });
  if (changes === undefined) return undefined;

  const spans: { readonly oldFrom: number; oldTo: number; readonly newFrom: number; newTo: number }[] = [];
  let oldAt = head;
  let newAt = head;
  let open = false;
  for (const { added, removed, count } of changes) {
    const oldTo = oldAt + (added ? 0 : count);
    const newTo = newAt + (removed ? 0 : count);
    const isChange = added || removed;
    if (isChange && open) Object.assign(spans.at(-1)!, { oldTo, newTo });
    else if (isChange) spans.push({ oldFrom: oldAt, oldTo, newFrom: newAt, newTo });
    open = isChange;
    oldAt = oldTo;
    newAt = newTo;
  }
  return spans.map((span, i) => {
    const unchangedFrom = spans[i - 1]?.oldTo ?? 0;
    const unchangedTo = spans[i + 1]?.oldFrom ?? oldLines.length;
    return {
      oldStart: span.oldFrom + 1,
      newStart: span.newFrom + 1,
      old: oldLines.slice(span.oldFrom, span.oldTo).join(""),
      new: newLines.slice(span.newFrom, span.newTo).join(""),
      contextBefore: nearest(oldLines.slice(unchangedFrom, span.oldFrom).slice(-contextLines).toReversed())
        .toReversed()
        .join(""),
      contextAfter: nearest(oldLines.slice(span.oldTo, unchangedTo).slice(0, contextLines)).join(""),
    };
  });
}

/** The first of the lines, as many as the limit of a context admits. */
function nearest(lines: readonly string[]): readonly string[] {
  let units = 0;
  const tooFar = lines.findIndex((line) => (units += line.length) > contextUnits);
  return tooFar < 0 ? lines : lines.slice(0, tooFar);
}

/**
 * Rebuilds the newer text: `applyChange(old, row)` with a row of history.jsonl and the older text as the row means it,
 * that is decoded and masked as the genome's texts are, with LF as line end.
 *
 * @throws UserError "mismatch" where the hunks do not fit the text
 */
export function applyChange(old: string, change: { readonly hunks: readonly Hunk[] }): string {
  const lines = splitLines(old);
  const pieces: string[] = [];
  let at = 0;
  for (const hunk of change.hunks) {
    const from = hunk.oldStart - 1;
    const to = from + splitLines(hunk.old).length;
    if (!(from >= at && to <= lines.length) || lines.slice(from, to).join("") !== hunk.old) {
      throw new UserError("mismatch", `the hunk at line ${hunk.oldStart} does not fit the text it is applied to`, {
        hint: "Apply it to the version that the row names as oldBlob, decoded and masked as in the genome.",
      });
    }
    pieces.push(lines.slice(at, from).join(""), hunk.new);
    at = to;
  }
  return pieces.join("") + lines.slice(at).join("");
}

/** The lines of a text with their LF; the last one has none where the text does not end in one. */
function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}
