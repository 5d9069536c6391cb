import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { detectForm, formFields, forms, isTrainable, readRecord } from "./forms.ts";
import type { DataRecord, Form } from "./forms.ts";

const exchange = (user: string, assistant: string): DataRecord => ({
  kind: "dialogue",
  messages: [
    { role: "user", content: user },
    { role: "assistant", content: assistant },
  ],
});

test("every form is found by its fields and read to its shape; fields that are not its own are passed over", () => {
  const cases: [Form, object, DataRecord][] = [
    ["text", { text: "a", source: "web" }, { kind: "text", text: "a" }],
    [
      "messages",
      {
        messages: [
          { role: "user", content: "q", weight: 1 },
          { role: "assistant", content: "a" },
        ],
        prompt: "q",
      },
      exchange("q", "a"),
    ],
    [
      "messages",
      {
        conversations: [
          { role: "user", content: "q" },
          { role: "assistant", content: [{ type: "text", text: "a" }] },
        ],
      },
      exchange("q", "a"),
    ],
    [
      "sharegpt",
      {
        conversations: [
          { from: "human", value: "q" },
          { from: "gpt", value: "a" },
        ],
      },
      exchange("q", "a"),
    ],
    ["alpaca", { instruction: "q", input: "", output: "a", text: "### q" }, exchange("q", "a")],
    ["alpaca", { instruction: "q", output: "a" }, exchange("q", "a")],
    ["alpaca", { instruction: "q", input: "x", output: "a" }, exchange("q\n\n### Input:\nx", "a")],
    ["prompt-completion", { prompt: "q", completion: " a" }, { kind: "completion", prompt: "q", completion: " a" }],
    ["question-answer", { question: "q", answer: "a" }, { kind: "completion", prompt: "q\n", completion: "a" }],
  ];
  for (const [form, value, record] of cases) {
    assert.equal(detectForm(value), form, JSON.stringify(value));
    assert.deepEqual(readRecord(form, value), record);
  }
  assert.deepEqual(new Set(cases.map(([form]) => form)), new Set(forms), "every form has a case");
  const fields = new Set(cases.flatMap(([, value]) => Object.keys(value)));
  for (const field of formFields) assert.ok(fields.has(field) || field === "system", field);
});

test("prompts and questions become dialogues where that is asked for", () => {
  const asDialogue = { asDialogue: true };
  assert.deepEqual(
    readRecord("prompt-completion", { prompt: "q\n", completion: "a" }, asDialogue),
    exchange("q\n", "a"),
  );
  assert.deepEqual(readRecord("question-answer", { question: "q", answer: "a" }, asDialogue), exchange("q", "a"));
  assert.deepEqual(readRecord("text", { text: "q" }, asDialogue), { kind: "text", text: "q" });
});

test("roles are mapped, a system field opens a dialogue, a cell of JSON is a list", () => {
  const named = ["system", "Human", "gpt", "function", "bot", "observation", "model"];
  const messages = JSON.stringify(named.map((from, i) => ({ from, value: `${i}` })));
  const record = readRecord("sharegpt", { conversations: messages, system: "second" });
  assert.ok(record.kind === "dialogue");
  assert.deepEqual(
    record.messages.map(({ role }) => role),
    ["system", "user", "assistant", "tool", "assistant", "tool", "assistant"],
  );
  const opened = readRecord("messages", { messages: [{ role: "user", content: "q" }], system: "be brief" });
  assert.deepEqual(opened, {
    kind: "dialogue",
    messages: [
      { role: "system", content: "be brief" },
      { role: "user", content: "q" },
    ],
  });
});

test("a record that does not fit says what is wrong with it", () => {
  const cases: [Form, unknown, RegExp][] = [
    ["text", { text: 1 }, /`text` is a number, not a text/],
    ["text", { body: "a" }, /no `text`/],
    ["text", ["a"], /a list, not an object/],
    ["alpaca", { instruction: "a", output: null }, /`output` is null/],
    ["alpaca", { instruction: "a", output: "b", input: {} }, /`input` is an object/],
    ["prompt-completion", { prompt: "a" }, /no `completion`/],
    ["messages", { messages: [] }, /empty/],
    ["messages", { messages: "not JSON" }, /no list/],
    ["messages", { messages: "[not JSON" }, /no list/],
    ["messages", { messages: ["a"] }, /message 1 is a text/],
    [
      "messages",
      {
        messages: [
          { role: "user", content: "a" },
          { role: "narrator", content: "b" },
        ],
      },
      /message 2 .*"narrator"/,
    ],
    ["messages", { messages: [{ role: "user", content: null }] }, /message 1: `content` is null/],
    ["messages", { messages: [{ role: "user", content: [{ type: "image_url" }] }] }, /`content` is a list/],
    ["messages", { messages: [{ role: "assistant", content: "", tool_calls: [{}] }] }, /`tool_calls`/],
    ["sharegpt", { conversations: [{ from: "human" }] }, /no `value`/],
    ["messages", { messages: Array.from({ length: 1001 }, () => ({ role: "user", content: "" })) }, /1001 messages/],
  ];
  for (const [form, value, problem] of cases) {
    const record = readRecord(form, value);
    assert.ok(record.kind === "misfit", JSON.stringify(value));
    assert.match(record.problem, problem);
  }
});

test("whatever JSON holds is read or refused, never thrown at", () => {
  const field = fc.constantFrom(...formFields, "role", "content", "from", "value", "x");
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, 1, true, "", "a", "user", "[", "[{}]", '[{"role":"user","content":"a"}]'),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(field, tie("value"), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(value, (any) => {
      const found = detectForm(any);
      for (const form of forms) {
        const record = readRecord(form, any);
        if (record.kind !== "misfit") assert.equal(typeof isTrainable(record), "boolean");
        // The simple forms are what they are found to be.
        if (form === found && form !== "messages" && form !== "sharegpt" && form !== "alpaca") {
          assert.notEqual(record.kind, "misfit");
        }
      }
    }),
    { seed: 2, numRuns: 500 },
  );
});

test("a record without an answer trains nothing", () => {
  assert.equal(isTrainable({ kind: "dialogue", messages: [{ role: "user", content: "a" }] }), false);
  assert.equal(isTrainable({ kind: "dialogue", messages: [{ role: "assistant", content: "" }] }), false);
  assert.equal(isTrainable(exchange("", "a")), true);
  assert.equal(isTrainable({ kind: "completion", prompt: "a", completion: "" }), false);
  assert.equal(isTrainable({ kind: "text", text: "" }), false);
});
