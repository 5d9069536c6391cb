/**
 * Private keys in PEM and SSH2 armour, whole: as lines, in diffs, quoted line by line, with `\n` spelled out, encrypted, or cut
 * off before their end. secretlint's rule knows the unencrypted ones that stand in a text as they are.
 */
import type { Finder, Span } from "./span.ts";

const header = /(?<=-{4} ?)BEGIN[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}/y;
const marker = /-{4} ?(?:BEGIN|END)[A-Z0-9 ]/g;
const footer = /-{4} ?END[A-Z0-9 ]{0,48}-{0,5}/y;
const base64 = String.raw`(?:[A-Za-z0-9+]|\\{0,32}/)`;
/** The first line of the body: long enough that no word or path is one. */
const keyRun = new RegExp(`${base64}{40,}`);
/** What quotes, numbers and separates lines: plain, or escaped for JSON or HTML. */
const between = String.raw`(?:[\s"',;:.+>#*|/-]|[\\\`][nrt]?|\d{1,6}[\s:|.]|&#?\w{1,6};|<br ?/?>){0,40}`;
/** The lines of a body that has no end, the last of which may be short. */
const cutOff = new RegExp(`${base64}{40,}(?:${between}${base64}{40,})*=*(?:${between}${base64}{8,39}=*)?`, "y");
/** UTF-16 units from one marker to the next; an RSA key of 16,384 bits takes 13,000. */
const reach = 32_768;
/** UTF-16 units for headers such as `Proc-Type:` in a key that is cut off. */
const headers = 400;

export const privateKeys: Finder = {
  anchors: ["BEG"],
  find(text, at) {
    header.lastIndex = at;
    if (!header.test(text)) return undefined;
    const start = at - leadingDashes(text, at);
    const bodyStart = header.lastIndex;
    const body = text.slice(bodyStart, bodyStart + reach);
    marker.lastIndex = 0;
    const next = marker.exec(body);
    const key = keyRun.exec(next === null ? body : body.slice(0, next.index));
    if (key === null || !(/[a-z]/.test(key[0]) && /[A-Z]/.test(key[0]))) return undefined;
    if (next !== null) {
      footer.lastIndex = bodyStart + next.index;
      if (footer.test(text)) return span(start, footer.lastIndex);
    }
    if (key.index > headers) return undefined;
    cutOff.lastIndex = key.index;
    cutOff.test(body);
    return span(start, bodyStart + cutOff.lastIndex);
  },
};

function span(start: number, end: number): Span {
  return { start, end, label: "private-key" };
}

function leadingDashes(text: string, at: number): number {
  let from = at;
  if (text[from - 1] === " ") from--;
  while (at - from < 6 && text[from - 1] === "-") from--;
  return at - from;
}
