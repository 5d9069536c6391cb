import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { decodeText } from "./decode.ts";
import { dropInvalid } from "./utf8.ts";

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
  assert.equal(decodeText(Buffer.from("Привет".split("").map((c) => c.charCodeAt(0) - 0x410 + 0xc0))), "not-utf8");
  // Few enough foreign bytes to be dropped, but in runs, so that they are no letters of a Latin alphabet.
  const comment = Buffer.concat([Buffer.from("x = 1 # ".repeat(20)), Buffer.from("cff0e8e2e5f2", "hex")]);
  assert.deepEqual(decodeText(comment), {
    text: "x = 1 # ".repeat(20),
    transforms: ["drop-invalid-utf8@1"],
    flags: ["invalid-utf8"],
  });
});

test("binary files and LFS pointers are no text", () => {
  assert.equal(decodeText(Buffer.from("PK\0x")), "binary");
  assert.equal(decodeText(Buffer.from("%PDF-1.4\n1 0 obj\n")), "binary");
  assert.equal(decodeText(Buffer.from("a few \x01\x02\x03 too many controls")), "binary");
  const coloured = "\x1b[31merror\x1b[0m: it failed\n";
  assert.deepEqual(decodeText(Buffer.from(coloured)), { text: coloured, transforms: [], flags: [] });
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab\nsize 12345\n";
  assert.equal(decodeText(Buffer.from(pointer)), "lfs-pointer");
  assert.equal(decodeText(Buffer.from(pointer.replaceAll("\n", "\r\n"))), "lfs-pointer");
});

test("UTF-16 and UTF-32 are read by their marks", () => {
  const text = "naïve 漢字 𓂀\r\n";
  const utf16 = Buffer.from(`\ufeff${text}`, "utf16le");
  const expected = {
    text: "naïve 漢字 𓂀\n",
    transforms: ["utf-16@1", "newlines@1"],
    flags: ["utf-16", "carriage-returns"],
  };
  assert.deepEqual(decodeText(utf16), expected);
  assert.deepEqual(decodeText(Buffer.from(utf16).swap16()), expected);
  const utf32 = Buffer.from(Uint32Array.from(`\ufeff${text}`, (character) => character.codePointAt(0)!).buffer);
  const wide = { text: expected.text, transforms: ["utf-32@1", "newlines@1"], flags: ["utf-32", "carriage-returns"] };
  assert.deepEqual(decodeText(utf32), wide);
  assert.deepEqual(decodeText(Buffer.from(utf32).swap32()), wide);
});

test("what only begins like UTF-16 or UTF-32 is binary", () => {
  for (const hex of ["fffe41", "fffe00d84100", "fffe41000000", "feffd8000041", "fffe00000000", "0000feff00110000"]) {
    assert.equal(decodeText(Buffer.from(hex, "hex")), "binary", hex);
  }
  assert.equal(decodeText(Buffer.from("without a mark", "utf16le")), "binary");
});

test("windows-1252 is read where the bytes look like words of it", () => {
  const read = (bytes: Buffer): unknown => {
    const decoded = decodeText(bytes);
    return typeof decoded === "string" ? decoded : [decoded.text, ...decoded.transforms, ...decoded.flags];
  };
  const latin = (text: string): Buffer => Buffer.from(text, "latin1");
  for (const text of [
    "déjà vu à é",
    "Die Größe der Straße",
    "¿Qué tal, señor Núñez?",
    "blåbærgrød",
    "© 2001 J. Müller",
  ]) {
    assert.deepEqual(read(latin(text)), [text, "windows-1252@1", "windows-1252"], text);
  }
  const quoted = Buffer.from([
    0x93,
    ...Buffer.from("It"),
    0x92,
    ...Buffer.from("s to be had for 5 "),
    0x80,
    0x94,
    0x97,
  ]);
  assert.deepEqual(read(quoted), ["“It’s to be had for 5 €”—", "windows-1252@1", "windows-1252"]);
  // Polish in windows-1250 has letters where windows-1252 has superscripts.
  assert.notEqual(
    (read(Buffer.from("ma\xb3o s\xb3\xf3w, du\xbfo my\xb6li", "latin1")) as string[])[1],
    "windows-1252@1",
  );
  // With a sequence that is UTF-8, it is UTF-8 with a flaw.
  assert.deepEqual(read(Buffer.concat([Buffer.from("naïve and caf"), latin("é"), Buffer.from(" etc.")])), [
    "naïve and caf etc.",
    "drop-invalid-utf8@1",
    "invalid-utf8",
  ]);
});

test("any text comes back from every encoding that can hold it", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 40 }).filter((value) => !/\p{Cc}/u.test(value));
  fc.assert(
    fc.property(text, (value) => {
      for (const bytes of [Buffer.from(value), Buffer.from(`\ufeff${value}`, "utf16le")]) {
        const decoded = decodeText(bytes);
        assert.ok(typeof decoded !== "string");
        assert.equal(decoded.text, value);
      }
    }),
  );
});

test("no bytes make it fail, and what it gives is text", () => {
  const marked = fc.constantFrom("", "fffe", "feff", "fffe0000", "0000feff", "efbbbf");
  fc.assert(
    fc.property(marked, fc.uint8Array({ maxLength: 64 }), (mark, bytes) => {
      const decoded = decodeText(Buffer.concat([Buffer.from(mark, "hex"), bytes]));
      if (typeof decoded === "string") return;
      assert.ok(decoded.text.isWellFormed());
      assert.doesNotMatch(decoded.text, /[\0\r]/);
    }),
    { numRuns: 2000 },
  );
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
