/** Cached generation against PyTorch's, and against scoring the whole text again. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createGenerator } from "../src/inference/generate.ts";
import { loadBody } from "../src/models/load.ts";

const root = new URL("fixtures/parity/", import.meta.url).pathname;

for (const name of ["llama-a", "llama-b", "llama-bias", "qwen3-a", "qwen3-b"]) {
  test(`${name}: greedy tokens with a cache`, async () => {
    // oxlint-disable-next-line typescript/no-explicit-any -- fixtures are read as they are
    const json = (file: string): any => JSON.parse(readFileSync(`${root}${name}/${file}`, "utf8"));
    const expected: number[] = json("expected.json").generation.ids;
    const prompt: number[] = json("inputs.json").prompt;
    const generator = createGenerator(await loadBody(root + name), { threads: 1 });
    assert.deepEqual(await generator.generate(prompt, { maxTokens: expected.length }), expected);
    // A prompt that takes several chunks, the last of them cut short, must end as one token at a time would.
    const long = Array.from({ length: 37 }, (_, i) => prompt[i % prompt.length]!);
    const [next] = await generator.generate(long, { maxTokens: 1 });
    const whole = await generator.generate([...long, next!], { maxTokens: 3 });
    assert.deepEqual(await generator.generate(long, { maxTokens: 4 }), [next, ...whole]);
    const seeded = { maxTokens: 6, temperature: 1, seed: 5 };
    assert.deepEqual(await generator.generate(prompt, seeded), await generator.generate(prompt, seeded));

    // Side by side, with more texts than slots and prompts of one token, of less and of more than a chunk.
    const requests = [[prompt[0]!], prompt, long, prompt.slice(1), [...long, ...long], prompt].map((ids, i) => {
      return { ids, maxTokens: 3 + (i % 3), temperature: i % 2, seed: i, i };
    });
    const alone = new Map<number, number[]>();
    for (const { ids, i, ...options } of requests) alone.set(i, await generator.generate(ids, options));
    for (const slots of [1, 2, 4]) {
      const together = new Map<number, readonly number[]>();
      const texts = generator.generateMany(requests, { slots, positions: 90 });
      for await (const { request, made } of texts) together.set(request.i, made);
      assert.deepEqual(new Map([...together].sort(([a], [b]) => a - b)), alone, `${slots} slots`);
    }
    const begun = requests.filter(({ ids }) => ids.length > prompt.length);
    for await (const { request, made } of generator.generateMany(begun, { slots: 2, shared: prompt })) {
      assert.deepEqual(made, alone.get(request.i), "from a beginning that is taken in once");
    }
    await generator.release();
  });
}

test("texts side by side: taken as there is room, ended one by one, limited in positions, stopped by a signal", async () => {
  const generator = createGenerator(await loadBody(`${root}llama-a`), { threads: 1 });
  const request = { ids: [5, 6, 7], maxTokens: 4 };
  const whole = await generator.generate(request.ids, request);
  let taken = 0;
  const requests = {
    *[Symbol.iterator]() {
      for (let i = 0; i < 5; i++) {
        taken++;
        yield { ...request, i, isComplete: (made: readonly number[]) => made.length > i };
      }
    },
  };
  const ended: [number, number][] = [];
  for await (const { request: of, made } of generator.generateMany(requests, { slots: 2 })) {
    if (ended.length === 0) assert.equal(taken, 2);
    ended.push([of.i, made.length]);
    assert.deepEqual(made, whole.slice(0, made.length));
  }
  assert.deepEqual(
    ended.sort(([a], [b]) => a - b),
    [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 4],
    ],
  );
  const cut = await Array.fromAsync(generator.generateMany([request], { slots: 1, positions: 5 }));
  assert.deepEqual(cut[0]!.made, whole.slice(0, 3), "a prompt of three and three more end at position five");
  const tooLong = generator.generateMany([request], { slots: 2, positions: 3 }).next();
  await assert.rejects(tooLong, { code: "invalid" });
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(generator.generateMany([request], { slots: 2, signal }).next(), /enough/);
  await generator.release();
});
