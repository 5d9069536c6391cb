import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { UserError } from "../../errors.ts";
import { readSafeText, writeSafeText } from "./safe.ts";
import { cut, genomes, listOf, markers, piecesOf } from "./testing.ts";

const planted = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...markers,
        ...markers.map((marker) => `\n${marker}`),
        ...markers.map((marker) => `\n\\${marker}`),
      ),
      fc.constantFrom("\n", "\r\n", "\r", "\\", "\\\\", "\u2028", "\u2029", "\ufeff", "<|", "\n\n", "x", " ", "𓂀"),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(""));
const name = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 12 }),
  fc.string({ minLength: 1, unit: "grapheme" }),
  planted,
  fc.constantFrom("\\x41", "\\n", "a\nb\rc\\", "<|file_end|>", "𓂀-x/ä.py"),
);

function read(text: string | Uint8Array, sizes: readonly number[] = []) {
  return Array.fromAsync(readSafeText(cut(Buffer.from(text), sizes)));
}

async function write(pieces: Parameters<typeof writeSafeText>[0]): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(writeSafeText(pieces)));
}

test("the bytes are those of the format", async () => {
  const text = await write(
    piecesOf([
      {
        name: "one",
        files: [
          { path: "a b.md", content: "x\n<|file_end|>\n\\<|repo_start|>y\nz <|file_end|>" },
          { path: Buffer.from([0x61, 0xff, 0x0a, 0x5c]), content: "" },
        ],
      },
    ]),
  );
  assert.equal(
    text.toString(),
    "<|repo_start|>one\n" +
      "<|file_start|>a b.md\nx\n\\<|file_end|>\n\\\\<|repo_start|>y\nz <|file_end|>\n<|file_end|>\n" +
      "<|file_start|>a\\xFF\\n\\\\\n\n<|file_end|>\n" +
      "<|repo_end|>\n\n",
  );
});

test("reading undoes writing, with markers planted anywhere and names of any bytes, however the text is cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      genomes({ name, content: planted }),
      fc.array(fc.integer({ min: 1, max: 40 })),
      async (genome, sizes) => {
        const pieces = piecesOf(genome);
        const text = await write(pieces);
        const found = await read(text, sizes);
        assert.deepEqual(listOf(found), listOf(pieces));
        assert.deepEqual(await write(found), text);
      },
    ),
    { numRuns: 350 },
  );
});

test("every marker at line start, at the end without newline, and escaped comes back", async () => {
  for (const marker of markers) {
    const contents = [marker, `${marker}\n`, `a\n${marker}`, `\\${marker}`, `a\n\\\\${marker}x\n`, `\n${marker}\n\n`];
    const pieces = piecesOf([{ name: "r", files: contents.map((content, i) => ({ path: `${i}`, content })) }]);
    assert.deepEqual(listOf(await read(await write(pieces))), listOf(pieces), marker);
  }
});

test("whatever is read is written to the identical text", async () => {
  const line = fc.oneof(
    fc.constantFrom(...markers.flatMap((marker) => [marker, `\\${marker}`, `${marker}a`])),
    fc.constantFrom("", "x", "\\x41", "\\"),
  );
  const whole = fc
    .array(line, { maxLength: 12 })
    .map((lines) => `<|repo_start|>r\n${lines.join("\n")}<|repo_end|>\n\n`);
  await fc.assert(
    fc.asyncProperty(whole, async (text) => {
      let pieces;
      try {
        pieces = await read(text);
      } catch (error) {
        assert.ok(error instanceof UserError && error.code === "damaged");
        return;
      }
      assert.equal((await write(pieces)).toString(), text);
    }),
    { numRuns: 1000 },
  );
});

test("a text that departs from the format is refused with its line", async () => {
  const cases = [
    ["<|repo_start|>a\n<|file_start|>b\nc", 3],
    ["<|repo_start|>a\n<|file_start|>b\n<|file_end|>\n<|repo_end|>\n\n", 3],
    ["<|repo_start|>a\n<|file_start|>b\nc\n<|repo_end|>\n\n", 4],
    ["<|repo_start|>a\nstray\n<|repo_end|>\n\n", 2],
    ["<|repo_start|>\\q\n<|repo_end|>\n\n", 1],
    ["<|repo_start|>a\n<|repo_end|>\n", 3],
    [Buffer.from("<|repo_start|>a\n<|file_start|>b\n\xff\n<|file_end|>\n", "latin1"), 2],
    ["\ufeff<|repo_start|>a\n<|repo_end|>\n\n", 1],
    ["tail", 1],
  ] as const;
  for (const [text, line] of cases) {
    await assert.rejects(
      read(text),
      (error) =>
        error instanceof UserError &&
        error.code === "damaged" &&
        error.message.startsWith(`the genome text line ${line}:`),
      JSON.stringify(text.toString()),
    );
  }
});
