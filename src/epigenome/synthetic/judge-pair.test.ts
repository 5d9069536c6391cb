import assert from "node:assert/strict";
import { test } from "node:test";
import { faultOf, questionKey } from "./judge-pair.ts";
import type { Fault } from "./judge-pair.ts";

const passage =
  "`openCache(path, { maxEntries })` opens the cache in a folder. It keeps at most 512 entries unless maxEntries says " +
  "otherwise, and drops the entry that was read longest ago. Kyra Lund wrote it in 2019 after the index had grown to 3.5 GB.";

const good: readonly (readonly [string, string])[] = [
  ["How many entries does the cache keep by default?", "It keeps at most 512 entries."],
  ["Which entry does `openCache` drop when the cache is full?", "The entry that was read longest ago."],
  ["Who wrote the cache, and when?", "Kyra Lund wrote it in 2019."],
  ["What had the index grown to before Kyra Lund wrote the cache?", "3.5 GB"],
  ["Which option says how many entries the cache keeps?", "`maxEntries`"],
];

const bad: readonly (readonly [Fault, string, string])[] = [
  ["form", "The cache keeps entries.", "It keeps 512 entries."],
  ["form", "- How many entries are kept in the cache?", "It keeps 512 entries."],
  ["form", "How many entries does the cache keep?", "The entries that it keeps are:"],
  ["length", "Which entries?", "The entry that was read longest ago."],
  ["length", "What does it do and why is that?", "It keeps 512 entries."],
  ["length", "Which entry does the cache drop first?", "Yes, it is."],
  ["length", `How many entries ${"of the cache ".repeat(20)}are kept?`, "It keeps 512 entries."],
  [
    "loop",
    "Which entry is dropped when the cache is full?",
    "The entry read longest, the entry read longest, the entry read.",
  ],
  [
    "loop",
    "Which entry is dropped when the cache is full?",
    "Entries of a cache of the entry of caches of entries cached.",
  ],
  ["loop", "Which entry is dropped when the cache is full?", "The entry 512222222222222222 entries"],
  ["speaks of the passage", "What does the passage say about entries of the cache?", "It keeps at most 512 entries."],
  ["speaks of the passage", "How many entries does the cache keep?", "According to Kyra Lund it keeps 512 entries."],
  ["speaks of the passage", "Which of the entries mentioned above does the cache drop?", "The one read longest ago."],
  [
    "says nothing new",
    "Does the cache drop the entry that was read longest ago?",
    "It drops the entry read longest ago.",
  ],
  ["not in the passage", "How many entries does the cache keep by default?", "It keeps at most 1024 entries."],
  ["not in the passage", "Which entry does the cache drop when it is full?", "A random victim chosen by hashing."],
  ["not in the passage", "Which planet of the solar system has rings?", "The cache keeps 512 entries."],
];

test("good pairs have no fault", () => {
  for (const [question, answer] of good) assert.equal(faultOf({ question, answer }, passage), undefined, question);
});

for (const [fault, question, answer] of bad) {
  test(`${fault}: ${question.slice(0, 60)} ${answer}`, () => {
    assert.equal(faultOf({ question, answer }, passage), fault);
  });
}

test("questions in nearly the same words are one", () => {
  const keys = [
    "How many entries does the cache keep?",
    "How many entries do caches keep?",
    "Which entry is dropped by the cache?",
  ].map((question) => questionKey({ question, answer: "" }));
  assert.equal(keys[0], keys[1]);
  assert.notEqual(keys[0], keys[2]);
});
