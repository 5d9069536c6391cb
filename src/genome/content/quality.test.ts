import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { quality as qualityOfBytes } from "./quality.ts";
import type { Quality } from "./quality.ts";

const quality = (text: string): Quality => qualityOfBytes(Buffer.from(text));

test("an empty text measures 0", () => {
  for (const text of ["", "\n\n"]) assert.deepEqual(quality(text), { lineLength: 0, alphabetic: 0, repetition: 0 });
});

test("characters are code points, lines that are empty do not count, values have four decimals", () => {
  assert.deepEqual(quality("ab 1\n\n漢字😀\n"), { lineLength: 3.5, alphabetic: 0.6667, repetition: 0 });
  assert.equal(quality("𓂀𓂀").lineLength, 2);
  assert.equal(quality("𓂀1").alphabetic, 0.5);
  assert.equal(quality("\u2003a\u00a01").alphabetic, 0.5);
});

test("repetition counts lines of 20 characters and more that stood before", () => {
  const line = "a line of 20 letters";
  assert.equal(quality(`${line}\n${line}\n${line}`).repetition, 0.6667);
  assert.equal(quality(`${line}\n${line}`).repetition, 0.5);
  assert.equal(quality(`${line}\nshort\nshort\n${line.toUpperCase()}`).repetition, 0);
  assert.equal(quality(`${line.slice(1)}\n${line.slice(1)}`).repetition, 0);
});

test("it agrees with the definitions, written plainly", () => {
  const character = fc.oneof(
    fc.constantFrom("a", "é", "漢", "𓂀", "😀", "1", " ", "\u00a0", "\t", "-"),
    fc.string({ unit: "binary" }),
  );
  const line = fc.array(character, { maxLength: 30 }).map((characters) => characters.join("").replaceAll("\n", ""));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), fc.nat(5), (lines, again) => {
      const all = [...lines, lines[again] ?? ""];
      const filled = all.filter((value) => value !== "");
      const characters = filled.flatMap((value) => [...value]);
      const visible = characters.filter((value) => !/\s/.test(value));
      const repeated = all.filter((value, i) => [...value].length >= 20 && all.indexOf(value) < i);
      const share = (part: number, whole: number): number => (whole === 0 ? 0 : Math.round((part / whole) * 1e4) / 1e4);
      assert.deepEqual(quality(all.join("\n")), {
        lineLength: share(characters.length, filled.length),
        alphabetic: share(visible.filter((value) => /\p{L}/u.test(value)).length, visible.length),
        repetition: share([...repeated.join("")].length, characters.length),
      });
    }),
    { numRuns: 500 },
  );
});
