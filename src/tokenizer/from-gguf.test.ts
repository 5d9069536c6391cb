import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import { tokenizerFromGguf } from "./from-gguf.ts";
import { tokenizerFiles } from "./tokenizer-files.ts";
import { makeTokenizer } from "./tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";

const small = readFileSync(new URL("../../test/fixtures/tokenizer-small.json", import.meta.url), "utf8");
const { model } = JSON.parse(small) as { model: { vocab: Record<string, number>; merges: string[] } };
const reference = JSON.parse(
  readFileSync(new URL("../../test/fixtures/tokenizer-ids.json", import.meta.url), "utf8"),
) as { samples: string[]; variants: Record<string, { ids: number[][] }> };

const tokens: string[] = [];
for (const [token, id] of Object.entries(model.vocab)) tokens[id] = token;

const read = (changes: Record<string, unknown> = {}): Tokenizer => {
  const keys: Record<string, unknown> = {
    model: "gpt2",
    pre: "llama-bpe",
    tokens,
    merges: model.merges,
    token_type: tokens.map((_, id) => (id === 0 ? 3 : 1)),
    bos_token_id: 0,
    eos_token_id: 0,
    add_bos_token: false,
    ...changes,
  };
  const entries = Object.entries(keys).filter(([, value]) => value !== undefined);
  const metadata = new Map(entries.map(([key, value]) => [`tokenizer.ggml.${key}`, value]));
  return tokenizerFromGguf({ path: "model.gguf", metadata });
};

const refused =
  (code: string, ...parts: string[]) =>
  (error: unknown): boolean =>
    error instanceof UserError &&
    error.code === code &&
    parts.every((part) => `${error.message} ${error.hint}`.includes(part));

for (const [pre, variant] of [
  ["smollm", "SmolLM"],
  ["gpt-2", "GPT-2"],
] as const) {
  test(`pre-tokenizer ${pre} gives the ids of Python tokenizers`, () => {
    const tokenizer = read({ pre });
    reference.samples.forEach((sample, i) => {
      assert.deepEqual(tokenizer.encode(sample), reference.variants[variant]!.ids[i], JSON.stringify(sample));
    });
  });
}

test("the files it writes make the same tokenizer again", () => {
  const tokenizer = read({ pre: "qwen2" });
  const again = makeTokenizer(tokenizer.files, { where: "x" });
  for (const sample of reference.samples) assert.deepEqual(again.encode(sample), tokenizer.encode(sample));
  assert.equal(again.separator, tokenizer.separator);
  assert.deepEqual([...tokenizer.files.keys()], [...tokenizerFiles(small).keys()]);
});

test("a piece that is a token is not taken apart where the name says so", () => {
  // "Odd" is a token that no merges lead to: they stop at "O" and "dd".
  const odd = { tokens: [...tokens, "Odd"], token_type: undefined };
  assert.deepEqual(read({ ...odd, pre: "llama-bpe" }).encode("Odd"), [tokens.length]);
  assert.equal(read({ ...odd, pre: "gpt-2" }).encode("Odd").length, 2);
});

test("control and user-defined tokens are found in text, only the former are special", () => {
  const kinds = [...tokens.map((_, id) => (id === 0 ? 3 : 1)), 3, 4];
  const tokenizer = read({ tokens: [...tokens, "<|tool|>", "<b>"], token_type: kinds });
  const ids = tokenizer.encode("<|tool|><b>");
  assert.deepEqual(ids, [tokens.length, tokens.length + 1]);
  assert.equal(tokenizer.decode(ids, { skipSpecial: true }), "<b>");
});

test("the token before a text comes from the file, or else from the pre-tokenizer's name", () => {
  assert.equal(read({ add_bos_token: true }).bos, 0);
  assert.equal(read({ add_bos_token: undefined, pre: "llama-bpe" }).bos, 0);
  assert.equal(read({ add_bos_token: undefined, pre: "qwen2" }).bos, undefined);
  assert.equal(read({ add_bos_token: true, bos_token_id: undefined }).bos, undefined);
});

test("what cannot be read is refused by name", () => {
  assert.throws(() => read({ model: "llama" }), refused("unsupported", "model.gguf", '"llama"'));
  assert.throws(() => read({ pre: "odd-one" }), refused("unsupported", '"odd-one"', "smollm", "llama-bpe"));
  assert.throws(() => read({ tokens: undefined }), refused("damaged", "tokenizer.ggml.tokens"));
  assert.throws(() => read({ tokens: [...tokens, "a"] }), refused("damaged", "twice"));
  assert.throws(() => read({ merges: ["q zz"] }), refused("damaged", "q zz"));
  assert.throws(() => read({ token_type: [1] }), refused("damaged", "token_type"));
  assert.throws(() => read({ eos_token_id: 99_999 }), refused("damaged", "99999"));
});
