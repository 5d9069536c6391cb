/** Trains a byte-level BPE tokenizer and writes it as a Hugging Face tokenizer.json. Encoding is not done here. */

import { invariant, UserError } from "../errors.ts";
import { byteCharacters } from "./byte-level.ts";
import { createPairQueue } from "./pair-queue.ts";
import { patterns } from "./pre-tokenizers.ts";
import { writeTokenizerJson } from "./tokenizer-files.ts";

export type TrainBpeEvent =
  | { readonly type: "counted"; readonly texts: number; readonly bytes: number; readonly distinctWords: number }
  | { readonly type: "merged"; readonly vocabulary: number; readonly vocabularySize: number };

export interface TrainBpeOptions {
  /** Tokens of the finished vocabulary: special tokens + 256 bytes + merges. Fewer where the texts have no more pairs. */
  readonly vocabularySize: number;
  /** They take the first ids, in this order. */
  readonly specialTokens: readonly string[];
  /** Regular expression whose matches, and the text between them, are never merged across. Default: that of Llama 3. */
  readonly pattern?: string;
  /** A pair seen fewer times is not merged. Default 2. */
  readonly minimumCount?: number;
  readonly onEvent?: (event: TrainBpeEvent) => void;
}

/**
 * Byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909) over bytes (GPT-2), with the rules of the `tokenizers`
 * library's `BpeTrainer`: the most frequent pair is merged first, ties go to the pair of smallest ids, the alphabet is
 * ordered by code point, and a merge whose text is already a token keeps that token's id. Deterministic; the order of the
 * texts does not matter.
 *
 * Texts are read once; memory grows with the number of *distinct* words between the pattern's borders.
 *
 * @returns tokenizer.json as text: model BPE, pre-tokenizer Split + ByteLevel, decoder ByteLevel, no normalizer.
 * @throws UserError("invalid") when the vocabulary cannot hold the bytes and the special tokens.
 */
export async function trainBpe(
  texts: AsyncIterable<string> | Iterable<string>,
  options: TrainBpeOptions,
): Promise<string> {
  const { vocabularySize, specialTokens, pattern = patterns.llama3, minimumCount = 2, onEvent } = options;
  const smallest = specialTokens.length + byteCharacters.length;
  if (!Number.isInteger(vocabularySize) || vocabularySize < smallest) {
    throw new UserError("invalid", `a vocabulary of ${vocabularySize} tokens cannot be built`, {
      hint: `give at least ${smallest}: 256 bytes and ${specialTokens.length} special tokens`,
    });
  }
  const counts = await countWords(texts, pattern, onEvent);

  const tokens = [...specialTokens, ...byteCharacters.toSorted()];
  const ids = new Map(tokens.map((token, id) => [token, id]));
  invariant(ids.size === smallest, "special tokens are distinct and longer than one character");
  const merges = learnMerges(makeWords(counts, ids), tokens, ids, { vocabularySize, minimumCount, onEvent });
  const added = specialTokens.map((content, id) => ({ id, content, special: true }));
  return writeTokenizerJson({ tokens, merges, added, patterns: [pattern] });
}

async function countWords(
  texts: AsyncIterable<string> | Iterable<string>,
  pattern: string,
  onEvent: TrainBpeOptions["onEvent"],
): Promise<Map<string, number>> {
  // `\s` of JavaScript knows U+FEFF and not U+0085; the `tokenizers` library follows Unicode's White_Space.
  const border = new RegExp(pattern.replaceAll("\\s", "\\p{White_Space}").replaceAll("\\S", "\\P{White_Space}"), "gu");
  const counts = new Map<string, number>();
  const add = (word: string): void => {
    const count = counts.get(word);
    // A slice would keep its whole text alive: the first time, the word is copied.
    if (count === undefined) counts.set(Buffer.from(word, "utf8").toString("utf8"), 1);
    else counts.set(word, count + 1);
  };
  let read = 0;
  let bytes = 0;
  for await (const text of texts) {
    let end = 0;
    for (const match of text.matchAll(border)) {
      if (match.index > end) add(text.slice(end, match.index));
      if (match[0] !== "") add(match[0]);
      end = match.index + match[0].length;
    }
    if (end < text.length) add(text.slice(end));
    read++;
    bytes += Buffer.byteLength(text);
  }
  onEvent?.({ type: "counted", texts: read, bytes, distinctWords: counts.size });
  return counts;
}

/** Every distinct word as a run of symbol ids in one array; merging shortens the run in place. */
interface Words {
  readonly symbols: Int32Array;
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
  readonly counts: Float64Array;
}

function makeWords(wordCounts: Map<string, number>, ids: ReadonlyMap<string, number>): Words {
  const idOfByte = Int32Array.from(byteCharacters, (character) => ids.get(character)!);
  let total = 0;
  for (const word of wordCounts.keys()) total += Buffer.byteLength(word);
  const words: Words = {
    symbols: new Int32Array(total),
    starts: new Int32Array(wordCounts.size),
    lengths: new Int32Array(wordCounts.size),
    counts: new Float64Array(wordCounts.size),
  };
  let index = 0;
  let at = 0;
  for (const [word, count] of wordCounts) {
    const bytes = Buffer.from(word, "utf8");
    words.starts[index] = at;
    words.lengths[index] = bytes.length;
    words.counts[index] = count;
    for (const byte of bytes) words.symbols[at++] = idOfByte[byte]!;
    index++;
  }
  return words;
}

interface Pair {
  readonly left: number;
  readonly right: number;
  count: number;
  /** Indices of the words that hold it, or held it once. */
  words: number[];
}

function learnMerges(
  words: Words,
  tokens: string[],
  ids: Map<string, number>,
  options: { vocabularySize: number; minimumCount: number; onEvent: TrainBpeOptions["onEvent"] },
): string[] {
  const { symbols, starts, lengths, counts } = words;
  const { vocabularySize, minimumCount, onEvent } = options;
  const pairs = new Map<number, Pair>();
  const grown = new Set<Pair>();

  const change = (left: number, right: number, by: number, word: number): void => {
    const key = left * vocabularySize + right;
    let pair = pairs.get(key);
    if (pair === undefined) pairs.set(key, (pair = { left, right, count: 0, words: [] }));
    pair.count += by;
    if (by < 0) return;
    if (pair.words.at(-1) !== word) pair.words.push(word);
    grown.add(pair);
  };
  const queue = createPairQueue();
  const enqueueGrown = (): void => {
    for (const { left, right, count } of grown) if (count > 0) queue.push({ left, right, count });
    grown.clear();
  };

  for (let word = 0; word < starts.length; word++) {
    const start = starts[word]!;
    for (let i = start + 1; i < start + lengths[word]!; i++) change(symbols[i - 1]!, symbols[i]!, counts[word]!, word);
  }
  enqueueGrown();

  const merges: string[] = [];
  while (tokens.length < vocabularySize) {
    const top = queue.pop();
    if (top === undefined) break;
    const { left, right } = top;
    const pair = pairs.get(left * vocabularySize + right)!;
    if (pair.count !== top.count) {
      // Counts of queued pairs only fall while they wait, so the true count is put back in its right place.
      if (pair.count > 0) queue.push({ left, right, count: pair.count });
      continue;
    }
    if (pair.count < minimumCount) break;

    const text = tokens[left]! + tokens[right]!;
    let merged = ids.get(text);
    if (merged === undefined) {
      merged = tokens.length;
      tokens.push(text);
      ids.set(text, merged);
    }
    merges.push(`${tokens[left]!} ${tokens[right]!}`);
    const holders = pair.words;
    pair.words = [];
    for (const word of holders) {
      const start = starts[word]!;
      const end = start + lengths[word]!;
      const count = counts[word]!;
      let write = start;
      for (let i = start; i < end; i++, write++) {
        const symbol = symbols[i]!;
        if (symbol !== left || i + 1 >= end || symbols[i + 1]! !== right) {
          symbols[write] = symbol;
          continue;
        }
        if (write > start) {
          const previous = symbols[write - 1]!;
          change(previous, left, -count, word);
          change(previous, merged, count, word);
        }
        if (i + 2 < end) {
          const next = symbols[i + 2]!;
          change(right, next, -count, word);
          change(merged, next, count, word);
        }
        symbols[write] = merged;
        i++;
      }
      lengths[word] = write - start;
    }
    pair.count = 0;
    grown.delete(pair);
    enqueueGrown();
    if (tokens.length % 256 === 0) onEvent?.({ type: "merged", vocabulary: tokens.length, vocabularySize });
  }
  return merges;
}
