/** White space above ASCII in UTF-8: the code points of JavaScript's `\s`. */

/** The first bytes that such white space has. */
export const spaceLeads: ReadonlySet<number> = new Set([0xc2, 0xe1, 0xe2, 0xe3, 0xef]);

/** The bytes of the white space above ASCII that begins at `at`, or 0. */
export function spaceAt(text: Uint8Array, at: number): 0 | 2 | 3 {
  const first = text[at]!;
  const second = text[at + 1] ?? 0;
  if (first === 0xc2) return second === 0xa0 ? 2 : 0; // U+00A0
  return isSpace((first << 16) | (second << 8) | (text[at + 2] ?? 0)) ? 3 : 0;
}

/** Whether three bytes are U+1680, U+2000 to 200A, 2028, 2029, 202F, 205F, 3000 or FEFF. */
function isSpace(three: number): boolean {
  if (three >= 0xe28080 && three <= 0xe280af) {
    return three <= 0xe2808a || three === 0xe280a8 || three === 0xe280a9 || three === 0xe280af;
  }
  return three === 0xe19a80 || three === 0xe2819f || three === 0xe38080 || three === 0xefbbbf;
}
