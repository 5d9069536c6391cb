import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { UserError } from "../../errors.ts";
import { applyEdits } from "./edits.ts";
import type { Edit } from "./edits.ts";
import { readEcosystemText, writeEcosystemText } from "./ecosystem.ts";
import type { TextPiece } from "./pieces.ts";
import { cut, genomes, listOf, markers, piecesOf } from "./testing.ts";

async function parse(
  bytes: Uint8Array,
  sizes: readonly number[] = [],
): Promise<{ pieces: TextPiece[]; edits: Edit[] }> {
  const pieces: TextPiece[] = [];
  const edits: Edit[] = [];
  for await (const piece of readEcosystemText(cut(bytes, sizes))) {
    if (piece.type === "edit") edits.push(piece);
    else pieces.push(piece);
  }
  return { pieces, edits };
}

async function serialise(pieces: readonly TextPiece[], edits: readonly Edit[]): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(applyEdits(writeEcosystemText(pieces), edits)));
}

test("what the format can hold reads back as it was, without edits", async () => {
  const plain = genomes({
    name: fc.string({ minLength: 1, unit: "grapheme" }).filter((text) => !/[\\\n\r]/.test(text)),
    content: fc
      .array(fc.oneof(fc.constantFrom("\n", "\\", "\ufeff", "<|", "x <|file_end|>", "\r\n", "𓂀"), fc.string()), {
        maxLength: 8,
      })
      .map((parts) => parts.join(""))
      .filter((text) => !/^<\|(?:repo|file)_(?:start|end)\|>/m.test(text)),
  });
  await fc.assert(
    fc.asyncProperty(plain, fc.array(fc.integer({ min: 1, max: 40 })), async (genome, sizes) => {
      const text = Buffer.concat(await Array.fromAsync(writeEcosystemText(piecesOf(genome))));
      const { pieces, edits } = genome.length === 0 ? { pieces: [], edits: [] } : await parse(text, sizes);
      assert.deepEqual(listOf(pieces), listOf(piecesOf(genome)));
      assert.deepEqual(edits, []);
    }),
    { numRuns: 300 },
  );
});

test("any text with a repository is restored byte for byte", async () => {
  const line = fc.oneof(
    fc.constantFrom(...markers, ...markers.map((marker) => `\\${marker}`), ...markers.map((marker) => `${marker}a`)),
    fc.constantFrom("", "", "x", "\\", "\ufeff", "x <|file_end|>"),
    fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  );
  const lines = fc.array(fc.tuple(line, fc.constantFrom("\n", "\n", "\n", "\r\n", "\r", "")), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(lines, lines, fc.array(fc.integer({ min: 1, max: 40 })), async (before, after, sizes) => {
      const text = Buffer.from([...before, ["\n", ""], ["<|repo_start|>r", "\n"], ...after].flat().join(""), "latin1");
      const { pieces, edits } = await parse(text, sizes);
      assert.deepEqual(await serialise(pieces, edits), text);
      assert.deepEqual((await parse(text)).edits, edits, "however it is cut");
    }),
    { numRuns: 400 },
  );
});

const cases: readonly (readonly [what: string, text: string, files: readonly (readonly [string, string])[]])[] = [
  ["as it is written", "<|repo_start|>r\n<|file_start|>a\nx\n\n<|file_end|>\n<|repo_end|>\n\n", [["a", "x\n"]]],
  ["no final newlines", "<|repo_start|>r\n<|file_start|>a\nx\n<|file_end|>\n<|repo_end|>", [["a", "x"]]],
  ["cut off inside a file", "<|repo_start|>r\n<|file_start|>a\nx\ny", [["a", "x\ny"]]],
  ["cut off inside a name", "<|repo_start|>r\n<|file_start|>a", [["a", ""]]],
  [
    "empty lines between",
    "\n<|repo_start|>r\n\n<|file_start|>a\nx\n<|file_end|>\n\n\n<|file_start|>b\n\n<|file_end|>\n<|repo_end|>\n\n\n\n",
    [
      ["a", "x"],
      ["b", ""],
    ],
  ],
  [
    "CRLF throughout, and a BOM",
    "\ufeff<|repo_start|>r\r\n<|file_start|>a\r\nx\r\ny\r\n<|file_end|>\r\n<|repo_end|>\r\n\r\n",
    [["a", "x\r\ny"]],
  ],
  [
    "a page that quotes the format",
    "<|repo_start|>r\n<|file_start|>a\n```\n<|repo_start|>NAME\n<|file_start|>PATH\ncontent\n<|file_end|>\n<|repo_end|>\n```\n\n<|file_end|>\n<|file_start|>b\ny\n<|file_end|>\n<|repo_end|>\n\n",
    [
      ["a", "```\n<|repo_start|>NAME\n<|file_start|>PATH\ncontent\n<|file_end|>\n<|repo_end|>\n```\n"],
      ["b", "y"],
    ],
  ],
  [
    "no newline before the end of an empty file",
    "<|repo_start|>r\n<|file_start|>a\n<|file_end|>\n<|repo_end|>\n\n",
    [["a", ""]],
  ],
  [
    "no end of the first repository",
    "<|repo_start|>q\n<|file_start|>a\nx\n<|file_end|>\n<|repo_start|>r\n<|repo_end|>\n\n",
    [["a", "x"]],
  ],
  [
    "a marker that is not a line",
    "<|repo_start|>r\n<|file_start|>a\n<|file_end|>x\n<|file_end|>\n",
    [["a", "<|file_end|>x"]],
  ],
];
for (const [what, text, files] of cases) {
  test(`archived genome: ${what}`, async () => {
    const { pieces, edits } = await parse(Buffer.from(text));
    const found = pieces.filter((piece) => piece.type === "file");
    assert.deepEqual(
      found.map(({ path, content }) => [Buffer.from(path).toString(), Buffer.from(content).toString()]),
      files,
    );
    assert.equal((await serialise(pieces, edits)).toString(), text);
  });
}

test("bytes that are not UTF-8 are dropped from a content and restored", async () => {
  const text = Buffer.concat([
    Buffer.from("<|repo_start|>r\n<|file_start|>a\nx"),
    Buffer.from([0xff, 0xfe]),
    Buffer.from("ä"),
    Buffer.from([0xc3]),
  ]);
  const { pieces, edits } = await parse(text);
  const file = pieces.find((piece) => piece.type === "file")!;
  assert.equal(Buffer.from(file.content).toString(), "xä");
  assert.equal(
    createHash("sha256").update(file.raw!).digest("hex"),
    createHash("sha256").update(text.subarray(32)).digest("hex"),
  );
  assert.deepEqual(await serialise(pieces, edits), text);
});

test("a text without a repository is refused, and a name without end", async () => {
  await assert.rejects(
    parse(Buffer.from("x\n <|repo_start|>a\n")),
    (error) => error instanceof UserError && error.code === "invalid",
  );
  await assert.rejects(
    parse(Buffer.from(`<|repo_start|>a\n<|file_start|>${"x".repeat(70_000)}\n`)),
    (error) => error instanceof UserError && error.code === "unsupported" && error.message.includes("line 2"),
  );
});
