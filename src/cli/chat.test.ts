import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createGenerator } from "../inference/generate.ts";
import type { GenerateOptions } from "../inference/generate.ts";
import { loadTokenizer } from "../tokenizer/tokenizer.ts";
import { createConversation } from "./conversation.ts";
import { openModel } from "./model.ts";
import { chrysalis, withFolder, writeTinyModel } from "./testing.ts";

interface Result {
  readonly mode: string;
  readonly turns: readonly { prompt: string; text: string; tokens: number; promptTokens: number; ended: string }[];
}

const chatTemplate = `{% for m in messages %}{{ m.role }}: {{ m.content }}
{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}`;

test("a prompt is continued as the generator does, streamed or as JSON", () =>
  withFolder(async (folder) => {
    const model = join(folder, "model");
    await writeTinyModel(model);
    const { body, tokenizer } = await openModel(model);
    const generator = createGenerator(body);
    const ids = [tokenizer.separator, ...tokenizer.encode("the sea")];
    const settings = { maxTokens: 8, temperature: 0.7, topP: 0.95, seed: 3, stop: tokenizer.stop };
    const made = await generator.generate(ids, settings);
    await generator.release();

    const args = ["chat", model, "--prompt", "the sea", "--max-tokens", "8", "--seed", "3"];
    const plain = await chrysalis(args);
    assert.equal(plain.code, 0, plain.stderr);
    const json = await chrysalis([...args, "--json"]);
    const result = JSON.parse(json.stdout) as Result;
    const [turn] = result.turns;
    assert.equal(result.mode, "continue");
    assert.equal(turn!.tokens, made.length);
    assert.equal(turn!.promptTokens, ids.length);
    assert.equal(turn!.text, tokenizer.decode(made, { skipSpecial: true }));
    assert.equal(plain.stdout, `${turn!.text}\n`);

    const system = await chrysalis(["chat", model, "--prompt", "x", "--system", "Be brief"]);
    assert.equal(system.code, 2);
    assert.match(system.stderr, /--system is given, but .*model has no chat template\. Leave --system out\./);
  }));

test("lines of standard input are turns of one conversation", () =>
  withFolder(async (folder) => {
    const model = join(folder, "model");
    await writeTinyModel(model, { chatTemplate });
    const args = ["chat", model, "--max-tokens", "4", "--temperature", "0", "--json"];
    const input = "a\n\nb\n/new\na\n/exit\nnever\n";
    const { code, stdout, stderr } = await chrysalis(args, { input });
    assert.equal(code, 0, stderr);
    const { mode, turns } = JSON.parse(stdout) as Result;
    assert.equal(mode, "chat");
    assert.deepEqual(
      turns.map(({ prompt }) => prompt),
      ["a", "b", "a"],
    );
    const [first, second, third] = turns;
    assert.ok(second!.promptTokens > first!.promptTokens, "the second turn sees the first");
    assert.deepEqual([third!.text, third!.promptTokens], [first!.text, first!.promptTokens], "/new forgets");
    const tokenizer = await loadTokenizer(model);
    assert.equal(first!.promptTokens, tokenizer.encode("user: a\nassistant:").length);
  }));

test("a conversation longer than the model's positions loses its oldest turns, never the system message", () =>
  withFolder(async (folder) => {
    const model = join(folder, "model");
    await writeTinyModel(model, { chatTemplate });
    const tokenizer = await loadTokenizer(model);
    const seen: string[] = [];
    const generator = {
      generate: (ids: readonly number[], { onToken }: GenerateOptions) => {
        seen.push(tokenizer.decode(ids));
        const answer = tokenizer.encode("ok");
        for (const id of answer) onToken?.(id);
        return Promise.resolve(answer);
      },
      release: () => Promise.resolve(),
    };
    const settings = { positions: 64, mode: "chat", maxTokens: 8, temperature: 0, topP: 1, seed: 0 } as const;
    const conversation = createConversation({ generator, tokenizer, system: "S", ...settings });
    const { signal } = new AbortController();
    const say = (text: string) => conversation.say(text, { onText: () => {}, signal });
    assert.equal((await say("one")).dropped, 0);
    let dropped = 0;
    for (const text of ["two", "three", "four"]) ({ dropped } = await say(text));
    assert.ok(dropped > 0);
    assert.match(seen.at(-1)!, /^system: S\nuser: (?!one)/);
    assert.match(seen.at(-1)!, /user: four\nassistant:$/);
    for (const prompt of seen) assert.ok(tokenizer.encode(prompt).length <= 56, prompt);
  }));
