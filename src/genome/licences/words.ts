/** Texts as sequences of words: what remains of a licence once layout, case, punctuation and spelling are set aside. */

/** Lower-cased words of letters and digits joined by single spaces, with "licence" spelt "license". */
export function normalise(text: string): string {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).join(" ").replaceAll("licence", "license");
}

interface Line {
  readonly text: string;
  /** Whether it states a copyright, which says whose the work is and not under which terms it stands. */
  readonly isCopyright: boolean;
}

export interface Word {
  readonly word: string;
  readonly line: Line;
}

/** A line such as "Copyright (c) 2024 Name", not one where a wrapped sentence goes on with "copyright notice". */
const copyrightLine =
  /^[^\p{L}\p{N}]*(?:[Pp]ortions )?(?:©|\([Cc]\)\s+(?:[Cc]opyright\b|\d{4})|(?:[Cc]opyright|COPYRIGHT)\W*(?:\([Cc]\)|©|[<[{\d]|yyyy|YEAR)|[Cc]opyright (?:by )?(?!Holder|Notice|Owner|Act)\p{Lu}\p{Ll})/u;

/** The words of a text that make a difference between licences: not the numbers and letters that only count items. */
export function wordsOf(text: string): readonly Word[] {
  return text.split("\n").flatMap((lineText) => {
    const line: Line = { text: lineText, isCopyright: copyrightLine.test(lineText) };
    return normalise(lineText)
      .split(" ")
      .filter((word) => !/^(?:\p{L}|\d{1,2}|ii|iii|iv|vi|)$/u.test(word))
      .map((word) => ({ word, line }));
  });
}

const shingleWords = 3;

/** The runs of three words of a sequence. */
export function shinglesOf(words: readonly Word[]): ReadonlySet<string> {
  const shingles = new Set<string>();
  for (let at = 0; at + shingleWords <= words.length; at++) shingles.add(shingle(words, at));
  return shingles;
}

/** For each word 1 where it stands in a run of three that is among `shingles`, else 0. */
export function coveredBy(words: readonly Word[], shingles: ReadonlySet<string>): Uint8Array {
  const covered = new Uint8Array(words.length);
  for (let at = 0; at + shingleWords <= words.length; at++) {
    if (shingles.has(shingle(words, at))) covered.fill(1, at, at + shingleWords);
  }
  return covered;
}

function shingle(words: readonly Word[], at: number): string {
  return `${words[at]!.word} ${words[at + 1]!.word} ${words[at + 2]!.word}`;
}
