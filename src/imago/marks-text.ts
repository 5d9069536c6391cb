/** Changes of marks in words, for the line of a terminal and for tables. */

import type { MarkChange } from "../chrysalis/marks/marks-log.ts";

const MOST_LISTED = 3;

/** "docs prose 1 to 0.5 (diet), game log 1 to 0 (environment) and 4 more". */
export function listMarkChanges(changes: readonly MarkChange[]): string {
  const listed = changes
    .slice(0, MOST_LISTED)
    .map(({ group, from, to, reasons }) => `${group} ${markText(from)} to ${markText(to)} (${reasons.join(", ")})`);
  const more = changes.length - listed.length;
  return listed.join(", ") + (more === 0 ? "" : ` and ${more} more`);
}

export function markText(mark: number): string {
  return String(Number(mark.toPrecision(2)));
}
