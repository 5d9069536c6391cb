import assert from "node:assert/strict";
import { test } from "node:test";
import { detectLanguage } from "./languages.ts";

const sentences =
  "This is what somebody wrote down about the work of the last two weeks, so that others can follow. " +
  "It has more than one sentence, and each of them ends as sentences do. Nothing in here is code. ";

const cases: readonly (readonly [name: string, text: string, language: string | undefined])[] = [
  ["a.h", "#include <stdio.h>\nint f(void);\n", "c"],
  ["a.h", "#include <vector>\n", "cpp"],
  ["a.h", "namespace x {\n", "cpp"],
  ["a.h", "#import <Foundation/Foundation.h>\n@interface A : NSObject\n", "objective-c"],
  ["a.m", "x = [1 2 3];\n", "matlab"],
  ["a.m", "@implementation A\n@end\n", "objective-c"],
  ["a.pl", "use strict;\nmy $x = 1;\n", "perl"],
  ["a.pl", "parent(X, Y) :- father(X, Y).\n", "prolog"],
  ["a.ts", "const x = 1;\n", "typescript"],
  ["a.ts", '<?xml version="1.0"?>\n<TS>\n', "xml"],
  ["a.v", "module counter;\n", "verilog"],
  ["a.v", "Theorem t : True.\n", "coq"],
  ["a.1", ".TH A 1\n", "roff"],
  ["data.1", "1 2 3\n", undefined],
  ["tool", "#!/usr/bin/env -S node --x\n", "javascript"],
  ["tool", "#!/opt/unheard/of\n", undefined],
  ["page", "\n<!DOCTYPE html>\n", "html"],
  ["page", '<?xml version="1.0"?>\n<svg xmlns="x">', "svg"],
  ["feed", '<?xml version="1.0"?>\n<x/>', "xml"],
  ["state", '{"a": 1}', "json"],
  ["state", '\ufeff[{"a": 1}]', "json"],
  ["state", "{ a }", undefined],
  ["id_key", "-----BEGIN PUBLIC KEY-----\nAAAA\n", "pem"],
  ["change", "--- a/x\n+++ b/x\n", "diff"],
  ["index", "<?php echo 1;", "php"],
  ["thoughts", sentences, "text"],
  ["thoughts.qqq", sentences, "text"],
  ["table", "a=1;b=2;c=3;d=4;\n".repeat(20), undefined],
  ["words", "one two three\n".repeat(20), undefined],
];
for (const [name, text, language] of cases) {
  test(`${name} with ${JSON.stringify(text.slice(0, 30))} is ${language}`, () => {
    assert.equal(detectLanguage(name, text)?.language, language);
  });
}

test("long heads of blanks, quotes and brackets are looked at in time", () => {
  for (const unit of [" ", "\n", "[", '"', "{ ", '{"', "class ", "(", "a(", "--- ", "<?xml ", "'", "-"]) {
    for (const name of ["a.h", "a.pl", "a.1", "a"]) detectLanguage(name, unit.repeat(200_000));
  }
});
