import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { chrysalis, withFolder, writeTinyModel } from "./testing.ts";

const lines = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join("");

test("data shows the form of each file, how many records it has, and the first of them", () =>
  withFolder(async (folder) => {
    const user = { role: "user", content: "hi" };
    await writeFile(
      join(folder, "chat.jsonl"),
      lines([{ messages: [user, { role: "assistant", content: "a\u001B[2J\nb" }] }, { messages: [user] }]),
    );
    await writeFile(join(folder, "pairs.csv"), "prompt,completion\nthe sea, and the shore\n");
    const { code, stdout, stderr } = await chrysalis(["data", folder, "--records", "1"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /chat\.jsonl +messages +2 +1\n/);
    assert.match(stdout, /pairs\.csv +prompt-completion +1\n/);
    assert.match(stdout, /3 records in 2 files\n/);
    assert.match(stdout, /chat\.jsonl, line 1\n {2}user: hi\n {2}assistant: a\[2J\n {2}b\n/);
    assert.match(stdout, /pairs\.csv, line 2\n {2}the sea⟦ and the shore⟧\n/);

    const mixed = join(folder, "mixed.jsonl");
    await writeFile(mixed, lines([{ text: "a" }, { prompt: "a", completion: "b" }]));
    const refused = await chrysalis(["data", mixed, "--json"]);
    assert.equal(refused.code, 2);
    const { error } = JSON.parse(refused.stdout) as { error: { code: string; message: string } };
    assert.equal(error.code, "mismatch");
    assert.match(error.message, /mixed\.jsonl mixes forms: line 1 is text, line 2 is prompt-completion/);
    const forced = await chrysalis(["data", mixed, "--form", "prompt-completion"]);
    assert.equal(forced.code, 2);
    assert.match(forced.stderr, /mixed\.jsonl, line 1 is not of the form prompt-completion: it has no `prompt`/);
  }));

test("data shows records as a model's chat template writes them, with what is trained", () =>
  withFolder(async (folder) => {
    const chatTemplate =
      "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}" +
      "<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";
    const [model, plain] = [join(folder, "model"), join(folder, "plain")];
    await writeTinyModel(model, { chatTemplate });
    await writeTinyModel(plain);
    const file = join(folder, "pairs.jsonl");
    await writeFile(file, lines([{ question: "the <|endoftext|> sea", answer: "a ship" }]));
    const args = ["data", file, "--model", model, "--as-dialogue"];
    const { code, stdout, stderr } = await chrysalis([...args, "--json"]);
    assert.equal(code, 0, stderr);
    const [shown] = (JSON.parse(stdout) as { files: { form: string; records: number; examples: object[] }[] }).files;
    assert.equal(shown!.form, "question-answer");
    const [example] = shown!.examples as { seen: { tokens: number; trainedTokens: number; parts: object[] } }[];
    assert.deepEqual(example!.seen.parts, [
      { text: "<user>the <|endoftext|> sea<|endoftext|><assistant>", trained: false },
      { text: "a ship<|endoftext|>", trained: true },
    ]);
    const human = await chrysalis(args);
    assert.match(
      human.stdout,
      new RegExp(`${example!.seen.tokens} tokens, ${example!.seen.trainedTokens} of them trained\n`),
    );
    assert.match(human.stdout, / {2}<user>the <\|endoftext\|> sea<\|endoftext\|><assistant>⟦a ship<\|endoftext\|>⟧/);

    const without = await chrysalis(["data", file, "--model", plain, "--as-dialogue"]);
    assert.equal(without.code, 2);
    assert.match(without.stderr, /no chat template.*chat_template\.jinja/);
    const system = join(folder, "system.jsonl");
    await writeFile(
      system,
      lines([
        {
          messages: [
            { role: "system", content: "s" },
            { role: "assistant", content: "a" },
          ],
        },
      ]),
    );
    const refused = await chrysalis(["data", system, "--model", model]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /system\.jsonl, line 1: the chat template .* refuses the messages: no system/);
  }));
