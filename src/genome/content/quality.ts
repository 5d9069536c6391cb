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
 */
export function quality(text: string): Quality {
  const kindAt = kindReader();
  const seen = new Set<number>();
  let lines = 0;
  let characters = 0;
  let visible = 0;
  let letters = 0;
  let repeated = 0;
  let length = 0;
  let low = 0;
  let high = 0;
  for (let i = 0; i <= text.length; i++) {
    const unit = i < text.length ? text.charCodeAt(i) : newline;
    if (unit === newline) {
      if (length > 0) lines++;
      characters += length;
      if (length >= telling) {
        // 53 bits of two hashes: a chance of 1 in 10^6 that any two of 131,072 lines are taken for the same.
        const hash = (low >>> 0) * 0x200000 + (high & 0x1fffff);
        if (seen.has(hash)) repeated += length;
        else if (seen.size < mostLines) seen.add(hash);
      }
      length = 0;
      low = 0;
      high = 0;
      continue;
    }
    low = Math.imul(low ^ unit, 0x01000193);
    high = (Math.imul(high, 31) + unit) | 0;
    const kind = unit < 128 ? ascii[unit]! : kindAt(text, i, unit);
    if (kind === half) continue;
    length++;
    if (kind !== space) visible++;
    if (kind === letter) letters++;
  }
  return {
    lineLength: rounded(characters, lines),
    alphabetic: rounded(letters, visible),
    repetition: rounded(repeated, characters),
  };
}

const newline = 0x0a;
const other = 0;
const letter = 1;
const space = 2;
const half = 3;

function kindOf(point: number): number {
  const character = String.fromCodePoint(point);
  if (/\p{L}/u.test(character)) return letter;
  return /\s/.test(character) ? space : other;
}

const ascii = Uint8Array.from({ length: 128 }, (_, unit) => kindOf(unit));

const unknown = 255;

/** Finds out the kind of each character of a text above ASCII once; the table is made when the first one comes. */
function kindReader(): (text: string, i: number, unit: number) => number {
  const astral = new Map<number, number>();
  let basic: Uint8Array | undefined;
  return (text, i, unit) => {
    if (unit >= 0xd800 && unit <= 0xdfff) {
      const point = text.codePointAt(i)!;
      // The second half of a pair was counted with its first; a lone half is a character of its own.
      if (point <= 0xffff) return unit >= 0xdc00 && i > 0 && text.codePointAt(i - 1)! > 0xffff ? half : other;
      let kind = astral.get(point);
      if (kind === undefined) astral.set(point, (kind = kindOf(point)));
      return kind;
    }
    basic ??= new Uint8Array(1 << 16).fill(unknown);
    if (basic[unit] === unknown) basic[unit] = kindOf(unit);
    return basic[unit]!;
  };
}

function rounded(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 10_000;
}
