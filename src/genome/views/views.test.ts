import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { GenomeManifest, LockedRepository } from "../gene.ts";
import { diffGenes } from "./diff.ts";
import { drawGenome } from "./picture.ts";
import { genomeStats, quantiles } from "./stats.ts";
import { summarise } from "./summary.ts";
import { gene } from "./testing.ts";
import { squarify } from "./treemap.ts";

const copy = { duplicateClass: "exact:0000000000000000", duplicateKind: "exact" } as const;
const genes = [
  gene("one", "README.md", "12345", { tokens: 2, flags: ["bom"], masked: { email: 2 } }),
  gene("one", "src/a.ts", "1234567890", { tokens: 3, kind: "code", language: "typescript", licence: "ISC", ...copy }),
  gene("one", "src/deep/b.ts", "1234567890", { tokens: 3, kind: "code", representative: false, ...copy }),
  gene("two", "notes.md", "123", { flags: ["bom"], masked: { email: 1, secret: 1 }, language: null }),
];
const repositories: LockedRepository[] = ["one", "two", "none"].map((name) => ({
  name,
  url: null,
  ref: null,
  commit: null,
  tree: null,
  shallow: false,
  licence: "MIT",
}));

test("a summary adds up along the folders", () => {
  const [one, two, none] = summarise(repositories, genes, { depth: 2 });
  assert.deepEqual(
    [one!.genes, one!.bytes, one!.tokens, one!.repeatedBytes, one!.licences, one!.masked, one!.flags],
    [3, 25, 8, 10, { MIT: 2, ISC: 1 }, { email: 2 }, { bom: 1 }],
  );
  assert.deepEqual(one!.kinds, { code: 20, prose: 5 });
  const [src] = one!.folders;
  assert.deepEqual([src!.name, src!.genes, src!.folders[0]!.name, src!.folders[0]!.bytes], ["src", 2, "deep", 10]);
  assert.deepEqual([two!.tokens, two!.folders, none!.genes, none!.tokens], [null, [], 0, null]);
  assert.deepEqual(summarise(repositories, genes, { depth: 0 })[0]!.folders, []);
});

test("stats count by everything, and name what repeats", () => {
  const manifest = { imported: false, counts: { skipped: { binary: 4 } }, damaged: [] } as unknown as GenomeManifest;
  const stats = genomeStats({ manifest, genes });
  assert.deepEqual(stats.kinds["code"], { genes: 2, bytes: 20, tokens: 6, repeatedBytes: 10 });
  assert.deepEqual(Object.keys(stats.languages), ["markdown", "typescript", "null"]);
  assert.equal(stats.licences["ISC"]!.genes, 1);
  assert.deepEqual(stats.duplicates.kinds.exact, { classes: 1, genes: 2, repeatedBytes: 10 });
  assert.deepEqual(stats.duplicates.largest, [
    {
      name: copy.duplicateClass,
      kind: "exact",
      genes: 2,
      repeatedBytes: 10,
      representative: "one/src/a.ts",
      others: ["one/src/deep/b.ts"],
    },
  ]);
  assert.deepEqual([stats.masked, stats.skipped], [{ email: 3, secret: 1 }, { binary: 4 }]);
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.deepEqual(quantiles(hundred), { min: 1, p10: 10, p25: 25, median: 50, p75: 75, p90: 90, p99: 99, max: 100 });
});

test("a diff tells added, removed, changed and moved apart", () => {
  const after = [
    gene("one", "README.md", "12345 and more"),
    gene("one", "lib/a.ts", "1234567890"),
    gene("one", "src/deep/b.ts", "1234567890"),
    gene("three", "new.md", "new"),
    gene("three", "empty.md", ""),
  ];
  const before = [...genes, gene("two", "empty.md", "")];
  const diff = diffGenes(before, after);
  assert.deepEqual(
    diff.added.map(({ path }) => path),
    ["new.md", "empty.md"],
  );
  assert.deepEqual(
    diff.removed.map(({ path }) => path),
    ["notes.md", "empty.md"],
  );
  assert.deepEqual(diff.changed, [{ repository: "one", path: "README.md", bytesBefore: 5, bytesAfter: 14 }]);
  assert.deepEqual(diff.moved, [
    { from: { repository: "one", path: "src/a.ts" }, to: { repository: "one", path: "lib/a.ts" }, bytes: 10 },
  ]);
  assert.equal(diff.unchanged, 1);
  assert.deepEqual(
    diff.repositories.map((one) => [one.name, one.in, one.added, one.removed, one.changed, one.moved]),
    [
      ["one", "both", 0, 0, 1, 1],
      ["three", "second", 2, 0, 0, 0],
      ["two", "first", 0, 2, 0, 0],
    ],
  );
  assert.deepEqual(diffGenes(before, before).repositories, []);
});

test("every gene is in one list of a diff, also where places and texts repeat", () => {
  const some = fc
    .array(fc.tuple(fc.constantFrom("r", "s"), fc.constantFrom("a", "b", "d/a"), fc.constantFrom("", "x", "y")), {
      maxLength: 12,
    })
    .map((list) => list.map(([repository, path, text]) => gene(repository, path, text)));
  fc.assert(
    fc.property(some, some, (before, after) => {
      const { added, removed, changed, moved, unchanged } = diffGenes(before, after);
      const common = changed.length + moved.length + unchanged;
      assert.deepEqual([added.length + common, removed.length + common], [after.length, before.length]);
    }),
  );
});

test("a treemap fills its area in proportion", () => {
  const weights = fc
    .array(fc.integer({ min: 1, max: 1e6 }), { minLength: 1, maxLength: 40 })
    .map((list) => list.sort((a, b) => b - a));
  fc.assert(
    fc.property(weights, (list) => {
      const total = list.reduce((sum, weight) => sum + weight, 0);
      const rectangles = squarify(list, { x: 10, y: 20, width: 300, height: 200 });
      for (const [i, { x, y, width, height }] of rectangles.entries()) {
        assert.ok(Math.abs(width * height - (60_000 * list[i]!) / total) < 1e-3);
        assert.ok(x > 9.999 && y > 19.999 && x + width < 310.001 && y + height < 220.001);
      }
      for (const [i, a] of rectangles.entries()) {
        for (const b of rectangles.slice(i + 1)) {
          const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
          const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
          assert.ok(across < 1e-6 || down < 1e-6, "no two overlap");
        }
      }
    }),
    { numRuns: 50 },
  );
});

test("a picture names what it shows, and nothing in a name becomes markup", () => {
  const svg = drawGenome([...genes, gene('<script>alert("1")</script>&\u0001', "x", "y".repeat(100))], {
    title: "A & B",
    formatBytes: (bytes) => `${bytes} B`,
  });
  assert.ok(svg.startsWith("<svg ") && svg.endsWith("</svg>\n"));
  assert.doesNotMatch(svg, /<script|NaN|&(?!(?:amp|lt|gt|quot);)/);
  assert.ok(!svg.includes("\u0001"));
  assert.match(svg, /<title>A &amp; B<\/title>/);
  assert.match(svg, /<title>one: 25 B in 3 files, 10 B of it repeated<\/title>/);
  assert.match(svg, /&lt;script&gt;.*: 100 B in 1 file</);
  assert.match(svg, /prefers-color-scheme:dark/);
  assert.match(svg, />repeated 8 %</);
  const pairs = (name: string) => svg.split(`<${name}`).length - svg.split(`</${name}>`).length;
  for (const name of ["g>", "title>", "text "]) assert.equal(pairs(name.slice(0, -1)), 0, name);
});
