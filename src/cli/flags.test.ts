import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import { parseFlags } from "./flags.ts";
import type { Parsed } from "./flags.ts";

const verb = {
  name: "try",
  positionals: [
    { name: "MODEL", help: "a folder" },
    { name: "MORE", help: "others", optional: true },
  ],
  flags: {
    out: { kind: "text", value: "DIR", required: true, help: "" },
    files: { kind: "text", value: "FILE", many: true, help: "" },
    data: { kind: "text", value: "FILE", repeated: true, help: "" },
    learningRate: { kind: "number", value: "X", above: 0, default: 0.5, help: "" },
    steps: { kind: "number", value: "N", integer: true, min: 1, max: 9, help: "" },
    how: { kind: "choice", choices: ["fast", "slow"], default: "slow", help: "" },
    resume: { kind: "switch", help: "" },
  },
} as const;

const parse = (line: string): Parsed<typeof verb.flags> => parseFlags(verb, line.split(" "));

test("flags are read in any order, with their types and defaults", () => {
  const { flags, positionals, given } = parse("m --out d --learning-rate=1e-3 --resume");
  assert.deepEqual(positionals, ["m"]);
  assert.equal(flags.out, "d");
  assert.equal(flags.learningRate, 0.001);
  assert.equal(flags.steps, undefined);
  assert.equal(flags.how, "slow");
  assert.equal(flags.resume, true);
  assert.deepEqual([flags.files, flags.data], [[], []]);
  assert.deepEqual([...given].sort(), ["learningRate", "out", "resume"]);
});

test("a flag for many values takes all up to the next flag, and may be repeated", () => {
  const { flags, positionals } = parse("m --files a b --out d --files c --how fast x");
  assert.deepEqual(flags.files, ["a", "b", "c"]);
  assert.deepEqual(positionals, ["m", "x"]);
  assert.deepEqual(parse("--out d --files a -- m").positionals, ["m"]);
});

test("a flag that may be repeated takes one value each time", () => {
  const { flags, positionals } = parse("--out d --data a m --data b x");
  assert.deepEqual(flags.data, ["a", "b"]);
  assert.deepEqual(positionals, ["m", "x"]);
});

const wrong: [line: string, message: RegExp, hint: RegExp][] = [
  ["m --out d --rezume", /no flag --rezume/, /nearest is --resume/],
  ["m --out d -x", /no flag -x/, /--help/],
  ["m", /needs --out DIR/, /--help/],
  ["--out d", /needs MODEL/, /a folder/],
  ["m n o --out d", /"o" is one argument too many/, /--help/],
  ["m --out", /--out needs a value/, /--out DIR/],
  ["m --out --resume", /--out needs a value/, /--out DIR/],
  ["m --out=", /--out needs a value/, /--out DIR/],
  ["m --out d --out e", /--out is given twice/, /--help/],
  ["m --out d --resume=no", /--resume takes no value/, /--help/],
  ["m --out d --learning-rate x", /--learning-rate is "x"/, /a number greater than 0/],
  ["m --out d --learning-rate 0", /--learning-rate is "0"/, /greater than 0/],
  ["m --out d --learning-rate -1", /--learning-rate is "-1"/, /greater than 0/],
  ["m --out d --learning-rate 0x10", /is "0x10"/, /a number/],
  ["m --out d --learning-rate Infinity", /is "Infinity"/, /a number/],
  ["m --out d --steps 1.5", /--steps is "1.5"/, /a whole number of at least 1 and of at most 9/],
  ["m --out d --steps 10", /--steps is "10"/, /at most 9/],
  ["m --out d --how quick", /--how is "quick"/, /fast, slow/],
];
for (const [line, message, hint] of wrong) {
  test(`refused: ${line}`, () => {
    assert.throws(
      () => parse(line),
      (error) => {
        assert.ok(error instanceof UserError, String(error));
        assert.equal(error.code, "usage");
        assert.match(error.message, message);
        assert.match(error.hint ?? "", hint);
        return true;
      },
    );
  });
}

test("help is wanted whatever else is missing", () => {
  assert.ok(parse("--help").given.has("help"));
  assert.ok(parse("-h").given.has("help"));
});
