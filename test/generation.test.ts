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
    await generator.release();
  });
}
