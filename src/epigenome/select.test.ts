import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Gene } from "../genome/manifest.ts";
import { bytesOf, selectGenes } from "./select.ts";
import { gene } from "./testing.ts";

const reasons = (genes: Gene[], rules: { match: string; share: number }[] = []): Record<string, string> =>
  Object.fromEntries(selectGenes(genes, rules, 1).silent.map((of) => [of.gene.path, of.reason]));

test("what is silent by default, each with its reason", () => {
  const genes = [
    gene({ path: "a.ts" }),
    gene({ path: "package-lock.json", kind: "lock" }),
    gene({ path: "a.min.js", kind: "minified" }),
    gene({ path: "api.pb.ts", kind: "generated" }),
    gene({ path: "vendor/x.js", kind: "vendored" }),
    gene({ path: "a.bak", kind: "backup" }),
    gene({ path: "small.csv", kind: "data", textBytes: 65536 }),
    gene({ path: "large.csv", kind: "data", textBytes: 65537 }),
    gene({ path: "test/fixtures/page.html", kind: "prose", textBytes: 70_000 }),
    gene({ path: "large.md", kind: "prose", textBytes: 70_000 }),
    gene({ path: "copy.ts", duplicateClass: "c", representative: false }),
    gene({ path: "original.ts", duplicateClass: "c" }),
    gene({ path: "empty.py", textBytes: 0 }),
  ];
  assert.deepEqual(reasons(genes), {
    "package-lock.json": "lock",
    "a.min.js": "minified",
    "api.pb.ts": "generated",
    "vendor/x.js": "vendored",
    "a.bak": "backup",
    "large.csv": "large data",
    "test/fixtures/page.html": "large data",
    "copy.ts": "duplicate",
    "empty.py": "empty",
  });
});

test("the last matching rule wins, also over the size limit of data, but not over what a file is", () => {
  const genes = [
    gene({ path: "a.md" }),
    gene({ path: "b.ts" }),
    gene({ path: "docs/.hidden/c.md" }),
    gene({ path: "old/d.md" }),
    gene({ path: "large.csv", kind: "data", textBytes: 70_000 }),
    gene({ path: "e.md", duplicateClass: "c", representative: false }),
    gene({ path: "f.md", duplicateClass: "c" }),
    gene({ path: "2024-01-01/g.md", kind: "backup" }),
  ];
  const rules = [
    { match: "**", share: 0 },
    { match: "**/*.md", share: 1 },
    { match: "repo/old/**", share: 0 },
    { match: "**/*.csv", share: 1 },
  ];
  assert.deepEqual(reasons(genes, rules), {
    "b.ts": "rule",
    "old/d.md": "rule",
    "e.md": "duplicate",
    "2024-01-01/g.md": "backup",
  });
  assert.deepEqual(selectGenes(genes, [...rules, { match: "**/*.rs", share: 0 }], 1).idle, ["**/*.rs"]);
});

test("where the representative of a class is silent, the first other member stands in", () => {
  const genes = [
    gene({ path: "old/a.md", duplicateClass: "c" }),
    gene({ path: "new/a.md", duplicateClass: "c", representative: false }),
    gene({ path: "new/b.md", duplicateClass: "c", representative: false }),
  ];
  assert.deepEqual(reasons(genes, [{ match: "repo/old/**", share: 0 }]), {
    "old/a.md": "rule",
    "new/b.md": "duplicate",
  });
});

test("no group exceeds its share of the trained bytes, files being whole", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 30 });
  const share = fc.integer({ min: 1, max: 99 }).map((percent) => percent / 100);
  fc.assert(
    fc.property(sizes, sizes, sizes, share, share, fc.nat(), (md, csv, log, csvShare, logShare, seed) => {
      const genes = [
        ...md.map((textBytes, i) => gene({ path: `${i}.md`, textBytes })),
        ...csv.map((textBytes, i) => gene({ path: `${i}.csv`, textBytes })),
        ...log.map((textBytes, i) => gene({ path: `${i}.log`, textBytes })),
      ];
      const rules = [
        { match: "**/*.csv", share: csvShare },
        { match: "**/*.log", share: logShare },
      ];
      const { trained, silent } = selectGenes(genes, rules, seed);
      const part = (end: string): number => bytesOf(trained.filter((of) => of.path.endsWith(end))) / bytesOf(trained);
      assert.ok(part(".csv") <= csvShare + 1e-12 && part(".log") <= logShare + 1e-12);
      assert.equal(trained.length + silent.length, genes.length);
      assert.equal(trained.filter((of) => of.path.endsWith(".md")).length, md.length);
    }),
  );
});

test("a share is used up as far as whole files allow, and the seed decides by which", () => {
  const genes = [
    ...Array.from({ length: 80 }, (_, i) => gene({ path: `${i}.md`, textBytes: 100 })),
    ...Array.from({ length: 80 }, (_, i) => gene({ path: `${i}.csv`, textBytes: 100 })),
  ];
  const csv = (seed: number): string[] =>
    selectGenes(genes, [{ match: "**/*.csv", share: 0.2 }], seed)
      .trained.filter((of) => of.path.endsWith(".csv"))
      .map((of) => of.path);
  assert.equal(csv(1).length, 20);
  assert.deepEqual(csv(1), csv(1));
  assert.notDeepEqual(csv(1), csv(2));
});

test("nothing left to train on is the user's error, with what became of the files", () => {
  const genes = [gene({ path: "a.lock", kind: "lock" }), gene({ path: "b.md" })];
  assert.throws(() => selectGenes(genes, [{ match: "**/*.md", share: 0 }], 1), {
    code: "empty",
    message: "none of the 2 files of the genome is left to train on (lock: 1, rule: 1)",
  });
  assert.throws(() => selectGenes(genes, [{ match: "**", share: 0.5 }], 1), {
    code: "invalid",
    message: /less than 1/,
  });
  assert.throws(() => selectGenes([], [], 1), { code: "empty" });
});
