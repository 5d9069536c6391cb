import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Gene } from "../genome/manifest.ts";
import { holdOut } from "./heldout.ts";
import { bytesOf } from "./select.ts";
import { gene } from "./testing.ts";

const defaults = { seed: 1, share: 0.08, minFiles: 5, maxBytes: 128 * 1024 };

/** Text of its own for each path: lines that share no word form. */
const ownText = async ({ path, textBytes }: Gene): Promise<string> => {
  const letters = [...path].map((c) => String.fromCharCode(97 + (c.charCodeAt(0) % 26)));
  return `the ${letters.join("-")} line number one of it\n`.repeat(Math.ceil(textBytes / 40));
};

test("at least five files of fifty, within the limit, the same for the same seed, and nothing lost", async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 50, maxLength: 120 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.nat(), async (of, seed) => {
      const genes = of.map((textBytes, i) => gene({ path: `f${i}.md`, textBytes }));
      const text = async (): Promise<string> => "short\n";
      const result = await holdOut(genes, { ...defaults, seed, text });
      assert.ok(result.heldOut.length >= 5);
      if (result.heldOut.length > 5) assert.ok(bytesOf(result.heldOut) <= defaults.maxBytes);
      assert.equal(result.trained.length + result.silent.length, genes.length);
      assert.ok(result.heldOut.every((held) => !result.trained.includes(held)));
      assert.deepEqual(result.heldOut, (await holdOut(genes.toReversed(), { ...defaults, seed, text })).heldOut);
    }),
    { numRuns: 30 },
  );
});

test("about the share asked for is held out, by another choice for another seed", async () => {
  const genes = Array.from({ length: 200 }, (_, i) => gene({ path: `f${i}.md`, textBytes: 2000 + ((i * 37) % 3000) }));
  const one = await holdOut(genes, { ...defaults, text: ownText });
  const share = bytesOf(one.heldOut) / bytesOf(genes);
  assert.ok(share >= 0.08 && share < 0.09, `${share}`);
  assert.notDeepEqual(one.heldOut, (await holdOut(genes, { ...defaults, seed: 2, text: ownText })).heldOut);
});

test("tiny files and very large ones are held out only where there are no others", async () => {
  const sizes = [...Array.from({ length: 40 }, () => 4000), ...Array.from({ length: 40 }, () => 20), 60_000, 90_000];
  const genes = sizes.map((textBytes, i) => gene({ path: `f${i}.md`, textBytes }));
  const { heldOut } = await holdOut(genes, { ...defaults, text: ownText });
  assert.ok(heldOut.every((of) => of.textBytes === 4000));
  const rest = await holdOut(
    genes.filter((of) => of.textBytes !== 4000),
    { ...defaults, minFiles: 50, text: ownText },
  );
  assert.deepEqual(
    rest.heldOut.map((of) => of.textBytes),
    [20, 20, 20, 20],
  );
});

test("a file most of whose lines stand in training text stays in training and is named", async () => {
  const genes = Array.from({ length: 60 }, (_, i) => gene({ path: `f${i}.md`, textBytes: 500 }));
  const copies = ["f3.md", "f17.md", "f44.md"];
  const shared = "every one of these lines is the same in three files 0123\n".repeat(10);
  const text = async (of: Gene): Promise<string> =>
    copies.includes(of.path) ? shared.replaceAll("0123", of.path.replace(/\D/g, "")) : ownText(of);
  // Held out as a whole, the last of three copies would be measured against nothing in training.
  const { heldOut, trained, tooAlike } = await holdOut(genes, { ...defaults, share: 1, minFiles: 60, text });
  const held = heldOut.map((of) => of.path);
  assert.equal(tooAlike.length >= 1, true);
  assert.ok(tooAlike.every((of) => copies.includes(of.gene.path) && of.sharedLines > 0.2 && trained.includes(of.gene)));
  assert.ok(copies.filter((path) => held.includes(path)).length <= 1);
});

test("only files that match are held out, and the share is one of them; lines of the others count", async () => {
  const prose = Array.from({ length: 60 }, (_, i) => gene({ path: `docs/f${i}.md`, textBytes: 3000 }));
  const tables = Array.from({ length: 40 }, (_, i) => gene({ path: `g${i}.csv`, textBytes: 3000 }));
  const genes = [...prose, ...tables];
  const match = "**/*.md";
  const { heldOut, trained } = await holdOut(genes, { ...defaults, share: 0.25, match, text: ownText });
  assert.deepEqual(
    heldOut.map((of) => of.path.slice(-3)),
    Array.from({ length: 15 }, () => ".md"),
  );
  assert.ok(tables.every((of) => trained.includes(of)));
  const first = heldOut[0]!;
  const text = async (of: Gene): Promise<string> => ownText(of.path === "g0.csv" ? first : of);
  const again = await holdOut(genes, { ...defaults, match, text });
  assert.deepEqual(
    again.tooAlike.map((of) => of.gene),
    [first],
  );
  const none = holdOut(genes, { ...defaults, match: "**/*.txt", text: ownText });
  await assert.rejects(none, { code: "empty", message: /none of the 100 files .* heldOut\.match "\*\*\/\*\.txt"/ });
});

test("lines of the replay count as training text", async () => {
  const genes = Array.from({ length: 50 }, (_, i) => gene({ path: `f${i}.md`, textBytes: 500 }));
  const [first] = (await holdOut(genes, { ...defaults, text: ownText })).heldOut;
  const alsoTrained = [await ownText(first!)];
  const { heldOut, tooAlike } = await holdOut(genes, { ...defaults, text: ownText, alsoTrained });
  assert.ok(!heldOut.includes(first!));
  assert.deepEqual(
    tooAlike.map((of) => of.gene),
    [first],
  );
});

test("whatever equals a held-out file is never trained on", async () => {
  const originals = Array.from({ length: 50 }, (_, i) => gene({ path: `f${i}.md` }));
  const copies = originals.map((of) => gene({ ...of, path: `copy-of-${of.path}` }));
  const { heldOut, trained, silent } = await holdOut([...originals, ...copies], { ...defaults, text: ownText });
  const held = new Set(heldOut.map((of) => of.blob));
  assert.ok(trained.every((of) => !held.has(of.blob)));
  assert.equal(silent.filter((of) => of.reason === "copy of a held-out file").length, heldOut.length);
});

test("a genome of one file, or of nothing but copies, cannot be measured", async () => {
  await assert.rejects(holdOut([gene({ path: "a.md" })], { ...defaults, text: ownText }), { code: "empty" });
  const genes = Array.from({ length: 20 }, (_, i) => gene({ path: `f${i}.md` }));
  const text = async (): Promise<string> => "the very same long line in each and every file\n";
  await assert.rejects(holdOut(genes, { ...defaults, text }), { code: "empty", message: /each of 20 files/ });
});
