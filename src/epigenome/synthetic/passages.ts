/** Passages of a text: stretches that a model can read at once and be asked about. */

export interface PassageOptions {
  /** Most tokens of a passage. */
  readonly maxTokens: number;
  /** Tokens of a piece of text. */
  readonly tokensOf: (text: string) => number;
}

/** Fewer words say too little to ask about. */
const MIN_WORDS = 20;
/** Part of the characters other than white space that are letters: tables and rules of dashes have fewer. */
const MIN_LETTERS = 0.6;

/**
 * Cuts a text at blank lines, longer stretches at line ends, and joins neighbours while they fit. What has fewer than 20
 * words, or is mostly other than letters, is no passage; nor is a line that is longer than a passage may be.
 */
export function passagesOf(text: string, { maxTokens, tokensOf }: PassageOptions): string[] {
  const passages: string[] = [];
  let held = "";
  let heldTokens = 0;
  const flush = (): void => {
    const passage = held.replace(/^(?:[ \t]*\n)+/, "").trimEnd();
    if (isWorthAsking(passage)) passages.push(passage);
    held = "";
    heldTokens = 0;
  };
  for (const block of blocksOf(text)) {
    const tokens = tokensOf(block);
    if (heldTokens + tokens > maxTokens) flush();
    if (tokens <= maxTokens) {
      held += block;
      heldTokens += tokens;
      continue;
    }
    for (const line of block.split(/(?<=\n)/)) {
      const own = tokensOf(line);
      if (heldTokens + own > maxTokens) flush();
      if (own > maxTokens) continue;
      held += line;
      heldTokens += own;
    }
    flush();
  }
  flush();
  return passages;
}

/** Stretches between blank lines, each with the blank lines behind it; they join to the text. */
function blocksOf(text: string): string[] {
  return text.split(/(?<=\n[ \t]*\n)(?![ \t]*\n)/);
}

function isWorthAsking(passage: string): boolean {
  const letters = passage.match(/\p{L}/gu)?.length ?? 0;
  const characters = passage.match(/\S/gu)?.length ?? 0;
  return (passage.match(/\p{L}{2,}/gu)?.length ?? 0) >= MIN_WORDS && letters >= MIN_LETTERS * characters;
}
