/** Where a token begins and ends in a text that may itself be quoted or escaped: the character tests that all rules share. */

const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
export const digits = "0123456789";
export const letters = `${upper}${upper.toLowerCase()}`;
const word = classOf(`${letters}${digits}_`);
/** What a secret goes on with: base64 in both alphabets, and the separators inside tokens and URL paths. */
const tokenTail = classOf(`${letters}${digits}_-+/=~`);
/** Only inside a token, never its last character: "the key is ABC." ends before the full stop. */
const tokenJoint = classOf(".:%");
const urlEnd = classOf(" \t\r\n\f\v\"'`<>()[]{}|\\,;\u007f");

/** A table of the ASCII characters of `members`. */
export function classOf(members: string): Uint8Array {
  const table = new Uint8Array(128);
  for (let i = 0; i < members.length; i++) table[members.charCodeAt(i)] = 1;
  return table;
}

const has = (table: Uint8Array, code: number): boolean => code < 128 && table[code] === 1;

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

export function isWord(code: number): boolean {
  return has(word, code);
}

/** Whether a word character, the last of an escape sequence such as `\n` aside, stands before `index`. */
export function followsWord(text: string, index: number): boolean {
  return index > 0 && isWord(text.charCodeAt(index - 1)) && escapeEnd(text, index - 1) === index - 1;
}

const escape = /\\(?:[abefnrtv0]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[0-7]{3})|%[0-9a-fA-F]{2}/y;

/** The end of the escape sequence whose first character after `\` or `%` is at `index`, or `index` where there is none. */
export function escapeEnd(text: string, index: number): number {
  if (index === 0) return index;
  const sign = text.charCodeAt(index - 1);
  if (sign !== 92 && sign !== 37) return index;
  escape.lastIndex = index - 1;
  return escape.test(text) ? escape.lastIndex : index;
}

/**
 * The start of the token that `start` lies in, not before `floor`. Only word characters and inner hyphens belong to it,
 * so that the `+` or `-` of a line in a diff stays, as does an escape sequence in front.
 */
export function tokenStart(text: string, start: number, floor: number): number {
  let at = start;
  while (at > floor && (isWord(text.charCodeAt(at - 1)) || text.charCodeAt(at - 1) === 45)) at--;
  at = Math.min(start, escapeEnd(text, at));
  while (at < start && text.charCodeAt(at) === 45) at++;
  return at;
}

/** The end of the backslashes at `at` that escape a slash, as JSON allows, or `at` where there are none. */
function slashAt(text: string, at: number): number {
  if (text.charCodeAt(at) !== 92) return at;
  let slash = at;
  while (text.charCodeAt(slash) === 92) slash++;
  return text.charCodeAt(slash) === 47 ? slash : at;
}

/** The end of the token that goes on at `end`. */
export function tokenEnd(text: string, end: number): number {
  let at = end;
  for (;;) {
    while (at < text.length && has(tokenTail, text.charCodeAt(at))) at++;
    const slash = slashAt(text, at);
    const joined = has(tokenJoint, text.charCodeAt(at)) && has(tokenTail, text.charCodeAt(at + 1));
    if (slash === at && !joined) return at;
    at = Math.max(slash, at + 1);
  }
}

/** The end of the URL that goes on at `end`: at white space, a quote, a bracket or a backslash, without a closing full stop. */
export function urlEndAt(text: string, end: number): number {
  let at = end;
  for (;;) {
    while (at < text.length && !has(urlEnd, text.charCodeAt(at))) at++;
    const slash = slashAt(text, at);
    if (slash === at) break;
    at = slash;
  }
  while (at > end && /[.:!?]/.test(text.charAt(at - 1))) at--;
  return at;
}
