import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import fc from "fast-check";
import { UserError } from "../../errors.ts";
import { packageRoot } from "../../formats/package-root.ts";
import type { Change } from "../../genome/manifest.ts";
import { loadTokenizer, withChatTemplate } from "../../tokenizer/tokenizer.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import type { Pair } from "../synthetic/judge-pair.ts";
import { gene } from "../testing.ts";
import { gapMarks } from "./fill-in-the-middle.ts";
import type { Framed, FramedStretch } from "./framing.ts";
import { type FramingName, framingNames, framingOf } from "./framings.ts";

let tokenizer: Tokenizer;
before(async () => {
  tokenizer = await loadTokenizer(join(packageRoot(), "models", "larva"));
});

interface Options {
  readonly path?: string;
  readonly language?: string;
  readonly transforms?: string[];
  readonly copy?: number;
  readonly seed?: number;
  readonly sequence?: number;
  readonly changes?: readonly Change[];
  readonly tokenizer?: Tokenizer;
  readonly pairs?: readonly Pair[];
}

function framed(name: FramingName, text: string, options: Options = {}): Framed[] {
  const { path = "a.md", copy = 0, seed = 1, sequence = 64, changes = [], language = "Markdown" } = options;
  const of = { gene: gene({ path, language, transforms: options.transforms ?? [] }), text, copy };
  const pairsOf = options.pairs && (() => options.pairs!);
  const context = { seed, sequence, tokenizer: options.tokenizer ?? tokenizer, changesOf: () => changes, pairsOf };
  return [...framingOf(name).frame(of, context)];
}

const textOf = (stretch: FramedStretch): string =>
  "text" in stretch ? stretch.text : tokenizer.decode([...stretch.ids]);
const idsOf = (stretch: FramedStretch): readonly number[] =>
  "ids" in stretch ? stretch.ids : tokenizer.encodeContent(stretch.text);

test("a text stands alone", () => {
  assert.deepEqual(framed("text", "x"), [[{ part: "text", text: "x" }]]);
});

test("a document has a header, but for a quarter of them; the same again for the same seed", () => {
  const all = (seed: number, copy: number) =>
    Array.from({ length: 400 }, (_, i) => framed("document", "x", { path: `${i}.md`, seed, copy })[0]!);
  const first = all(1, 0);
  const plain = first.filter((stretches) => stretches.length === 1).length;
  assert.ok(plain > 70 && plain < 130, `${plain} of 400 without a header`);
  const header = first.find((stretches) => stretches.length === 2)!;
  assert.deepEqual(header[0], { part: "header", text: `repo/${first.indexOf(header)}.md\n\n` });
  assert.deepEqual(all(1, 0), first);
  assert.notDeepEqual(all(2, 0), first);
  assert.notDeepEqual(all(1, 1), first, "another copy may go without");
});

test("a gap lies in one sequence, its three parts join to the text, and half of the pieces have none", () => {
  const marks = gapMarks(tokenizer);
  const names = new Map([marks.prefix, marks.suffix, marks.middle].map((of, i) => [textOf(of), i]));
  let gaps = 0;
  let plain = 0;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: 0, max: 60 }), (seed, lines) => {
      const text = Array.from({ length: lines }, (_, i) => `line ${i}: 🦋 = f(${seed % (i + 2)})\n`).join("");
      const joined = framed("fill-in-the-middle", text, { seed, sequence: 96 }).map((document) => {
        const tokens = document.reduce((sum, of) => sum + idsOf(of).length, 0);
        assert.ok(tokens < 96, `${tokens} tokens`);
        if (document.length === 1) {
          plain += 1;
          return textOf(document[0]!);
        }
        gaps += 1;
        assert.equal(document.length, 6);
        assert.deepEqual(document[4], marks.middle);
        const parts: string[] = [];
        for (const i of [0, 2, 4]) parts[names.get(textOf(document[i]!))!] = textOf(document[i + 1]!);
        const [prefix, suffix, middle] = parts;
        for (const part of parts) assert.ok(part.isWellFormed(), "no surrogate pair is torn");
        return `${prefix}${middle}${suffix}`;
      });
      assert.equal(joined.join(""), text);
    }),
    { numRuns: 60 },
  );
  assert.ok(gaps > 0.3 * (gaps + plain) && gaps < 0.7 * (gaps + plain), `${gaps} gaps beside ${plain} plain pieces`);
});

test("a model's own marks of a gap are single tokens; the middle's is trained", () => {
  const special = ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"].map((content, i) => ({
    id: 4000 + i,
    content,
    takesBefore: false,
    takesAfter: false,
  }));
  assert.deepEqual(gapMarks({ ...tokenizer, specialTokens: [...tokenizer.specialTokens, ...special] }), {
    prefix: { part: "header", ids: [4000] },
    suffix: { part: "header", ids: [4001] },
    middle: { part: "text", ids: [4002] },
  });
  assert.equal(textOf(gapMarks(tokenizer).middle), "<fim_middle>");
});

test("a change asks with the lines before and answers with those after; deletions and long ones are left out", () => {
  const hunk = { old: "b\n", new: "B\n", contextBefore: "a\n", contextAfter: "c\n" };
  const changes: Change[] = [
    {
      repository: "repo",
      path: "a.md",
      commit: "0".repeat(40),
      subject: "Raise b",
      hunks: [hunk, { ...hunk, new: "" }, { ...hunk, new: "x".repeat(5000) }],
    },
  ];
  const [whole, change, ...rest] = framed("change", "a\nB\nc\n", { changes });
  assert.deepEqual(whole, [{ part: "text", text: "a\nB\nc\n" }]);
  assert.deepEqual(change, [
    { part: "header", text: "repo/a.md\nRaise b\n\n" },
    { part: "prompt", text: "<before>\na\nb\nc\n</before>\n<after>\na\n" },
    { part: "answer", text: "B\n</after>\n" },
  ]);
  assert.deepEqual(rest, []);
  assert.equal(framed("change", "x", { changes, copy: 1 }).length, 1, "changes come once in a pass");
});

test("records are documents of their own: texts, prompts with completions; anything else stays text", () => {
  const pairs = '{"prompt": "2+2=", "completion": "4"}\n{"prompt": "1+1=", "completion": "2"}\n';
  const documents = framed("records", pairs, { language: "jsonl" });
  assert.deepEqual(
    documents.map((of) => of.map((stretch) => [stretch.part, textOf(stretch)])),
    [
      [
        ["prompt", "2+2="],
        ["answer", "4"],
      ],
      [
        ["prompt", "1+1="],
        ["answer", "2"],
      ],
    ],
  );
  const texts = framed("records", '{"text": "one"}\n{"text": "two"}\n', { language: "jsonl" });
  assert.deepEqual(
    texts.map((of) => of.map((stretch) => [stretch.part, textOf(stretch)])),
    [[["text", "one"]], [["text", "two"]]],
  );
  assert.deepEqual(framed("records", "{not json", { language: "jsonl" }), [[{ part: "text", text: "{not json" }]]);
});

test("dialogues follow the chat template, their answers are the answers, and without a template they are refused", () => {
  const template =
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}{{ eos_token }}{% endfor %}" +
    "{% if add_generation_prompt %}[assistant]{% endif %}";
  const chat: Tokenizer = {
    ...tokenizer,
    chatTemplate: template,
    renderChat: (messages, { addGenerationPrompt }) =>
      messages.map(({ role, content }) => `[${role}]${content}<|endoftext|>`).join("") +
      (addGenerationPrompt ? "[assistant]" : ""),
  };
  const text = "User: hi\n\nAssistant: hello\n\n\nUser: bye\n\nAssistant: see you\n";
  const options = { transforms: ["dialogue@1"], language: "csv" };
  const documents = framed("dialogue", text, { ...options, tokenizer: chat });
  assert.deepEqual(
    documents.map((of) => of.filter(({ part }) => part === "answer").map(textOf)),
    [["hello<|endoftext|>"], ["see you<|endoftext|>"]],
  );
  assert.deepEqual(
    documents[0]!.map(({ part }) => part),
    ["prompt", "answer"],
  );
  assert.throws(
    () => framed("dialogue", text, options),
    (error) => error instanceof UserError && error.code === "unsupported" && /chat template/.test(error.message),
  );
});

test("questions that the parent asked itself follow the text, once in a pass; before it did the text is alone", () => {
  const pairs = [{ question: "Who built it?", answer: "Kyra did." }];
  const [text, pair] = framed("question-answer", "x", { pairs });
  assert.deepEqual(text, [{ part: "text", text: "x" }]);
  assert.deepEqual(
    pair!.map((stretch) => [stretch.part, textOf(stretch)]),
    [
      ["prompt", "Who built it?\n"],
      ["answer", "Kyra did."],
    ],
  );
  assert.deepEqual(framed("question-answer", "x", { pairs, copy: 1 }), [text]);
  assert.deepEqual(framed("question-answer", "x"), [text]);
  const template = "{% for m in messages %}<{{ m.role }}>{{ m.content }}<|endoftext|>{% endfor %}";
  const [, turn] = framed("question-answer", "x", { pairs, tokenizer: withChatTemplate(tokenizer, template) });
  assert.equal(turn!.map(textOf).join(""), "<user>Who built it?<|endoftext|><assistant>Kyra did.<|endoftext|>");
});

test("every framing has a summary in one line", () => {
  for (const name of framingNames) assert.match(framingOf(name).summary, /^[^\n]{5,120}$/);
});
