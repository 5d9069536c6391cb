import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { UserError } from "../errors.ts";
import {
  escapeContent,
  escapeName,
  parseGenomeText,
  serialiseGenomeText,
  unescapeContent,
  unescapeName,
} from "./genome-text.ts";

const markers = ["<|repo_start|>", "<|repo_end|>", "<|file_start|>", "<|file_end|>"];
const planted = fc
  .array(
    fc.oneof(
      fc.constantFrom(...markers),
      fc.constantFrom("\n", "\\", "\\\\", "\u2028", "\u2029", "\ufeff", "<|", "\n\n", "x", " ", "𓂀"),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join("").replace(/\r\n?/g, "\n"));
const name = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ minLength: 1, unit: "grapheme" }).map((text) => Buffer.from(text)),
  planted.map((text) => Buffer.from(text)),
  fc.constantFrom("\\x41", "\\n", "a\nb\rc\\", "<|file_end|>").map((text) => Buffer.from(text)),
);
const genome = fc.array(
  fc.record({ name, files: fc.array(fc.record({ path: name, text: planted }), { maxLength: 4 }) }),
  { maxLength: 3 },
);

test("the bytes are those of the format", () => {
  const text = serialiseGenomeText([
    {
      name: Buffer.from("one"),
      files: [
        { path: Buffer.from("a b.md"), text: "x\n<|file_end|>\n\\<|repo_start|>y\nz <|file_end|>" },
        { path: Buffer.from([0x61, 0xff, 0x0a, 0x5c]), text: "" },
      ],
    },
  ]);
  assert.equal(
    text,
    "<|repo_start|>one\n" +
      "<|file_start|>a b.md\nx\n\\<|file_end|>\n\\\\<|repo_start|>y\nz <|file_end|>\n<|file_end|>\n" +
      "<|file_start|>a\\xFF\\n\\\\\n\n<|file_end|>\n" +
      "<|repo_end|>\n\n",
  );
});

test("parse undoes serialise, with markers planted anywhere and names of any bytes", () => {
  fc.assert(
    fc.property(genome, (repositories) => {
      const text = serialiseGenomeText(repositories);
      const parsed = parseGenomeText(text);
      const plain = (list: typeof parsed) =>
        list.map(({ name, files }) => [
          Buffer.from(name).toString("hex"),
          files.map(({ path, text }) => [Buffer.from(path).toString("hex"), text]),
        ]);
      assert.deepEqual(plain(parsed), plain(repositories));
      assert.equal(serialiseGenomeText(parsed), text);
    }),
    { numRuns: 1500 },
  );
});

test("whatever parses serialises to the identical text", () => {
  const line = fc.oneof(
    fc.constantFrom(...markers.flatMap((marker) => [marker, `\\${marker}`, `${marker}a`])),
    fc.constantFrom("", "x", "\\x41", "\\"),
  );
  const whole = fc
    .array(line, { maxLength: 12 })
    .map((lines) => `<|repo_start|>r\n${lines.join("\n")}<|repo_end|>\n\n`);
  fc.assert(
    fc.property(whole, (text) => {
      let parsed;
      try {
        parsed = parseGenomeText(text);
      } catch (error) {
        assert.ok(error instanceof UserError && error.code === "damaged");
        return;
      }
      assert.equal(serialiseGenomeText(parsed), text);
    }),
    { numRuns: 3000 },
  );
});

test("escapes are undone exactly", () => {
  fc.assert(fc.property(planted, (text) => assert.equal(unescapeContent(escapeContent(text)), text)));
  fc.assert(fc.property(name, (bytes) => assert.deepEqual(Buffer.from(unescapeName(escapeName(bytes))), bytes)));
  assert.equal(escapeContent("a\u2028<|file_end|>"), "a\u2028<|file_end|>");
});

test("a damaged text is refused with its line", () => {
  const cases = [
    ["<|repo_start|>a\n<|file_start|>b\nc", 4],
    ["<|repo_start|>a\n<|file_start|>b\n<|file_end|>\n<|repo_end|>\n\n", 3],
    ["<|repo_start|>a\nstray\n<|repo_end|>\n\n", 2],
    ["<|repo_start|>\\q\n<|repo_end|>\n\n", 1],
    ["<|repo_start|>a\n<|repo_end|>\n", 3],
    ["tail", 1],
  ] as const;
  for (const [text, line] of cases) {
    assert.throws(
      () => parseGenomeText(text),
      (error) => error instanceof UserError && error.code === "damaged" && error.message.startsWith(`line ${line} `),
      JSON.stringify(text),
    );
  }
});
