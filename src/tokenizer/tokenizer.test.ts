import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { UserError } from "../errors.ts";
import { tokenizerFiles, writeTokenizerJson } from "./tokenizer-files.ts";
import { byteCharacters } from "./byte-level.ts";
import { patterns } from "./pre-tokenizers.ts";
import { checkTokenizer, loadTokenizer, makeTokenizer } from "./tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";

const small = readFileSync(new URL("../../test/fixtures/tokenizer-small.json", import.meta.url), "utf8");
const larva = (): Tokenizer =>
  makeTokenizer(tokenizerFiles(small, { bos: "<|endoftext|>", eos: "<|endoftext|>" }), { where: "larva" });

const hasCode =
  (code: string, ...parts: string[]) =>
  (error: unknown): boolean =>
    error instanceof UserError && error.code === code && parts.every((part) => error.message.includes(part));

/** Bytes and these special tokens, no merges. */
const family = (specials: string[], options: Parameters<typeof tokenizerFiles>[1]): Tokenizer => {
  const added = specials.map((content, i) => ({ id: 256 + i, content, special: true }));
  const json = writeTokenizerJson({
    tokens: [...byteCharacters, ...specials],
    merges: [],
    added,
    patterns: [patterns.gpt2],
  });
  return makeTokenizer(tokenizerFiles(json, options), { where: "family" });
};

test("text decodes back whatever it is", () => {
  const tokenizer = larva();
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), (text) => {
      assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
    }),
    { seed: 7, numRuns: 300 },
  );
  assert.equal(tokenizer.decode([]), "");
  assert.deepEqual(tokenizer.encode(""), []);
});

test("nothing is put around a text, special tokens inside it are found, and can be left out of the text", () => {
  const tokenizer = larva();
  assert.equal(tokenizer.separator, 0);
  assert.equal(tokenizer.bos, undefined);
  assert.deepEqual(tokenizer.stop, [0]);
  assert.equal(tokenizer.vocabularySize, 520);
  const ids = tokenizer.encode("a<|endoftext|>b");
  assert.deepEqual(ids, [tokenizer.idOf("a"), 0, tokenizer.idOf("b")]);
  assert.equal(tokenizer.decode(ids), "a<|endoftext|>b");
  assert.equal(tokenizer.decode(ids, { skipSpecial: true }), "ab");
});

test("spaces before punctuation stay as they are", () => {
  const tokenizer = larva();
  assert.equal(tokenizer.decode(tokenizer.encode("a . b ? it 's do n't")), "a . b ? it 's do n't");
});

test("the document separator is the family's, not the end of a chat turn", () => {
  const smollm = family(["<|endoftext|>", "<|im_start|>", "<|im_end|>"], { bos: "<|im_start|>", eos: "<|im_end|>" });
  assert.equal(smollm.separator, 256);
  assert.deepEqual(smollm.stop, [256, 258]);
  const llama3 = family(["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"], {
    bos: "<|begin_of_text|>",
    eos: "<|eot_id|>",
    addBos: true,
  });
  assert.equal(llama3.separator, 257);
  assert.equal(llama3.bos, 256);
  assert.deepEqual(llama3.stop, [257, 258]);
  assert.equal(family(["<s>", "</s>"], { bos: "<s>", eos: "</s>", addBos: true }).separator, 257);
  assert.equal(family(["<bos>", "<finish>"], { eos: "<finish>" }).separator, 257);
  assert.throws(() => family(["<bos>"], {}), hasCode("unsupported", "ends a document"));
});

test("the beginning of a text is read from tokenizer.json where the configuration is silent", () => {
  const bos = { id: 256, content: "<s>", special: true };
  const added = [bos, { id: 257, content: "</s>", special: true }];
  const tokens = [...byteCharacters, "<s>", "</s>"];
  const json = writeTokenizerJson({ tokens, merges: [], added, patterns: [patterns.gpt2], bos });
  const files = new Map([["tokenizer.json", Buffer.from(json)]]);
  const tokenizer = makeTokenizer(files, { where: "x" });
  assert.equal(tokenizer.bos, 256);
  assert.deepEqual(tokenizer.encode("a"), [tokenizer.idOf("a")]);
});

test("streaming gives whole characters and the same text", () => {
  const tokenizer = larva();
  for (const text of ["naïve 👨‍👩‍👧 Größe\n    return x", "你好" + "👍🏽".repeat(5), "e\u0301\uFFFD\uFEFF!"]) {
    const stream = tokenizer.stream();
    const pieces = tokenizer.encode(text).map((id) => stream.push(id));
    assert.equal(pieces.join("") + stream.end(), text);
    if (!text.includes("\uFFFD")) assert.ok(pieces.every((piece) => !piece.includes("\uFFFD")));
  }
  const broken = tokenizer.stream();
  const [first] = tokenizer.encode("👍");
  assert.equal(broken.push(first!), "");
  assert.equal(broken.end(), "\uFFFD");
  assert.equal(broken.end(), "");
});

test("a chat template is rendered with the special tokens, wherever it stands", () => {
  const template =
    "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}" +
    "{% if add_generation_prompt %}<assistant>{% endif %}";
  const messages = [{ role: "user", content: "hi" }];
  const expected = "<|endoftext|><user>hi<|endoftext|>";
  const names = { bos: "<|endoftext|>", eos: "<|endoftext|>" };
  const inConfig = makeTokenizer(tokenizerFiles(small, { ...names, chatTemplate: template }), { where: "x" });
  assert.equal(inConfig.renderChat(messages, { addGenerationPrompt: false }), expected);
  assert.equal(inConfig.renderChat(messages, { addGenerationPrompt: true }), `${expected}<assistant>`);
  const files = tokenizerFiles(small, names).set("chat_template.jinja", Buffer.from(template));
  assert.equal(makeTokenizer(files, { where: "x" }).renderChat(messages, { addGenerationPrompt: false }), expected);
  const strict = tokenizerFiles(small, { ...names, chatTemplate: "{{ raise_exception('roles must alternate') }}" });
  assert.throws(
    () => makeTokenizer(strict, { where: "x" }).renderChat(messages, { addGenerationPrompt: false }),
    hasCode("invalid", "roles must alternate"),
  );
  assert.throws(() => larva().renderChat(messages, { addGenerationPrompt: true }), hasCode("unsupported", "larva"));
});

test("a tokenizer larger than the model is refused", () => {
  checkTokenizer(larva(), 520);
  assert.throws(() => checkTokenizer(larva(), 519), hasCode("mismatch", "520", "519"));
});

test("a folder is read with all its files, and a bad one is named", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tokenizer-"));
  try {
    await assert.rejects(loadTokenizer(folder), hasCode("not-found", folder));
    for (const [name, bytes] of tokenizerFiles(small, { eos: "<|endoftext|>" }))
      await writeFile(join(folder, name), bytes);
    await writeFile(join(folder, "config.json"), JSON.stringify({ eos_token_id: [0, 5] }));
    const tokenizer = await loadTokenizer(folder);
    assert.deepEqual(tokenizer.stop, [0, 5]);
    assert.deepEqual(
      [...tokenizer.files.keys()],
      ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"],
    );
    await writeFile(join(folder, "tokenizer.json"), small.slice(0, 1000));
    await assert.rejects(loadTokenizer(folder), hasCode("damaged", "tokenizer.json"));
    await writeFile(join(folder, "tokenizer.json"), JSON.stringify({ ...JSON.parse(small), model: { type: "Odd" } }));
    await assert.rejects(loadTokenizer(folder), hasCode("unsupported", folder));
  } finally {
    await rm(folder, { recursive: true });
  }
});
