/** Public IP addresses, not those of private, local or documentation networks, and not version or section numbers. */
import { isIPv6 } from "node:net";
import { digits, followsWord, isDigit } from "./edges.ts";
import type { Finder } from "./span.ts";

const hexadecimal = `${digits}abcdefABCDEF`;
const fourParts = /(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?!\w|\.\d|-\w*[A-Za-z])/y;
/** What a version or an object identifier follows, at the end of the text before it; another one may stand between. */
const version =
  /(?:\b(?:v|ver|version\w*|release|build|tag|bump\w*|OID|OBJECT|ObjectIdentifier)\b[^\n\d]{0,16}|\b(?:upgrad\w*|updated? to|V8)\b[^\n]{0,32}|==|[~<>!]=|\^|[A-Za-z]\/)$/i;
/** A decimal fraction before it: the path of an SVG runs numbers together, "2.83-2.12 3.51.98.32 0 1 1 1.5.75.75". */
const fraction = /(?:^|[^\d.])\d{0,4}(?:\.\d+){1,2}[\s,-](?:\d{1,3}[\s,-]){0,3}$/;
const groups = /[23][0-9a-f]{3}(?::[0-9a-f]{0,4}){2,7}(?![\w:]|\.\d)/iy;

/** Networks whose addresses belong to no one in particular: base address and prefix length (IANA special-purpose registry). */
const special = [
  [0, 8],
  [0x0a000000, 8],
  [0x64400000, 10],
  [0x7f000000, 8],
  [0xa9fe0000, 16],
  [0xac100000, 12],
  [0xc0000200, 24],
  [0xc0586300, 24],
  [0xc0a80000, 16],
  [0xc6120000, 15],
  [0xc6336400, 24],
  [0xcb007100, 24],
  [0xe0000000, 3],
] as const;

/** Four small numbers are a version or a section more often than a host. */
const smallest = 32;

export const ipv4: Finder = {
  anchors: [[digits, ".", digits]],
  find(text, at) {
    let start = at;
    while (at - start < 3 && isDigit(text.charCodeAt(start - 1))) start--;
    if (!startsHere(text, start)) return undefined;
    fourParts.lastIndex = start;
    const match = fourParts.exec(text);
    if (match === null) return undefined;
    const parts = match.slice(1, 5);
    if (parts.some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith("0")))) return undefined;
    const numbers = parts.map(Number);
    if (numbers.every((part) => part < smallest) || /^\d+\.(?:0\.0\.|\d+\.0\.0$)/.test(match[0])) return undefined;
    const address = numbers.reduce((sum, part) => sum * 256 + part, 0);
    if (
      special.some(([base, bits]) => Math.floor(address / 2 ** (32 - bits)) === Math.floor(base / 2 ** (32 - bits)))
    ) {
      return undefined;
    }
    const before = text.slice(Math.max(0, start - 48), start);
    if (version.test(before) || fraction.test(before)) return undefined;
    return { start, end: fourParts.lastIndex, label: "ip" };
  },
};

/** Not inside a longer number or name; after a hyphen only where a range of addresses may go on. */
function startsHere(text: string, start: number): boolean {
  const before = text[start - 1];
  if (before === "." || followsWord(text, start)) return false;
  return (
    before !== "-" ||
    isDigit(text.charCodeAt(start - 2)) ||
    text[start - 2] === " " ||
    start === 1 ||
    text[start - 2] === "\n"
  );
}

export const ipv6: Finder = {
  anchors: [[hexadecimal, hexadecimal, ":"]],
  find(text, at) {
    const start = at - 2;
    if (start < 0 || text[start - 1] === ":" || followsWord(text, start)) return undefined;
    groups.lastIndex = start;
    const match = groups.exec(text);
    if (match === null || !isIPv6(match[0]) || documentation6.test(match[0])) return undefined;
    return { start, end: groups.lastIndex, label: "ip" };
  },
};

/** RFC 3849, RFC 9637 and the names of whole networks, `2002::`; everything outside 2000::/3 is local, multicast or unassigned, and the pattern leaves it out. */
const documentation6 = /^(?:2001:0?db8(?::|$)|3fff:(?:0?[0-9a-f]{1,3})?:|[0-9a-f]{4}::$)/i;
