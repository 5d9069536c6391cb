import assert from "node:assert/strict";
import { test } from "node:test";
import { formatExpression, idsOf, joinExpressions, parseExpression, sameLicences } from "./expression.ts";

const canonical = (text: string) => {
  const expression = parseExpression(text);
  return expression === null ? null : formatExpression(expression);
};

test("expressions are brought to one spelling", () => {
  for (const [text, expected] of [
    ["mit", "MIT"],
    ["(mit or APACHE-2.0)", "MIT OR Apache-2.0"],
    ["MIT and (ISC or Zlib)", "MIT AND (ISC OR Zlib)"],
    ["(MIT AND ISC) OR Zlib", "MIT AND ISC OR Zlib"],
    ["GPL-2.0", "GPL-2.0-only"],
    ["GPL-2.0+", "GPL-2.0-or-later"],
    ["GPL-2.0+ with Classpath-exception-2.0", "GPL-2.0-or-later WITH Classpath-exception-2.0"],
    ["MPL-1.1+", "MPL-1.1+"],
    ["LicenseRef-Mine", "LicenseRef-Mine"],
    ["MIT OR", null],
    ["Foo", null],
    ["", null],
    ["constructor", null],
  ] as const) {
    assert.equal(canonical(text), expected, text);
  }
});

test("joining keeps each expression once and what binds", () => {
  assert.equal(joinExpressions(["MIT", "ISC OR Zlib", "MIT"], "AND"), "MIT AND (ISC OR Zlib)");
  assert.equal(joinExpressions([], "OR"), null);
});

test("licences are compared by the ids that expressions name", () => {
  assert.deepEqual(idsOf("MIT AND (ISC OR MIT)"), ["ISC", "MIT"]);
  assert.deepEqual(idsOf("not one"), ["not one"]);
  assert.ok(sameLicences("MIT OR GPL-2.0-or-later", "GPL-2.0-only AND MIT"));
  assert.ok(!sameLicences("MIT", "MIT-0"));
});

test("hostile expressions are refused without recursion or delay", () => {
  const started = performance.now();
  assert.equal(parseExpression("(".repeat(1 << 20)), null);
  assert.equal(parseExpression(`${"(".repeat(1 << 19)}MIT${")".repeat(1 << 19)}`), null);
  assert.equal(parseExpression(`${"MIT OR ".repeat(150_000)}MIT`), null);
  assert.equal(canonical(`${"(".repeat(250)}MIT${")".repeat(250)}`), "MIT");
  assert.ok(performance.now() - started < 500);
});
