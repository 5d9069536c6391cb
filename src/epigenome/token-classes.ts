/** Classes of tokens: what kind of text each stands for, so that rules can give them weights of their own in the loss. */

/**
 * What a byte of text belongs to; the first that holds:
 *
 * - `path`: a URL (`scheme://` up to white space, a quote or a bracket), or names joined by slashes that begin with `/`, `./`, `../`,
 *   `~/` or a drive letter, have two slashes or more, or end in a name with an extension. Not what only digits make
 *   (`10/12/2020`), not the end of a tag (`</div>`), not two words with a slash between them (`and/or`).
 * - `number`: digits that follow no letter, digit or underscore, with inner `_`, fractions, thousands and exponent, or
 *   hexadecimal, octal, binary with its prefix. A sign and a unit are not part of it.
 * - `identifier`: a word that no prose has: with `_`, `$`, a digit, or an upper-case letter after a lower-case one in it;
 *   or joined to the next or the last word by `.`, `::` or `->` without a space; or with `(` right behind it.
 * - `prose`: every other word, inner apostrophes and hyphens included; keywords and plain names of code are among them.
 *
 * Everything else (white space, punctuation, bytes that are not UTF-8) is of no class.
 */
export const tokenClasses = ["path", "number", "identifier", "prose"] as const;
export type TokenClass = (typeof tokenClasses)[number];

/** Factors of the loss weight by class; 1 where a class is left out. */
export type Emphasis = { readonly [K in TokenClass]?: number | undefined };

/** In bytes of no class. */
const NONE = tokenClasses.length;

const name = String.raw`[\p{L}\p{N}_.@+~-]+`;
const url = String.raw`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>()\[\]{}` + "`" + String.raw`]+`;
const rooted = String.raw`(?:\.{1,2}|~)?/${name}(?:/${name})*/?`;
const drive = String.raw`[A-Za-z]:\\${name}(?:\\${name})*`;
const nested = String.raw`${name}(?:/${name}){2,}/?`;
const filed = String.raw`${name}/[\p{L}\p{N}_.@+~-]*[\p{L}\p{N}_]\.\p{L}[\p{L}\p{N}]{0,9}(?![\p{L}\p{N}_])`;
const path = String.raw`(?<![\p{L}\p{N}_.@+~/<\\-])(?![\p{N}/]+(?![\p{L}\p{N}_.@+~/-]))(?:${url}|${drive}|${nested}|${filed}|${rooted})`;
const number = String.raw`(?<![\p{L}\p{N}_])(?:0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\p{Nd}[\p{Nd}_]*(?:[.,]\p{Nd}+)*(?:[eE][+-]?\p{Nd}+)?)`;
const word = String.raw`[\p{L}_$][\p{L}\p{M}\p{N}_$]*(?:['’-]\p{L}[\p{L}\p{M}]*)*`;
const pattern = new RegExp(`(?<path>${path})|(?<number>${number})|(?<word>${word})`, "gu");

const unlikeProse = /[_$\p{N}]|\p{Ll}\p{Lu}/u;
const joinsNext = /^(?:\(|(?:\.|::|->)[\p{L}_$])/u;
const joinsLast = /[\p{L}\p{N}_$)\]](?:\.|::|->)$/u;

/**
 * The class of each UTF-16 unit of a text, as its index in `tokenClasses`, or one more for none.
 */
export function classesOfText(text: string): Uint8Array {
  const classes = new Uint8Array(text.length).fill(NONE);
  for (const { 0: found, index, groups } of text.matchAll(pattern)) {
    const end = index + found.length;
    let own: TokenClass = "prose";
    if (groups!["path"] !== undefined) own = "path";
    else if (groups!["number"] !== undefined) own = "number";
    else if (isIdentifier(text, found, index, end)) own = "identifier";
    classes.fill(tokenClasses.indexOf(own), index, end);
  }
  return classes;
}

function isIdentifier(text: string, word: string, start: number, end: number): boolean {
  return (
    unlikeProse.test(word) || joinsNext.test(text.slice(end, end + 4)) || joinsLast.test(text.slice(start - 3, start))
  );
}

/**
 * The class of each id, as its index in `tokenClasses`, or one more for none: that of most of its bytes; of equally many the
 * class that is named first, so a space and a letter are prose. Ids without bytes (special tokens) are of no class, and
 * what stands on both sides of one is not one text.
 *
 * @param bytesOf as `Tokenizer.bytesOf`
 */
export function classesOfIds(ids: ArrayLike<number>, bytesOf: (id: number) => Uint8Array | undefined): Uint8Array {
  const classes = new Uint8Array(ids.length).fill(NONE);
  for (let from = 0; from < ids.length;) {
    const tokens: Uint8Array[] = [];
    for (let i = from; i < ids.length; i++) {
      const bytes = bytesOf(ids[i]!);
      if (bytes === undefined) break;
      tokens.push(bytes);
    }
    const ofBytes = classesOfBytes(Buffer.concat(tokens));
    let at = 0;
    for (const [i, { length }] of tokens.entries()) {
      classes[from + i] = mostFrequent(ofBytes.subarray(at, at + length));
      at += length;
    }
    from += tokens.length + 1;
  }
  return classes;
}

/** The class of each byte of UTF-8; where the bytes are not UTF-8, all are of none. */
function classesOfBytes(bytes: Buffer): Uint8Array {
  const classes = new Uint8Array(bytes.length).fill(NONE);
  const text = bytes.toString("utf8");
  if (!Buffer.from(text).equals(bytes)) return classes;
  const ofText = classesOfText(text);
  let at = 0;
  for (let i = 0; i < text.length;) {
    const point = text.codePointAt(i)!;
    const size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    classes.fill(ofText[i]!, at, at + size);
    at += size;
    i += point < 0x10000 ? 1 : 2;
  }
  return classes;
}

function mostFrequent(classes: Uint8Array): number {
  const counts = new Uint32Array(NONE + 1);
  for (const of of classes) counts[of]! += 1;
  return classes.length === 0 ? NONE : counts.indexOf(Math.max(...counts));
}

/** Whether an emphasis changes any weight. */
export function emphasises(emphasis: Emphasis): boolean {
  return tokenClasses.some((of) => (emphasis[of] ?? 1) !== 1);
}

/** The factor of each id's loss weight. */
export function emphasisOfIds(
  ids: ArrayLike<number>,
  emphasis: Emphasis,
  bytesOf: (id: number) => Uint8Array | undefined,
): Float32Array {
  const factors = [...tokenClasses.map((of) => emphasis[of] ?? 1), 1];
  return Float32Array.from(classesOfIds(ids, bytesOf), (of) => factors[of]!);
}
