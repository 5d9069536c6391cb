import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import { trainBpe, type TrainBpeEvent } from "./train-bpe.ts";

interface TokenizerFile {
  readonly added_tokens: readonly { readonly id: number; readonly content: string; readonly special: boolean }[];
  readonly model: { readonly vocab: Record<string, number>; readonly merges: readonly string[] };
}

const train = async (texts: string[], vocabularySize: number, minimumCount?: number): Promise<TokenizerFile> =>
  JSON.parse(
    await trainBpe(texts, {
      vocabularySize,
      specialTokens: ["<|endoftext|>"],
      ...(minimumCount === undefined ? {} : { minimumCount }),
    }),
  ) as TokenizerFile;

test("the most frequent pair is merged first, ties go to the smallest ids", async () => {
  const { model } = await train(["ab ab ab cd cd cd", "xy xy"], 257 + 6);
  // Three times: ab, cd and " cd" (whose parts come first); twice: xy and " ab"; once, so never: " xy".
  assert.deepEqual(model.merges, ["a b", "c d", "Ġ cd", "x y", "Ġ ab"]);
});

test("special tokens take the first ids, all 256 bytes follow in order of code point", async () => {
  const { model, added_tokens } = await train(["hello"], 257);
  const tokens = Object.entries(model.vocab).toSorted(([, one], [, other]) => one - other);
  assert.equal(tokens.length, 257);
  assert.deepEqual(tokens[0], ["<|endoftext|>", 0]);
  assert.deepEqual(
    tokens.slice(1).map(([token]) => token),
    tokens
      .slice(1)
      .map(([token]) => token)
      .toSorted(),
  );
  assert.equal(model.merges.length, 0);
  assert.equal(added_tokens[0]?.special, true);
});

test("nothing is merged across the borders of words, and a pair seen once is left alone", async () => {
  const { model } = await train(["qz\nqz q z"], 300);
  assert.deepEqual(model.merges, ["q z"]);
  assert.deepEqual((await train(["qz"], 300, 1)).model.merges, ["q z"]);
});

test("overlapping runs are counted as the reference counts them", async () => {
  const { model } = await train(["----- ----- -----"], 300);
  assert.deepEqual(model.merges, ["- -", "-- -", "-- ---", "Ġ -----"]);
});

test("training is deterministic and does not depend on the order of the texts", async () => {
  const texts = Array.from({ length: 50 }, (_, i) => `function f${i % 7}(x) {\n    return x * ${i};\n}\n`);
  const options = { vocabularySize: 290, specialTokens: ["<|endoftext|>"] };
  assert.equal(await trainBpe(texts, options), await trainBpe(texts.toReversed(), options));
});

test("progress is told", async () => {
  const events: TrainBpeEvent[] = [];
  await trainBpe(["naïve naïve"], { vocabularySize: 260, specialTokens: [], onEvent: (event) => events.push(event) });
  assert.deepEqual(events[0], { type: "counted", texts: 1, bytes: 13, distinctWords: 2 });
});

test("a vocabulary without room for the bytes is refused", async () => {
  await assert.rejects(
    trainBpe(["x"], { vocabularySize: 256, specialTokens: ["<|endoftext|>"] }),
    (error: unknown) => error instanceof UserError && error.code === "invalid" && error.hint!.includes("257"),
  );
});
