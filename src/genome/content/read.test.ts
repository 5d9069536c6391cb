import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readContent, readVerbatim } from "./read.ts";

const read = (path: string, content: string | Uint8Array): ReturnType<typeof readContent> =>
  readContent(Buffer.from(content), { repository: "r", path });

test("plain text is itself, with its kind and language", () => {
  assert.deepEqual(read("src/a.py", "x = 1\n"), {
    text: "x = 1\n",
    transforms: [],
    flags: [],
    kind: "code",
    language: "python",
  });
});

test("transforms and flags come in the order in which they applied", () => {
  const table = '\ufeffprompt,model output\r\nWhy?,"REFLECTION ITERATION 1: Because."\r\n';
  assert.deepEqual(read("a.csv", Buffer.from(`\ufeff${table.slice(1)}`, "utf16le")), {
    text: "User: Why?\n\nAssistant: Because.\n",
    transforms: ["utf-16@1", "newlines@1", "dialogue@1"],
    flags: ["utf-16", "carriage-returns", "synthetic-dialogue"],
    kind: "dialogue",
    language: "csv",
  });
});

test("a notebook becomes its cells in the language of its kernel, a broken one stays as it is", () => {
  const notebook = JSON.stringify({
    cells: [{ cell_type: "code", source: "x" }],
    metadata: { language_info: { name: "julia" } },
  });
  assert.deepEqual(read("a.ipynb", notebook), {
    text: "# %%\nx\n",
    transforms: ["notebook@1"],
    flags: [],
    kind: "notebook",
    language: "julia",
  });
  assert.deepEqual(read("a.ipynb", "{"), {
    text: "{",
    transforms: [],
    flags: ["invalid-notebook"],
    kind: "notebook",
    language: "json",
  });
});

test("copies in a backup get the same text, and keep their kind", () => {
  const table = "question,answer\nWhy?,Because of it\n";
  const [original, copy] = [read("a.csv", table), read("backups/2025-01-01/a.csv", table)];
  assert.ok(typeof original !== "string" && typeof copy !== "string");
  assert.equal(copy.text, original.text);
  assert.deepEqual([original.kind, copy.kind], ["dialogue", "backup"]);
});

test("a table that is no dialogue stays data; dialogue in JSON lines stays as it is", () => {
  const content = (path: string, text: string): unknown[] => {
    const result = read(path, text);
    return typeof result === "string" ? [result] : [result.text, result.kind, ...result.transforms];
  };
  assert.deepEqual(content("a.csv", "a,b\n1,2\n"), ["a,b\n1,2\n", "data"]);
  const lines = '{"messages":[{"role":"user","content":"x"}]}\n';
  assert.deepEqual(content("a.jsonl", lines), [lines, "dialogue"]);
});

const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab\nsize 12345\n";
const skipped: readonly (readonly [what: string, bytes: Uint8Array, reason: string])[] = [
  ["NUL", Buffer.from("a\0b"), "binary"],
  ["UTF-16 without a mark", Buffer.from("text", "utf16le"), "binary"],
  ["half a character of UTF-16", Buffer.from("fffe61", "hex"), "binary"],
  ["Cyrillic in windows-1251", Buffer.from("cff0e8e2e5f22c20ece8f0", "hex"), "not-utf8"],
  ["a pointer to LFS", Buffer.from(pointer), "lfs-pointer"],
];
for (const [what, bytes, reason] of skipped) {
  test(`${what} is skipped as ${reason}`, () => assert.equal(read("a.txt", bytes), reason));
}

test("the ecosystem's list of extensions", () => {
  const take = (path: string): boolean =>
    typeof readContent(Buffer.from("x"), { repository: "r", path }, { extensions: "ecosystem" }) !== "string";
  for (const path of ["a.py", "A.MD", "x/y.tar.json", "x.y/a.h", ".hidden.txt", "a.c"])
    assert.equal(take(path), true, path);
  for (const path of ["LICENSE", ".md", "..md", "a.md/b", "a.tsx", "a.csv", "a.ipynb", "a."]) {
    assert.equal(take(path), false, path);
  }
  const file = { repository: "r", path: "a.csv" };
  assert.equal(readContent(Buffer.from("a\0"), file, { extensions: "ecosystem" }), "extension");
});

test("no bytes under any name make it fail, the input stays as it was, and the text is well-formed", () => {
  const name = fc.constantFrom("a.csv", "a.tsv", "a.ipynb", "a.jsonl", "a.txt", "a", "a.h", "dist/a.min.js", "a.1");
  const line = fc.constantFrom(
    "question,answer\n",
    '"',
    ",",
    "\r",
    "\n",
    "{",
    '{"cells":[',
    "\t",
    "#!/bin/sh",
    "\ufeff",
  );
  const bytes = fc
    .array(
      fc.oneof(
        line.map((text) => Buffer.from(text)),
        fc.uint8Array({ maxLength: 8 }),
      ),
      { maxLength: 12 },
    )
    .map((pieces) => Buffer.concat(pieces));
  fc.assert(
    fc.property(name, bytes, (path, content) => {
      const before = Buffer.from(content);
      const result = read(path, content);
      assert.deepEqual(content, before);
      assert.ok(typeof result === "string" || (result.text.isWellFormed() && !/[\0\r]/.test(result.text)));
    }),
    { numRuns: 2000 },
  );
});

test("a verbatim text stays as it is, and is of the kind that a conversion would tell", () => {
  const verbatim = (path: string, text: string): ReturnType<typeof readVerbatim> =>
    readVerbatim(Buffer.from(text), { repository: "r", path });
  const table = '\ufeffprompt,model output\r\nWhy?,"REFLECTION ITERATION 1: Because."\r\n';
  assert.deepEqual(verbatim("a.csv", table), {
    text: table,
    transforms: [],
    flags: ["bom", "carriage-returns", "synthetic-dialogue"],
    kind: "dialogue",
    language: "csv",
  });
  const notebook = JSON.stringify({
    cells: [{ cell_type: "code", source: "x" }],
    metadata: { language_info: { name: "julia" } },
  });
  const { text, kind, language } = verbatim("a.ipynb", notebook);
  assert.deepEqual([text, kind, language], [notebook, "notebook", "json"]);
});
