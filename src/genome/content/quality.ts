/** Simple signals of what a text is made of: how long its lines are, how much is letters, how much repeats. */

/** Shorter lines repeat in any text: braces, blank comments, table rules. */
const telling = 20;
/** Distinct lines remembered, about 10 MB; the later lines of a longer text are compared with these. */
const mostLines = 1 << 17;

export interface Quality {
  /** Mean characters of the lines that are not empty. */
  readonly lineLength: number;
  /** Share of letters (Unicode category L) among the characters that are not white space. */
  readonly alphabetic: number;
  /** Share of the characters that stand in lines of 20 characters and more which stood in the text before. */
  readonly repetition: number;
}

/**
 * Measures a text in one pass. Characters are code points, line ends not counted; the values have four decimals and are
 * 0 for an empty text. `repetition` is the duplicate line fraction by characters of Rae et al. 2021 (Gopher, table A1),
 * for long lines.
 *
 * @param text in UTF-8
 */
export function quality(text: Uint8Array): Quality {
  const seen = new Set<number>();
  const view = new DataView(text.buffer, text.byteOffset, text.length);
  let lines = 0;
  let characters = 0;
  let repeated = 0;
  const tally = { visible: 0, letters: 0 };
  for (let start = 0; start < text.length;) {
    const found = text.indexOf(newline, start);
    const end = found < 0 ? text.length : found;
    const length = measureLine(text, start, end, tally);
    if (length > 0) lines++;
    characters += length;
    if (length >= telling) {
      const hash = hashOfLine(view, start, end);
      if (seen.has(hash)) repeated += length;
      else if (seen.size < mostLines) seen.add(hash);
    }
    start = end + 1;
  }
  return {
    lineLength: rounded(characters, lines),
    alphabetic: rounded(tally.letters, tally.visible),
    repetition: rounded(repeated, characters),
  };
}

const newline = 0x0a;
const other = 0;
const letter = 1;
const space = 2;

function kindOf(point: number): number {
  const character = String.fromCodePoint(point);
  if (/\p{L}/u.test(character)) return letter;
  return /\s/.test(character) ? space : other;
}

const ascii = Uint8Array.from({ length: 128 }, (_, byte) => kindOf(byte));

/** Adds the visible characters and the letters of a line to a tally; returns the number of all its characters. */
function measureLine(
  text: Uint8Array,
  start: number,
  end: number,
  tally: { visible: number; letters: number },
): number {
  let spaces = 0;
  let letters = 0;
  let length = 0;
  for (let i = start; i < end; length++) {
    const byte = text[i]!;
    let kind: number;
    if (byte < 0x80) {
      kind = ascii[byte]!;
      i++;
    } else {
      const size = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
      kind = kindAt(text, i, size);
      i += size;
    }
    if (kind === letter) letters++;
    else if (kind === space) spaces++;
  }
  tally.visible += length - spaces;
  tally.letters += letters;
  return length;
}

/** What code points above ASCII are, each found out once: 0 where that is not known yet, else the kind and 1. */
const known = new Uint8Array(0x110000);

function kindAt(text: Uint8Array, at: number, size: number): number {
  let point = text[at]! & (0xff >> (size + 1));
  for (let i = 1; i < size; i++) point = (point << 6) | (text[at + i]! & 0x3f);
  if (known[point] === 0) known[point] = kindOf(point) + 1;
  return known[point]! - 1;
}

/** 53 bits of two hashes: a chance of 1 in 10^6 that any two of 131,072 lines are taken for the same. */
function hashOfLine(view: DataView, start: number, end: number): number {
  let low = end - start;
  let high = 0;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const four = view.getInt32(at, true);
    low = Math.imul(low ^ four, 0x85ebca6b);
    low ^= low >>> 15;
    high = Math.imul((high << 13) | (high >>> 19), 0x9e3779b1) + four;
    high ^= high >>> 16;
  }
  for (; at < end; at++) {
    const byte = view.getUint8(at);
    low = Math.imul(low ^ byte, 0x01000193);
    high = (Math.imul(high, 31) + byte) | 0;
  }
  low = Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  high = Math.imul(high ^ (high >>> 13), 0x27d4eb2f);
  return ((low ^ (low >>> 16)) >>> 0) * 0x200000 + ((high ^ (high >>> 15)) & 0x1fffff);
}

function rounded(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 10_000;
}
