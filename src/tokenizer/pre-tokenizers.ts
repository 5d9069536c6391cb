/** Pre-tokenizers: where a text is cut before byte-pair merging, and what GGUF files call the ways of cutting. */

const contractions = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
const endings = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const upper = "\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}";
const lower = "\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}";
const capitals = `[^\\r\\n\\p{L}\\p{N}]?[${upper}]*[${lower}]+`;
const mixed = `[^\\r\\n\\p{L}\\p{N}]?[${upper}]+[${lower}]*`;

/** Regular expressions as Oniguruma (of the `tokenizers` library) reads them; `\s` is Unicode's White_Space. */
export const patterns = {
  gpt2: "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  llama3: `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${endings}`,
  qwen2: `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${endings}`,
  tekken: `${capitals}|${mixed}|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${endings}`,
  gpt4o: `${capitals}${contractions}?|${mixed}${contractions}?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${endings}`,
  digit: "\\p{N}",
  digits: "\\p{N}+",
} as const;

/** What a `tokenizer.ggml.pre` name stands for. */
export interface GgufPreTokenizer {
  /** Applied one after the other, each to the pieces that the one before left. */
  readonly patterns: readonly string[];
  /** A piece that is a token as a whole is not taken apart. */
  readonly ignoreMerges: boolean;
  /** Where the file does not say: is the token that begins a text put before it? */
  readonly addBos: boolean;
}

const plain = { ignoreMerges: false, addBos: false };
const gpt2: GgufPreTokenizer = { patterns: [patterns.gpt2], ...plain };
const digitsApart: GgufPreTokenizer = { patterns: [patterns.digit, patterns.gpt2], ...plain };
const llama3: GgufPreTokenizer = { patterns: [patterns.llama3], ignoreMerges: true, addBos: true };
const llama3Merges: GgufPreTokenizer = { patterns: [patterns.llama3], ...plain };
const qwen2: GgufPreTokenizer = { patterns: [patterns.qwen2], ...plain };

/** Names and their meaning as in llama.cpp, src/llama-vocab.cpp. A file without a name is read as "default". */
export const ggufPreTokenizers: ReadonlyMap<string, GgufPreTokenizer> = new Map([
  [
    "default",
    {
      patterns: ["[\\p{P}\\$\\+<=>\\^~\\|]+", patterns.gpt2, patterns.digits, "[0-9][0-9][0-9]"],
      ...plain,
    },
  ],
  ["gpt-2", gpt2],
  ["phi-2", gpt2],
  ["mpt", gpt2],
  ["olmo", gpt2],
  ["smollm", digitsApart],
  ["starcoder", digitsApart],
  ["refact", digitsApart],
  ["command-r", digitsApart],
  ["codeshell", digitsApart],
  ["llama3", llama3],
  ["llama-v3", llama3],
  ["llama-bpe", llama3],
  ["falcon3", llama3],
  ["dbrx", llama3Merges],
  ["smaug-bpe", llama3Merges],
  ["qwen2", qwen2],
  ["deepseek-r1-qwen", qwen2],
  ["stablelm2", qwen2],
  ["megrez", qwen2],
  ["tekken", { patterns: [patterns.tekken], ignoreMerges: true, addBos: true }],
  ["gpt-4o", { patterns: [patterns.gpt4o], ...plain }],
]);

/** A pre-tokenizer of tokenizer.json, as far as it is read here. */
export interface PreTokenizerJson {
  readonly type: string;
  readonly pretokenizers?: readonly PreTokenizerJson[];
  readonly pattern?: { readonly Regex?: string; readonly String?: string };
  readonly behavior?: string;
  readonly invert?: boolean;
  readonly individual_digits?: boolean;
  readonly add_prefix_space?: boolean;
  readonly use_regex?: boolean;
  readonly trim_offsets?: boolean;
}

/** The `Split` pre-tokenizer of tokenizer.json that cuts at every match of `pattern` and between them. */
export function splitPattern(pattern: string): PreTokenizerJson {
  return { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false };
}

export const byteLevel: PreTokenizerJson = {
  type: "ByteLevel",
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: false,
};

/**
 * A byte-level pre-tokenizer as the list of splits that come before its bytes, or `undefined` where it is of another kind.
 * `Digits` and the regular expression inside `ByteLevel` become splits of the same meaning, because the JavaScript library
 * differs there from the Rust one: it takes only ASCII digits for digits, and U+FEFF but not U+0085 for white space.
 */
export function splitsBeforeBytes(preTokenizer: PreTokenizerJson | null): PreTokenizerJson[] | undefined {
  if (preTokenizer === null) return undefined;
  const steps = preTokenizer.type === "Sequence" ? (preTokenizer.pretokenizers ?? []) : [preTokenizer];
  const last = steps.at(-1);
  if (last?.type !== "ByteLevel" || last.add_prefix_space !== false) return undefined;
  const splits: PreTokenizerJson[] = [];
  for (const step of steps.slice(0, -1)) {
    if (step.type === "Digits") splits.push(splitPattern(step.individual_digits ? patterns.digit : patterns.digits));
    else if (step.type === "Split" && step.behavior === "Isolated" && step.invert !== true) splits.push(step);
    else return undefined;
  }
  if (last.use_regex !== false) splits.push(splitPattern(patterns.gpt2));
  return splits;
}
