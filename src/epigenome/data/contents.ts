/**
 * Keeps what somebody wrote apart from what a chat template writes: contents are escaped before they are rendered, so that
 * every special token in the rendering is the template's own, and are given back as they were when it is encoded.
 */

import type { SpecialToken, Tokenizer } from "../../tokenizer/tokenizer.ts";

/**
 * Begins and ends an escape: of a special token by its place in the list, of the mark itself by the list's length, of
 * nothing without a number. No white space and no letters, since templates trim and change case.
 */
const MARK = "\uE000";
const seam = MARK + MARK;

/** A stretch of a rendering, in UTF-16 units; `end` is behind it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Contents {
  /** Content as a template may have it. */
  escape(content: string): string;
  /** Ids of a piece of a rendering: special tokens as control tokens, escaped ones as the plain text that they were. */
  encode(rendered: string): number[];
  /** What somebody wrote of a piece of a rendering, with what the template puts around it but its special tokens. */
  plain(rendered: string): string;
  /** Where these special tokens (by id) stand in a rendering, in order. */
  find(ids: ReadonlySet<number>, rendered: string): Span[];
}

export function createContents(tokenizer: Tokenizer): Contents {
  const special = tokenizer.specialTokens.toSorted((a, b) => b.content.length - a.content.length);
  const byContent = new Map(special.map((token, i) => [token.content, i]));
  const idOf = (found: string): number => {
    const place = [found, found.trimEnd(), found.trimStart(), found.trim()].map((name) => byContent.get(name));
    return special[place.find((i) => i !== undefined)!]!.id;
  };
  const inContent = new RegExp([MARK, ...special.map(({ content }) => literal(content))].join("|"), "g");
  const inTemplate = special.length === 0 ? undefined : new RegExp(special.map(withSpace).join("|"), "g");
  // Nor may a template's "<" become one with a content's "|end|>", or "<" and ">" with what stands between.
  const heads = new Set<string>();
  const tails = new Set<string>();
  for (const { content } of special) {
    for (let i = 1; i < content.length; i++) {
      heads.add(content.slice(0, i));
      tails.add(content.slice(i));
    }
  }
  const longest = special[0]?.content.length ?? 0;

  const unescape = (text: string): string =>
    text.replaceAll(/\uE000(\d*)\uE000/g, (found, place: string) => {
      if (place === "") return "";
      // A place that is none of ours comes from a template that cut a content in pieces.
      return Number(place) === special.length ? MARK : (special[Number(place)]?.content ?? found);
    });
  const encodePlain = (text: string, ids: number[]): void => {
    if (text !== "") for (const id of tokenizer.encodeContent(unescape(text))) ids.push(id);
  };
  return {
    escape(content) {
      const escaped = content.replaceAll(
        inContent,
        (found) => `${MARK}${byContent.get(found) ?? special.length}${MARK}`,
      );
      // Within the white space around it, which many templates remove.
      const start = escaped.length - escaped.trimStart().length;
      const inner = escaped.trim();
      let opens = inner !== "" && inner.length < longest && special.some((token) => token.content.includes(inner));
      let closes = false;
      for (let n = 1; n < longest && n <= inner.length; n++) {
        opens ||= tails.has(inner.slice(0, n));
        closes ||= heads.has(inner.slice(-n));
      }
      const sealed = `${opens ? seam : ""}${inner}${closes ? seam : ""}`;
      return escaped.slice(0, start) + sealed + escaped.slice(start + inner.length);
    },
    encode(rendered) {
      const ids: number[] = [];
      let end = 0;
      for (const match of inTemplate === undefined ? [] : rendered.matchAll(inTemplate)) {
        encodePlain(rendered.slice(end, match.index), ids);
        ids.push(idOf(match[0]));
        end = match.index + match[0].length;
      }
      encodePlain(rendered.slice(end), ids);
      return ids;
    },
    plain: (rendered) => unescape(inTemplate === undefined ? rendered : rendered.replaceAll(inTemplate, "")),
    find(ids, rendered) {
      const found = inTemplate === undefined ? [] : [...rendered.matchAll(inTemplate)];
      return found
        .filter((match) => ids.has(idOf(match[0])))
        .map((match) => ({ start: match.index, end: match.index + match[0].length }));
    },
  };
}

function withSpace({ content, takesBefore, takesAfter }: SpecialToken): string {
  return `${takesBefore ? "\\s*" : ""}${literal(content)}${takesAfter ? "\\s*" : ""}`;
}

function literal(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&");
}
