/** A range of a text that must not stay, and the replacing of such ranges; finding them is the work of the other files. */

import type { Anchor } from "./anchors.ts";

/** What a mask says stood in its place. */
export type MaskKind = "secret" | "private-key" | "email" | "ip" | "card" | "iban" | "phone";

/** Under what a masked piece is counted: its kind, for a secret with the name of the rule that found it. */
export type MaskLabel = Exclude<MaskKind, "secret"> | `secret/${string}`;

/** UTF-16 indices, `end` excluded. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly label: MaskLabel;
}

/** Sorted, and those that overlap made one, which keeps the label of the first. */
export function mergeSpans(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1);
    if (last === undefined || span.start >= last.end) merged.push(span);
    else if (span.end > last.end) merged[merged.length - 1] = { ...last, end: span.end };
  }
  return merged;
}

/** The text with `[masked:KIND]` in place of each span; spans are sorted and do not overlap. */
export function replaceSpans(text: string, spans: readonly Span[]): string {
  let masked = "";
  let from = 0;
  for (const { start, end, label } of spans) {
    const slash = label.indexOf("/");
    masked += `${text.slice(from, start)}[masked:${slash < 0 ? label : label.slice(0, slash)}]`;
    from = end;
  }
  return masked + text.slice(from);
}

/** A rule that decides by itself, tried where one of its anchors stands. */
export interface Finder {
  readonly anchors: readonly Anchor[];
  /** The span that begins around the anchor at `at`, if there is one. */
  find(text: string, at: number): Span | undefined;
}
