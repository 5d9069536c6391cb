import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import fc from "fast-check";
import { uniform } from "../../formats/random.ts";
import type { DuplicateMark } from "./find-duplicates.ts";
import { jaccard } from "./shingles.ts";
import { edited, marksOf, randomWords, setOf } from "./testing.ts";

const nameOf = (kind: string, text: string): string =>
  `${kind}:${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
const classes = (marks: readonly DuplicateMark[]): (string | null)[] => marks.map((mark) => mark.duplicateClass);

/** Pairs of a similarity of at least 0.8, those of them in one class, and the least similarity within a near class. */
function judge(
  texts: readonly string[],
  marks: readonly DuplicateMark[],
): { pairs: number; found: number; lowest: number } {
  const sets = texts.map((text) => setOf(text));
  let [pairs, found, lowest] = [0, 0, 1];
  for (let i = 0; i < texts.length; i++) {
    for (let j = 0; j < i; j++) {
      const similarity = jaccard(sets[i]!, sets[j]!);
      const { duplicateClass, duplicateKind } = marks[i]!;
      const together = duplicateClass !== null && duplicateClass === marks[j]!.duplicateClass;
      if (together && duplicateKind === "near") lowest = Math.min(lowest, similarity);
      if (similarity < 0.8) continue;
      pairs++;
      if (together) found++;
    }
  }
  return { pairs, found, lowest };
}

test("against brute force nearly all similar pairs are together, and no others", async () => {
  const texts: string[] = [];
  for (let family = 0; family < 25; family++) {
    const words = randomWords(family, 40 + 12 * family);
    for (let copy = 0; copy < 6; copy++) {
      const edits = Math.floor(0.02 * words.length * uniform(family, "edits", copy, 0));
      const kept = Math.ceil(words.length * (1 - 0.2 * uniform(family, "kept", copy, 0)));
      texts.push(
        edited(words, 100 * family + copy, edits)
          .slice(0, kept)
          .join(" "),
      );
    }
  }
  const { pairs, found, lowest } = judge(texts, await marksOf(texts.map((text) => ({ text }))));
  assert.ok(pairs > 100, `${pairs} pairs`);
  assert.ok(found >= 0.9 * pairs, `${found} of ${pairs}`);
  assert.ok(lowest >= 0.7, `${lowest}`);
});

test("a chain of versions, each near the next, is cut where its ends would drift apart", async () => {
  const words = randomWords(5, 2000);
  for (const window of [100, 200]) {
    const texts = Array.from({ length: 90 }, (_, i) => words.slice(5 * i, 5 * i + window).join(" "));
    const marks = await marksOf(texts.map((text) => ({ text })));
    const { found, lowest } = judge(texts, marks);
    assert.ok(lowest >= 0.7, `${lowest}`);
    assert.ok(found >= 90, `${found}`);
    assert.ok(new Set(classes(marks)).size > 5);
  }
});

test("any mixture of edits gives classes without a pair under 0.7", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(2), fc.nat(1000), fc.nat(12), fc.integer({ min: 30, max: 80 })), { maxLength: 24 }),
      async (recipes) => {
        const texts = recipes.map(([family, seed, edits, kept]) =>
          edited(randomWords(family, 80), seed, edits).slice(0, kept).join(" "),
        );
        assert.ok(judge(texts, await marksOf(texts.map((text) => ({ text })))).lowest >= 0.7);
      },
    ),
    { numRuns: 60 },
  );
});

test("equal texts are one exact class, named by the text, and the first stands for it", async () => {
  const marks = await marksOf([{ text: "a b" }, { text: "other" }, { text: "a b" }, { text: "a  b" }]);
  const name = nameOf("exact", "a b");
  assert.deepEqual(marks, [
    { duplicateClass: name, duplicateKind: "exact", representative: true },
    { duplicateClass: null, duplicateKind: null, representative: true },
    { duplicateClass: name, duplicateKind: "exact", representative: false },
    { duplicateClass: null, duplicateKind: null, representative: true }, // Under 5 words: only equal texts.
  ]);
});

test("equal copies of a near duplicate are in its class", async () => {
  const words = randomWords(1, 100);
  const [a, b] = [words.join(" "), edited(words, 1, 1).join(" ")];
  const marks = await marksOf([{ text: a }, { text: "x" }, { text: b }, { text: a }, { text: b }]);
  const name = nameOf("near", b); // The longer.
  assert.deepEqual(classes(marks), [name, null, name, name, name]);
  assert.deepEqual(
    marks.map((mark) => mark.representative),
    [false, true, true, false, false],
  );
});

test("older copies name the newest, which is not a backup", async () => {
  const words = randomWords(2, 100);
  const version = (kept: number): string => words.slice(0, kept).join(" ");
  const marks = await marksOf([
    { text: version(85), rank: { backup: true, date: 1 } },
    { text: version(100), rank: { backup: true, date: 3 } },
    { text: version(95), rank: { backup: false, date: 2 } },
    { text: version(100), rank: { backup: false, date: 2 } },
  ]);
  assert.deepEqual(
    marks.map((mark) => mark.representative),
    [false, false, false, true],
  );
  assert.deepEqual(new Set(classes(marks)), new Set([nameOf("near", version(100))]));
});

const log = (run: number, lines = 40): string => {
  const number = (line: number, lane: number): number => Math.floor(1000 * uniform(run, "log", line, lane));
  const events = Array.from(
    { length: lines },
    (_, line) => `[12:${number(line, 0)}] Node ${number(line, 1)} joined the network with key ${number(line, 2)}`,
  );
  return `RUN LOG\nA network of nodes that look for a key\n${events.join("\n")}\nEND OF LOG FILE\n`;
};

test("logs that differ in numbers are of one template; texts that are no logs never are", async () => {
  const texts = [0, 1, 2].map((run) => ({ text: log(run), log: true }));
  const other = { text: "the network of another game\n".repeat(9) + "with its own events 1 2 3", log: true };
  const marks = await marksOf([...texts, other, { text: log(3), log: false }]);
  assert.equal(new Set(classes(marks.slice(0, 3))).size, 1);
  assert.match(marks[0]!.duplicateClass!, /^template:/);
  assert.deepEqual(classes(marks.slice(3)), [null, null]);
});

test("equal and near copies of a log follow it into its template, whatever their kind", async () => {
  const logs = [0, 1].map((run) => ({ text: log(run, 60), log: true }));
  const marks = await marksOf([
    ...logs,
    { text: logs[0]!.text, rank: { backup: true } },
    { text: logs[1]!.text.split("\n").slice(0, -4).join("\n"), rank: { backup: true } },
  ]);
  assert.equal(new Set(classes(marks)).size, 1);
  assert.ok(marks.every((mark) => mark.duplicateKind === "template"));
});

test("the same classes come out with a cache of any size and texts that come late", async () => {
  const texts = Array.from({ length: 80 }, (_, i) => ({
    text: edited(randomWords(i % 4, 60), i, i % 3).join(" "),
    log: i % 4 === 0,
  }));
  const marks = await marksOf(texts);
  const late = await marksOf(texts, {
    cacheBytes: 2000,
    text: async (item) => {
      if (item % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
      return Buffer.from(texts[item]!.text);
    },
  });
  assert.deepEqual(late, marks);
  for (const kind of ["near", "template"]) assert.ok(marks.some((mark) => mark.duplicateKind === kind));
});

test("thousands of copies of one text are one class, soon", async () => {
  const words = randomWords(3, 120);
  const texts = Array.from({ length: 3000 }, (_, i) => edited(words, i, 1).join(" "));
  const start = performance.now();
  let told = 0;
  let reads = 0;
  const marks = await marksOf(
    texts.map((text) => ({ text })),
    {
      cacheBytes: 1 << 20,
      onProgress: (done) => (told = done),
      text: async (item) => {
        reads++;
        return Buffer.from(texts[item]!);
      },
    },
  );
  assert.equal(told, 3000);
  assert.ok(reads < 30_000, `${reads} reads`);
  assert.ok(performance.now() - start < 20_000);
  const largest = Math.max(...[...Map.groupBy(classes(marks), (name) => name).values()].map((of) => of.length));
  assert.ok(largest > 2900, `${largest}`);
  const sample = texts.filter((_, i) => i % 40 === 0);
  assert.ok(
    judge(
      sample,
      marks.filter((_, i) => i % 40 === 0),
    ).lowest >= 0.7,
  );
});

test("a large family that spreads wide has no pair under 0.7 in a class, and no similar pairs apart without need", async () => {
  const words = randomWords(4, 300);
  const texts = Array.from({ length: 500 }, (_, i) => edited(words, i, 1 + (i % 6)).join(" "));
  const marks = await marksOf(texts.map((text) => ({ text })));
  const { pairs, found, lowest } = judge(texts, marks);
  assert.ok(lowest >= 0.7, `${lowest}`);
  assert.ok(found >= 0.9 * pairs, `${found} of ${pairs}`);
});

test("no genes, no classes", async () => {
  assert.deepEqual(await marksOf([]), []);
});

test("what reading a text throws comes through", async () => {
  const texts = [{ text: "a b c d e f" }, { text: "a b c d e f " }];
  await assert.rejects(
    marksOf(texts, {
      text: async () => {
        throw new Error("gone");
      },
    }),
    /gone/,
  );
});
