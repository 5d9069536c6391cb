import assert from "node:assert/strict";
import { test } from "node:test";
import { expressGenes } from "./express.ts";
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
