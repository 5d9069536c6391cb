import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readNotebook } from "./notebook.ts";

interface Raw {
  readonly cells?: unknown;
  readonly worksheets?: unknown;
  readonly metadata?: unknown;
}

const python = { kernelspec: { name: "python3", language: "python" } };
const read = (notebook: Raw): ReturnType<typeof readNotebook> =>
  readNotebook(JSON.stringify({ nbformat: 4, ...notebook }));
const textOf = (notebook: Raw): string => {
  const result = read(notebook);
  assert.ok(typeof result !== "string");
  return result.text;
};

test("code and markdown cells stay, outputs, attachments and images go", () => {
  const notebook = {
    metadata: python,
    cells: [
      {
        cell_type: "markdown",
        source: ["# Title\n", "\n", "![plot](data:image/png;base64,iVBORw0KGgo=) and ![a](attachment:a.png)"],
        attachments: { "a.png": { "image/png": "SECRETPIXELS" } },
      },
      {
        cell_type: "code",
        source: ["%matplotlib inline\r\n", "print('x')\n"],
        outputs: [{ output_type: "display_data", data: { "image/png": "OUTPUTPIXELS", "text/plain": "OUT" } }],
      },
      { cell_type: "code", source: "\n" },
      { cell_type: "raw", source: "[1]: <data:image/jpeg;base64,AAAA>" },
    ],
  };
  assert.deepEqual(read(notebook), {
    text: `# %% [markdown]
# # Title
#
# ![plot]() and ![a](attachment:a.png)

# %%
%matplotlib inline
print('x')

# %% [raw]
# [1]: <>
`,
    language: "python",
    flags: [],
  });
});

test("nbformat 3 keeps its cells in worksheets, its code as input, its headings apart", () => {
  const worksheets = [
    { cells: [{ cell_type: "heading", level: 2, source: "Title" }] },
    {
      cells: [
        { cell_type: "code", input: ["a <- 1"], language: "R", outputs: [] },
        { cell_type: "html", source: "<b>x</b>" },
      ],
    },
  ];
  assert.deepEqual(read({ worksheets }), {
    text: "# %% [markdown]\n# ## Title\n\n# %%\na <- 1\n\n# %% [markdown]\n# <b>x</b>\n",
    language: "r",
    flags: [],
  });
});

const kernels: readonly (readonly [metadata: unknown, language: string | null, marker: string])[] = [
  [{ language_info: { name: "c++17" } }, "cpp", "// %%"],
  [{ kernelspec: { name: "bash" } }, "shell", "# %%"],
  [{ kernelspec: { name: "x", language: "haskell" } }, "haskell", "-- %%"],
  [{ language_info: { name: "OCaml" } }, "ocaml", "(* %% *)"],
  [{ language_info: { name: "clojure" } }, "clojure", ";; %%"],
  [{ language_info: { name: "Wolfram Language" } }, "wolfram-language", "# %%"],
  [{ language_info: { name: "__proto__" }, kernelspec: 7 }, null, "# %%"],
  [{ language_info: { name: "constructor" } }, "constructor", "# %%"],
  [{ language_info: { name: "x".repeat(1000) } }, null, "# %%"],
  [undefined, null, "# %%"],
];
for (const [metadata, language, marker] of kernels) {
  test(`a kernel ${JSON.stringify(metadata)?.slice(0, 60)} comments as ${marker}`, () => {
    const result = read({ metadata, cells: [{ cell_type: "code", source: "x" }] });
    assert.deepEqual(result, { text: `${marker}\nx\n`, language, flags: [] });
  });
}

test("text cells are comments line by line, closed where the language needs it", () => {
  const cells = [{ cell_type: "markdown", source: "a\n\nb" }];
  assert.equal(
    textOf({ metadata: { language_info: { name: "ocaml" } }, cells }),
    "(* %% [markdown] *)\n(* a *)\n(* *)\n(* b *)\n",
  );
});

test("cells of wrong types are left out and flagged", () => {
  const cells = [
    null,
    7,
    "x",
    [],
    { cell_type: "code" },
    { cell_type: "code", source: [1] },
    { cell_type: 1, source: "x" },
  ];
  assert.deepEqual(read({ cells: [...cells, { cell_type: "code", source: "y" }] }), {
    text: "# %%\ny\n",
    language: null,
    flags: ["invalid-cells"],
  });
});

test("what is no notebook says so", () => {
  for (const json of [
    "",
    "{",
    "null",
    "[]",
    "7",
    '"cells"',
    "{}",
    '{"cells":{}}',
    '{"worksheets":[{}]}',
    '{"cells":null}',
  ]) {
    assert.equal(readNotebook(json), "invalid-notebook", json);
  }
  assert.equal(readNotebook(`{"cells":[${" ".repeat(32 << 20)}]}`), "oversized-notebook");
  assert.equal(readNotebook(`{"cells":[${"{},".repeat(500_000)}{}]}`), "oversized-notebook");
  assert.equal(readNotebook(`{"cells":[${"7,".repeat(1_000_001)}7]}`), "oversized-notebook");
});

test("escapes of JSON bring in neither NUL, nor CR, nor halves of surrogate pairs", () => {
  const json = String.raw`{"cells":[{"cell_type":"code","source":"a\u0000\r\n\ud800b"}]}`;
  const result = readNotebook(json);
  assert.ok(typeof result !== "string");
  assert.equal(result.text, "# %%\na\n\ufffdb\n");
});

test("deep, wide and backtracking notebooks are read in time", () => {
  const deep = 200_000;
  assert.equal(readNotebook("[".repeat(deep)), "invalid-notebook");
  assert.equal(readNotebook("[".repeat(deep) + "]".repeat(deep)), "invalid-notebook");
  const nested = `{"cells":${"[".repeat(deep)}${"]".repeat(deep)}}`;
  assert.deepEqual(readNotebook(nested), { text: "", language: null, flags: ["invalid-cells"] });
  assert.equal(
    textOf({ cells: Array.from({ length: 20_000 }, () => ({ cell_type: "code", source: "x" })) }).length,
    160_000 - 1,
  );
  const feeds = `${"\n".repeat(300_000)}x`;
  assert.equal(textOf({ cells: [{ cell_type: "code", source: feeds }] }), `# %%\n${feeds}\n`);
  const uris = "data:image/".repeat(50_000);
  assert.ok(textOf({ cells: [{ cell_type: "markdown", source: uris }] }).length > 0);
});

test("any JSON gives a text or a flag", () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  const cell = fc.record(
    {
      cell_type: fc.oneof(fc.constantFrom("code", "markdown", "raw", "heading"), value),
      source: value,
      input: value,
      level: value,
    },
    { requiredKeys: [] },
  );
  const notebook = fc.record(
    { cells: fc.oneof(fc.array(fc.oneof(cell, value)), value), metadata: value, worksheets: value },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(notebook, (raw) => {
      const result = read(raw);
      assert.ok(typeof result === "string" || (result.text.isWellFormed() && !result.text.includes("\0")));
    }),
    { numRuns: 500 },
  );
});
