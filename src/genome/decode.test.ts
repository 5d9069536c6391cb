import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { decodeText, dropInvalid } from "./decode.ts";

test("line ends become LF, a BOM stays, and both are recorded", () => {
  assert.deepEqual(decodeText(Buffer.from("\ufeffa\r\nb\rc\n")), {
    text: "\ufeffa\nb\nc\n",
    transforms: ["newlines@1"],
    flags: ["bom", "carriage-returns"],
  });
  assert.deepEqual(decodeText(Buffer.alloc(0)), { text: "", transforms: [], flags: [] });
});

test("invalid bytes are dropped, a foreign encoding is refused", () => {
  const flawed = Buffer.concat([Buffer.from("mostly good text "), Buffer.from([0xff]), Buffer.from("é")]);
  assert.deepEqual(decodeText(flawed), {
    text: "mostly good text é",
    transforms: ["drop-invalid-utf8@1"],
    flags: ["invalid-utf8"],
  });
  assert.equal(decodeText(Buffer.from("déjà vu à é", "latin1")), "not-utf8");
});

test("binary files and LFS pointers are no text", () => {
  assert.equal(decodeText(Buffer.from("PK\0x")), "binary");
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab\nsize 12345\n";
  assert.equal(decodeText(Buffer.from(pointer)), "lfs-pointer");
});

test("dropping invalid bytes leaves valid UTF-8, and valid UTF-8 as it is", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const kept = dropInvalid(bytes);
      assert.ok(isUtf8(kept));
      // The platform's decoder replaces exactly what is dropped here.
      const replaced = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).replaceAll("\ufffd", "");
      assert.equal(Buffer.from(kept).toString().replaceAll("\ufffd", ""), replaced);
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      assert.deepEqual(Buffer.from(dropInvalid(Buffer.from(text))), Buffer.from(text));
    }),
  );
});
