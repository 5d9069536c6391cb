/** The words of a text that carry its content, for comparing two texts by what they speak of. */

/** English words of grammar and of asking. */
const FUNCTION_WORDS = new Set(
  (
    "a about after all also an and any are as at be because been before being both but by can could did do does doing " +
    "each for from had has have having he her his how i if in into is it its itself just may me might more most much must " +
    "my no nor not of on one only or other our out over own same she should so some such than that the their them then " +
    "there these they this those through to too under until up use used uses using very was we were what when where which " +
    "while who whom whose why will with would yes you your"
  ).split(" "),
);

/**
 * Words of two letters and more that are no words of grammar, in lower case and without the endings of English, and
 * numbers, in the order of the text. Identifiers are taken apart: `maxTokens` is two words.
 */
export function contentWords(text: string): string[] {
  const apart = text.replaceAll(/(\p{Ll})(\p{Lu})/gu, "$1 $2").toLowerCase();
  const words = apart.match(/\p{L}{2,}|\d+(?:[.,]\d+)*/gu) ?? [];
  return words.filter((word) => !FUNCTION_WORDS.has(word)).map(stem);
}

/** Whether a word is a number. */
export function isNumber(word: string): boolean {
  return /^\d/.test(word);
}

/** Takes off what changes with number and tense; coarse, but the same for both sides of a comparison. */
function stem(word: string): string {
  if (word.length < 5) return word;
  const bare = word.replace(/(?:ies|ied)$/, "y").replace(/(?:ing|ed|es|s|ly)$/, "");
  return bare.length < 3 ? word : bare.replace(/e$/, "");
}
