import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { clean, cleanVersion } from "./clean.ts";
import { mergeSpans } from "./span.ts";
import { glue, secretSamples } from "./testing.ts";

test("text with nothing to mask comes back as it is", () => {
  const text = "a plain line, 1.5 and 2.5\n";
  assert.deepEqual(clean(text), { text, masked: {} });
  assert.match(cleanVersion, /^mask@\d+$/);
});

test("counts name kinds and rules, sorted", () => {
  const token = secretSamples().find(({ rule }) => rule === "groq")!.text;
  assert.deepEqual(Object.entries(clean(`${token} a@mail.org ${token} 93.184.216.34 b@mail.org`).masked), [
    ["email", 2],
    ["ip", 1],
    ["secret/groq", 2],
  ]);
});

test("cleaning twice changes nothing more, whatever the text", () => {
  const pieces = [
    "@",
    "a@b.org",
    "+1 415 555 2671",
    "8.8.4.44",
    "4111 1111 1111 1111",
    "://",
    ":",
    "[masked:email]",
    "\\n",
    "%40",
    "😀",
    "\ud800",
  ];
  const part = fc.oneof(
    fc.constantFrom(...pieces, ...secretSamples().map(({ text }) => text)),
    fc.string({ unit: "binary", maxLength: 6 }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
      const once = clean(parts.join(""));
      assert.deepEqual(clean(once.text), { text: once.text, masked: {} });
    }),
    { numRuns: 100, seed: 4 },
  );
});

test("spans that overlap become one with the label of the first", () => {
  assert.deepEqual(
    mergeSpans([
      { start: 3, end: 8, label: "ip" },
      { start: 0, end: 5, label: "email" },
      { start: 8, end: 9, label: "card" },
    ]),
    [
      { start: 0, end: 8, label: "email" },
      { start: 8, end: 9, label: "card" },
    ],
  );
});

test("a hostile line of 800 kB ends", () => {
  // Prefixes without end, markers without an end, and what makes the preset's own patterns go back the farthest.
  const units = [
    "ghs_1_",
    `SG.a.${"b".repeat(258)} `,
    "93.184.216.34 ",
    `${glue("sk_", "live_")}${"a1".repeat(12)}_`,
    "mysql://a:abcdefgh@c/d?e,",
    "xoxb-a-",
    `ghs_1_a${"\\".repeat(12_000)}`,
    `secretAccessKey${'\\"'.repeat(30)}`,
    ":\\/\\/",
    `-----BEGIN PRIVATE ${glue("", "KEY")}-----`,
    "_authToken=a,",
    "http://aa:bbbb@c.dd ",
    "a@b.",
  ];
  for (const unit of units) {
    const started = process.cpuUsage();
    clean(unit.repeat(Math.ceil(8e5 / unit.length)));
    const { user } = process.cpuUsage(started);
    assert.ok(user < 4e5, `${unit.slice(0, 20)}: ${user / 1e6} s of CPU`);
  }
});
