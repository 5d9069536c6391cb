import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { UserError } from "../../errors.ts";
import { byteCharacters } from "../../tokenizer/byte-level.ts";
import { patterns } from "../../tokenizer/pre-tokenizers.ts";
import { tokenizerFiles, writeTokenizerJson } from "../../tokenizer/tokenizer-files.ts";
import { makeTokenizer } from "../../tokenizer/tokenizer.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import type { DialogueMessage } from "./forms.ts";
import { createDialogueRenderer } from "./render-dialogue.ts";
import type { RenderedRecord } from "./render-dialogue.ts";
import { createRecordRenderer } from "./render-record.ts";

const specials = [
  "<|endoftext|>",
  "<|im_start|>",
  "<|im_end|>",
  "<|begin_of_text|>",
  "<|start_header_id|>",
  "<|end_header_id|>",
  "<|eot_id|>",
  "<bos>",
  "<start_of_turn>",
  "<end_of_turn>",
  "</s>",
];

/** Bytes, two merges that could reach across a border, and the special tokens of all the templates below. */
function tokenizerOf(
  template: string | undefined,
  options: Partial<Family> & { readonly swallow?: boolean } = {},
): Tokenizer {
  const { bos = "<bos>", eos = "</s>", pattern = patterns.gpt2, swallow = false } = options;
  const tokens = [...byteCharacters, "ĊĊ", "Ġa", ...specials];
  const added = specials.map((content) => ({ id: tokens.indexOf(content), content, special: true }));
  const json = writeTokenizerJson({ tokens, merges: ["Ċ Ċ", "Ġ a"], added, patterns: [pattern] });
  const files = tokenizerFiles(swallow ? json.replaceAll('"rstrip":false', '"rstrip":true') : json, {
    bos,
    eos,
    ...(template === undefined ? {} : { chatTemplate: template }),
  });
  return makeTokenizer(files, { where: "test" });
}

interface Family {
  readonly template: string;
  readonly bos?: string;
  readonly eos?: string;
  readonly pattern?: string;
  /** What ends an answer. */
  readonly end: string;
  readonly trims: boolean;
  readonly system: boolean;
}

const families: Readonly<Record<string, Family>> = {
  ChatML: {
    template:
      "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}" +
      "{{ '<|im_start|>system\nYou are helpful<|im_end|>\n' }}{% endif %}" +
      "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}" +
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    eos: "<|im_end|>",
    end: "<|im_end|>",
    trims: false,
    system: true,
  },
  "Llama 3": {
    template:
      "{% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' " +
      "+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}" +
      "{% endif %}{{ content }}{% endfor %}" +
      "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
    bos: "<|begin_of_text|>",
    eos: "<|eot_id|>",
    pattern: patterns.llama3,
    end: "<|eot_id|>",
    trims: true,
    system: true,
  },
  Gemma: {
    template:
      "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" +
      "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}" +
      "{{ raise_exception('Conversation roles must alternate') }}{% endif %}" +
      "{% if message['role'] == 'assistant' %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}" +
      "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}" +
      "{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}",
    eos: "<end_of_turn>",
    end: "<end_of_turn>",
    trims: true,
    system: false,
  },
  Zephyr: {
    template:
      "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n" +
      "{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n" +
      "{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n" +
      "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}",
    end: "</s>",
    trims: false,
    system: true,
  },
};

/** The text of each run of trained tokens. */
function trainedRuns(tokenizer: Tokenizer, { ids, trained }: RenderedRecord): string[] {
  const runs: number[][] = [];
  for (const [i, id] of ids.entries()) {
    if (!trained[i]) continue;
    if (trained[i - 1]) runs.at(-1)!.push(id);
    else runs.push([id]);
  }
  return runs.map((run) => tokenizer.decode(run));
}

const dialogues = (content: fc.Arbitrary<string>): fc.Arbitrary<{ system: string | null; turns: [string, string][] }> =>
  fc.record({
    system: fc.option(content),
    turns: fc.array(fc.tuple(content, content), { minLength: 1, maxLength: 3 }),
  });

function messagesOf(
  { system, turns }: { readonly system: string | null; readonly turns: readonly (readonly [string, string])[] },
  family: Family,
): DialogueMessage[] {
  return [
    ...(system === null || !family.system ? [] : [{ role: "system" as const, content: system }]),
    ...turns.flatMap(([user, assistant]) => [
      { role: "user" as const, content: user },
      { role: "assistant" as const, content: assistant },
    ]),
  ];
}

const halves = specials.flatMap((token) => [token.slice(0, 1), token.slice(0, 5), token.slice(5), token.slice(-1)]);
const mark = "\uE000";
/** Contents that spell special tokens, parts of them, and what contents are escaped with. */
const hostile = fc.string({
  unit: fc.constantFrom(
    ...specials,
    ...halves,
    mark,
    `${mark}${mark}`,
    `${mark}0${mark}`,
    "a",
    " ",
    "\n",
    "é",
    "assistant",
  ),
  maxLength: 6,
});

for (const [name, family] of Object.entries(families)) {
  const tokenizer = tokenizerOf(family.template, family);
  const render = createDialogueRenderer(tokenizer);
  const special = new Set(tokenizer.specialTokens.map(({ id }) => id));

  test(`${name}: contents that spell special tokens stay text, and the answers with their ends are trained`, () => {
    fc.assert(
      fc.property(dialogues(hostile), (dialogue) => {
        const messages = messagesOf(dialogue, family);
        const rendered = render(messages);
        assert.equal(rendered.answers, "all");
        assert.equal(rendered.trained.length, rendered.ids.length);
        assert.equal(
          tokenizer.decode(rendered.ids),
          tokenizer.renderChat(messages, { addGenerationPrompt: false }),
          "it is the template's rendering",
        );
        const plain = messages.map(({ role }) => ({ role, content: "a" }));
        const own = tokenizer.encode(tokenizer.renderChat(plain, { addGenerationPrompt: false }));
        assert.deepEqual(
          rendered.ids.filter((id) => special.has(id)),
          own.filter((id) => special.has(id)),
          "control tokens are the template's",
        );
        const answers = dialogue.turns.map(([, answer]) => answer);
        assert.deepEqual(
          trainedRuns(tokenizer, rendered),
          answers.map((answer) => (family.trims ? answer.trim() : answer) + family.end),
        );
        assert.equal(
          rendered.bytes,
          answers.reduce((sum, answer) => sum + Buffer.byteLength(family.trims ? answer.trim() : answer), 0),
          "the bytes are those of the answers",
        );
      }),
      { seed: 1, numRuns: 150 },
    );
  });

  test(`${name}: contents without special tokens give the ids of the whole rendering`, () => {
    const words = fc
      .string({ unit: fc.constantFrom("a", " a", "bc", "é"), minLength: 1, maxLength: 5 })
      .map((text) => `b${text}`);
    fc.assert(
      fc.property(dialogues(words), (dialogue) => {
        const messages = messagesOf(dialogue, family);
        const { ids, trained } = render(messages);
        assert.deepEqual(ids, tokenizer.encode(tokenizer.renderChat(messages, { addGenerationPrompt: false })));
        const prompt = tokenizer.renderChat(messages.slice(0, -1), { addGenerationPrompt: true });
        const before = tokenizer.encode(prompt);
        assert.deepEqual(ids.slice(0, before.length), before, "as generation meets it");
        assert.deepEqual([trained[before.length - 1], trained[before.length]], [false, true]);
      }),
      { seed: 4, numRuns: 50 },
    );
  });
}

const two: readonly DialogueMessage[] = [
  { role: "user", content: "q1" },
  { role: "assistant", content: "a" },
  { role: "user", content: "q2" },
  { role: "assistant", content: "b" },
];

const chatMl = (body: string): string => `{% for m in messages %}${body}{% endfor %}`;

test("what follows the last answer is left out, and a dialogue without one gives no ids", () => {
  const tokenizer = tokenizerOf(families["ChatML"]!.template);
  const render = createDialogueRenderer(tokenizer);
  assert.deepEqual(render([...two, { role: "user", content: "q3" }]), render(two));
  assert.deepEqual(render([{ role: "user", content: "q1" }]), { ids: [], trained: [], bytes: 0, answers: "all" });
});

test("a template without a generation prompt trains no header, but the space that the model has to write", () => {
  const header = tokenizerOf(chatMl("<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"));
  assert.deepEqual(trainedRuns(header, createDialogueRenderer(header)(two)), ["a<|im_end|>", "b<|im_end|>"]);
  const mistral = tokenizerOf(
    "{{ bos_token }}" +
      chatMl("{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% else %} {{ m.content }}</s>{% endif %}"),
  );
  const rendered = createDialogueRenderer(mistral)(two);
  assert.deepEqual(trainedRuns(mistral, rendered), [" a</s>", " b</s>"]);
  assert.deepEqual(rendered.ids, mistral.encode(mistral.renderChat(two, { addGenerationPrompt: false })));
});

test("a turn that ends in plain text ends where its message does", () => {
  const tokenizer = tokenizerOf(
    `${chatMl("{{ m.role }}: {{ m.content }}\n")}{% if add_generation_prompt %}assistant: {% endif %}`,
  );
  const rendered = createDialogueRenderer(tokenizer)(two);
  assert.deepEqual(trainedRuns(tokenizer, rendered), ["a\n", "b\n"]);
});

test("where earlier turns are written otherwise, the last answer alone is trained, and that is said", () => {
  // As Qwen 3: an empty thought before the last answer, none before earlier ones.
  const thinking = tokenizerOf(
    chatMl(
      "<|im_start|>{{ m.role }}\n{% if loop.last and m.role == 'assistant' %}<think>\n\n</think>\n\n{% endif %}" +
        "{{ m.content }}<|im_end|>\n",
    ) + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
  );
  const rendered = createDialogueRenderer(thinking)(two);
  assert.equal(rendered.answers, "last");
  assert.deepEqual(trainedRuns(thinking, rendered), ["b<|im_end|>"]);
  assert.equal(thinking.decode(rendered.ids), thinking.renderChat(two, { addGenerationPrompt: false }));
  const single = createDialogueRenderer(thinking)(two.slice(0, 2));
  assert.equal(single.answers, "all");
  assert.deepEqual(trainedRuns(thinking, single), ["a<|im_end|>"]);

  // An odd template changes the answer and refuses an unfinished dialogue: then all of the turn is trained.
  const changing = tokenizerOf(
    "{% if messages[-1].role == 'user' %}{{ raise_exception('unfinished') }}{% endif %}" +
      chatMl("<|im_start|>{{ m.role }}\n{{ m.content | upper }}<|im_end|>\n"),
  );
  const upper = createDialogueRenderer(changing)(two);
  assert.equal(upper.answers, "last");
  assert.deepEqual(trainedRuns(changing, upper), ["\n<|im_start|>assistant\nB<|im_end|>"]);
});

test("white space that a special token takes with it is taken from the template", () => {
  const tokenizer = tokenizerOf(families["ChatML"]!.template, { swallow: true });
  const rendered = createDialogueRenderer(tokenizer)(two);
  assert.deepEqual(rendered.ids, tokenizer.encode(tokenizer.renderChat(two, { addGenerationPrompt: false })));
  assert.doesNotMatch(tokenizer.decode(rendered.ids), /<\|im_end\|>\n/);
});

test("a template that writes around contents makes no special token with them", () => {
  const tokenizer = tokenizerOf(chatMl("<{{ m.content }}>{{ m.content }}<|im_end|>"));
  const special = new Set(tokenizer.specialTokens.map(({ id }) => id));
  for (const content of ["/s", "/s>", "bos", "></s", "|im_end|", "|im_end|>", " bos "]) {
    const { ids } = createDialogueRenderer(tokenizer)([{ role: "assistant", content }]);
    assert.deepEqual(
      ids.filter((id) => special.has(id)),
      [tokenizer.idOf("<|im_end|>")],
      content,
    );
    assert.equal(tokenizer.decode(ids), `<${content}>${content}<|im_end|>`);
  }
});

test("no template, and a template that refuses, are the user's to mend", () => {
  const fails = (code: string) => (error: unknown) => error instanceof UserError && error.code === code;
  assert.throws(() => createDialogueRenderer(tokenizerOf(undefined)), fails("unsupported"));
  const gemma = createDialogueRenderer(tokenizerOf(families["Gemma"]!.template));
  assert.throws(() => gemma([{ role: "system", content: "s" }, ...two]), fails("invalid"));
});

test("texts and completions need no template", () => {
  const tokenizer = tokenizerOf(undefined);
  const render = createRecordRenderer(tokenizer);
  const text = render({ kind: "text", text: "é</s>" }, "x");
  assert.deepEqual(text.ids, tokenizer.encodeContent("é</s>"));
  assert.ok(text.trained.every(Boolean));
  assert.equal(text.bytes, 6);
  const completion = render({ kind: "completion", prompt: "q</s>", completion: " a" }, "x");
  assert.deepEqual(completion.ids, [...tokenizer.encodeContent("q</s>"), tokenizer.idOf("Ġa")]);
  assert.deepEqual(trainedRuns(tokenizer, completion), [" a"]);
  assert.equal(completion.bytes, 2);
  assert.throws(() => render({ kind: "dialogue", messages: two }, "chats.jsonl, line 3"), {
    code: "unsupported",
    message: /^chats\.jsonl, line 3: .*no chat template/,
  });
});
