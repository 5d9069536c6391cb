import assert from "node:assert/strict";
import { test } from "node:test";
import { expressGenes } from "./express.ts";
import { OWN_DATA } from "./rules.ts";
import { bytesOf } from "./select.ts";
import { gene } from "./testing.ts";

test("every gene is trained on or silent for one reason, and shares hold for what is trained on", async () => {
  const genes = [
    ...Array.from({ length: 60 }, (_, i) => gene({ path: `${i}.md`, textBytes: 1000 + i })),
    ...Array.from({ length: 60 }, (_, i) => gene({ path: `${i}.csv`, textBytes: 900 + i })),
    gene({ path: "package-lock.json", kind: "lock" }),
  ];
  const { trained, heldOut, silent, idle } = await expressGenes(genes, {
    rules: [
      { match: "**/*.csv", share: 0.25 },
      { match: "**/*.rs", share: 0 },
    ],
    seed: 4,
    share: 0.1,
    minFiles: 5,
    maxBytes: 100_000,
    text: async (of) => `a line that only ${of.path.replace(/\d/g, (d) => "abcdefghij"[Number(d)]!)} has\n`,
  });
  assert.ok(heldOut.length >= 5);
  assert.ok(heldOut.some((of) => of.path.endsWith(".md")));
  assert.deepEqual(
    [...trained, ...silent.map((of) => of.gene)].map((of) => of.path).sort(),
    genes.map((of) => of.path).sort(),
  );
  assert.ok(heldOut.every((of) => silent.some((s) => s.gene === of && s.reason === "held out")));
  assert.ok(bytesOf(trained.filter((of) => of.path.endsWith(".csv"))) <= 0.25 * bytesOf(trained));
  assert.deepEqual(idle, ["**/*.rs"]);
});

test("a small diet leaves as much to hold out as a large one", async () => {
  const genes = Array.from({ length: 60 }, (_, i) => gene({ path: `${i}.md`, textBytes: 1000 }));
  const name = (path: string): string => path.replaceAll(/\d/g, (d) => "abcdefghij"[Number(d)]!);
  const of = (capacity: number) =>
    expressGenes(genes, {
      rules: [],
      seed: 4,
      capacity,
      share: 0.1,
      minFiles: 2,
      maxBytes: 100_000,
      text: async ({ path }) => `a line that only ${name(path)} has\n`,
    });
  const [small, large] = [await of(3000), await of(1e6)];
  assert.deepEqual(small.heldOut, large.heldOut);
  assert.deepEqual([small.trained.length, large.trained.length, large.heldOut.length], [3, 54, 6]);
});

test("what serves as retention or replay text is neither trained on nor held out", async () => {
  const lines = (word: string, from: number, to: number): string =>
    Array.from({ length: to - from }, (_, i) => `the ${word} of line ${"x".repeat(from + i)} stands here\n`).join("");
  const texts = new Map([
    ["kept.txt", lines("retention", 0, 30)],
    ["part.md", lines("retention", 0, 10) + lines("own", 0, 90)], // a third of the retention text, a tenth of itself
    ["cites.md", lines("retention", 0, 4) + lines("other", 0, 90)], // 13 % of it
    ["again.txt", lines("replay", 0, 20)],
    ["own.jsonl", `${JSON.stringify({ text: lines("retention", 10, 20) })}\n`], // own data is compared by what it says
    ...Array.from({ length: 20 }, (_, i) => [`${i}.md`, lines(`word${"abcdefghijklmnopqrst"[i]}`, 0, 20)] as const),
  ]);
  const genes = [...texts].map(([path, text]) =>
    gene({ path, textBytes: text.length, flags: path.endsWith("l") ? [OWN_DATA] : [] }),
  );
  const { trained, silent } = await expressGenes(genes, {
    rules: [],
    seed: 4,
    share: 0.1,
    minFiles: 2,
    maxBytes: 100_000,
    text: async (of) => texts.get(of.path)!,
    retention: [lines("retention", 0, 30)],
    alsoTrained: [lines("replay", 0, 20)],
  });
  const reasons = new Map(silent.map((of) => [of.gene.path, of.reason]));
  assert.equal(reasons.get("kept.txt"), "retention text");
  assert.equal(reasons.get("part.md"), "retention text");
  assert.equal(reasons.get("again.txt"), "replay text");
  assert.equal(reasons.get("own.jsonl"), "retention text");
  assert.ok(trained.some((of) => of.path === "cites.md") || reasons.get("cites.md") === "held out");
});
