import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { createEncoder, withExactPreTokenizer } from "./encode.ts";
import { Tokenizer } from "./library.ts";
import { trainBpe } from "./train-bpe.ts";

const fixture = (name: string): string => readFileSync(new URL(`../../test/fixtures/${name}`, import.meta.url), "utf8");

const ours = fixture("tokenizer-small.json");
const reference = JSON.parse(fixture("tokenizer-ids.json")) as {
  readonly texts: readonly string[];
  readonly merges: readonly string[];
  readonly samples: readonly string[];
  readonly variants: Record<
    string,
    {
      readonly change: object;
      readonly ids: readonly (readonly number[])[];
      readonly contentIds: readonly (readonly number[])[];
    }
  >;
};

const encoderOf = (change: object): ReturnType<typeof createEncoder> => {
  const json = withExactPreTokenizer({ ...(JSON.parse(ours) as object), ...change });
  return createEncoder(new Tokenizer(json, {}), json, {});
};

test("training writes the committed tokenizer, and its merges are those of Python's BpeTrainer", async () => {
  const json = await trainBpe(reference.texts, { vocabularySize: 520, specialTokens: ["<|endoftext|>"] });
  assert.equal(json, ours);
  assert.deepEqual((JSON.parse(json) as { model: { merges: unknown } }).model.merges, reference.merges);
});

for (const [name, { change, ids, contentIds }] of Object.entries(reference.variants)) {
  test(`ids equal those of Python tokenizers on hostile samples: ${name}`, () => {
    const { encode, encodeContent } = encoderOf(change);
    reference.samples.forEach((sample, i) => assert.deepEqual(encode(sample), ids[i], JSON.stringify(sample)));
    reference.samples.forEach((sample, i) =>
      assert.deepEqual(encodeContent(sample), contentIds[i], JSON.stringify(sample)),
    );
    // A second time, from the cache of words.
    reference.samples.forEach((sample, i) => assert.deepEqual(encode(sample), ids[i], JSON.stringify(sample)));
  });
}

test("the fast way gives the library's ids on any text", () => {
  const json = withExactPreTokenizer(JSON.parse(ours) as Record<string, unknown>);
  const library = new Tokenizer(json, {});
  const { encode } = createEncoder(library, json, {});
  const part = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("<|endoftext|>", "    ", "\n", "\r\n", "\t", "the ", "def ", "'s", "123", "\u0301", "\uFEFF"),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const text = parts.join("");
      assert.deepEqual(encode(text), library.encode(text, { add_special_tokens: false }).ids);
    }),
    { seed: 20261123, numRuns: 500 },
  );
});

test("special tokens written in content are plain text, whichever way the ids are made", () => {
  const text = "a<|endoftext|>b<|endoftext|>";
  const ascii = { type: "Split", pattern: { Regex: "." }, behavior: "Isolated", invert: false };
  for (const change of [{}, { pre_tokenizer: ascii }]) {
    const { encode, encodeContent } = encoderOf(change);
    const json = JSON.parse(ours) as { added_tokens: { id: number; content: string }[] };
    const special = json.added_tokens.find(({ content }) => content === "<|endoftext|>")!.id;
    assert.equal(encode(text).filter((id) => id === special).length, 2);
    assert.ok(!encodeContent(text).includes(special));
    assert.deepEqual(encodeContent("plain words"), encode("plain words"));
  }
  const { encodeContent } = encoderOf({});
  const library = new Tokenizer(withExactPreTokenizer(JSON.parse(ours) as Record<string, unknown>), {});
  assert.equal(
    library.decode(encodeContent(text), { skip_special_tokens: false, clean_up_tokenization_spaces: false }),
    text,
  );
});
