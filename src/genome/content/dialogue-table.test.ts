import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readDialogueTable } from "./dialogue-table.ts";
import { parseDialogue } from "./dialogue.ts";

/** The conversations as lists of contents, and the flags. */
function read(text: string, language: "csv" | "tsv" = "csv"): { conversations: string[][]; flags: readonly string[] } {
  const result = readDialogueTable(text, language);
  assert.ok(result !== undefined, "it is no dialogue");
  const conversations = parseDialogue(result.text);
  for (const messages of conversations) {
    for (const [i, { role }] of messages.entries()) assert.equal(role, i % 2 === 0 ? "user" : "assistant");
  }
  return {
    conversations: conversations.map((messages) => messages.map(({ content }) => content)),
    flags: result.flags,
  };
}

test("the answer of a row answers the question that the row before generated, the last one the final question", () => {
  const head =
    "initial_input1,initial_input2,checkpoint_question1,final_question,model_iteration_response,model_generated_question";
  const row = (n: string, answer: string, next: string): string =>
    `Why?,Reflect.,Go on.,Conclude.,"${n}${answer}","${next}"`;
  const table = [
    head,
    row("REFLECTION ITERATION 1: ", "Because.", "And, then?"),
    row("REFLECTION ITERATION 2: ", "So.\nAnd so.", "N/A (Final iteration)"),
    row("", "Final Synthesis: All of it.", "N/A (Final synthesis)"),
  ].join("\n");
  assert.deepEqual(read(table), {
    conversations: [
      ["Why?\n\nReflect.", "Because.", "And, then?", "So.\nAnd so.", "Conclude.", "Final Synthesis: All of it."],
    ],
    flags: ["synthetic-dialogue"],
  });
});

test("without generated questions the checkpoint asks; a number that starts again begins a new conversation", () => {
  const table = `initial input1,initial input2,checkpoint question,output
Why?,Why?,,REFLECTION ITERATION 1: Because.
Why?,Reflect.,Go on.,REFLECTION ITERATION 2: So.
Now conclude.,Reflect.,Go on.,SYNTHESIS: All.
How?,How?,,"REFLECTION INTERACTION 1: Thus."
`;
  assert.deepEqual(read(table), {
    conversations: [
      ["Why?", "Because.", "Go on.", "So.", "Now conclude.", "SYNTHESIS: All."],
      ["How?", "Thus."],
    ],
    flags: ["synthetic-dialogue"],
  });
});

test("ragged rows: commas of the answer are part of it, missing cells are empty, rows without answer ask on", () => {
  const table = `prompt,final query,model output
Why?,Sum up., "Φ REFLECTION ITERATION 1: One, two, three."
Why?,Sum up,shifted,REFLECTION ITERATION 2: Four, five
Why?
Why?,Sum up.,REFLECTION ITERATION 3: Six
`;
  const { conversations, flags } = read(table);
  assert.deepEqual(conversations, [["Why?", "One, two, three.", "Why?", "Four, five", "Why?", "Six"]]);
  assert.deepEqual(flags, ["ragged-rows", "synthetic-dialogue"]);
  const gap = "prompt,generated_question,response\nA b?,C d?,\n,E f?,to C\n,,to E\n";
  assert.deepEqual(read(gap).conversations, [["C d?", "to C", "E f?", "to E"]]);
});

test("a table of questions and answers gives one conversation a row", () => {
  const expected = [
    ["Sort it.\n\n3 1 2", "1 2 3, in that order"],
    ["Say hello.", "Hello there"],
  ];
  const rows = ["Sort it.|3 1 2|1 2 3, in that order", "Say hello.||Hello there"];
  const table = (delimiter: string, quote: string): string =>
    ["instruction|input|output", ...rows]
      .map((row) =>
        row
          .split("|")
          .map((cell) => `${quote}${cell}${quote}`)
          .join(delimiter),
      )
      .join("\n");
  assert.deepEqual(read(table(",", '"')), { conversations: expected, flags: [] });
  assert.deepEqual(read(`\ufeff${table(";", "")}`).conversations, expected);
  assert.deepEqual(read(table("\t", ""), "tsv").conversations, expected);
});

test("a table that was cut off within a quote is read to its end and flagged", () => {
  const { conversations, flags } = read('question,answer\nWhy?,"Because of\nthe');
  assert.deepEqual(conversations, [["Why?", "Because of\nthe"]]);
  assert.deepEqual(flags, ["truncated-table"]);
});

const others: readonly (readonly [what: string, table: string])[] = [
  ["a bibliography", "Category,Author,Title\nA,B,C d\n"],
  ["a truth table", "input,output\n0,1\n1,0\n"],
  ["response times", "user_id,prompt_tokens,response\n1,20,300 ms is long\n"],
  ["a header alone", "question,answer\n"],
  ["answers without questions", "question,answer\n,So it is\n"],
  ["an empty file", ""],
  ["a stray quote", `question,answer\nWhy?,"so" and " ${"x".repeat(1 << 20)}\n`],
  ["too many rows", `question,answer\n${"a b,c d\n".repeat(200_001)}`],
  ["too many columns", `question,answer${",input".repeat(500)}\na b,c d\n`],
  ["too many cells", `question,answer\n${`a b,c d${",".repeat(999)}\n`.repeat(2001)}`],
  ["too many characters", `question,answer\na b,c d\n${" ".repeat(32 << 20)}`],
];
for (const [what, table] of others) {
  test(`${what} is no dialogue`, () => assert.equal(readDialogueTable(table, "csv"), undefined));
}

test("hostile headers and cells are read in time", () => {
  assert.equal(readDialogueTable(`${"_".repeat(60_000)}x,answer\na b,c d\n`, "csv"), undefined);
  const feeds = "\n".repeat(200_000);
  assert.deepEqual(read(`question,answer\nWhy?,"so it${feeds}is"\n`).conversations, [["Why?", `so it${feeds}is`]]);
  assert.deepEqual(
    read(`question,answer\nWhy?,"so it ${"\\".repeat(200_000)}"\n`).conversations[0]![1]!.length,
    200_006,
  );
});

test("any cells come back, trimmed", () => {
  const cell = fc
    .array(
      fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('"', ",", "\n", "\n\n\n", "User: ", "\\Assistant: ")),
      { maxLength: 6 },
    )
    .map((pieces) => `so it ${pieces.join("").replaceAll("\r", "")} w`);
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 4 }), (rows) => {
      const quote = (value: string): string => `"${value.replaceAll('"', '""')}"`;
      const table = ["question,answer", ...rows.map((cells) => cells.map(quote).join(","))].join("\n");
      assert.deepEqual(read(table).conversations, rows);
    }),
    { numRuns: 300 },
  );
});
