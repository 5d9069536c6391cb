import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Gene } from "../genome/manifest.ts";
import { defaultRules } from "./rules.ts";
import type { Rule } from "./rules.ts";
import { bytesOf, dosedBytes, selectGenes } from "./select.ts";
import type { SelectOptions } from "./select.ts";
import { gene } from "./testing.ts";

const select = (genes: readonly Gene[], rules: readonly Rule[] = [], options: Partial<SelectOptions> = {}) =>
  selectGenes(genes, { rules: [...defaultRules, ...rules], seed: 1, ...options });

const reasons = (...args: Parameters<typeof select>): Record<string, string> =>
  Object.fromEntries(select(...args).silent.map((of) => [of.gene.path, of.reason]));

test("what is silent by default, each with its reason", () => {
  const genes = [
    gene({ path: "a.ts" }),
    gene({ path: "package-lock.json", kind: "lock" }),
    gene({ path: "a.min.js", kind: "minified" }),
    gene({ path: "api.pb.ts", kind: "generated" }),
    gene({ path: "vendor/x.js", kind: "vendored" }),
    gene({ path: "a.bak", kind: "backup" }),
    gene({ path: "game.log", kind: "log" }),
    gene({ path: "small.csv", kind: "data" }),
    gene({ path: "large.csv", kind: "data", flags: ["fixture-over-64KB"] }),
    gene({ path: "test/fixtures/page.html", kind: "prose", flags: ["fixture-over-64KB"] }),
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
    "game.log": "log",
    "large.csv": "large data",
    "test/fixtures/page.html": "large data",
    "copy.ts": "duplicate",
    "empty.py": "empty",
  });
});

test("in every field the last rule that speaks of it wins, and the default rules are rules", () => {
  const genes = [
    gene({ path: "a.md" }),
    gene({ path: "b.ts" }),
    gene({ path: "docs/.hidden/c.md" }),
    gene({ path: "old/d.md" }),
    gene({ path: "large.csv", kind: "data", flags: ["fixture-over-64KB"] }),
    gene({ path: "e.md", duplicateClass: "c", representative: false }),
    gene({ path: "f.md", duplicateClass: "c" }),
    gene({ path: "2024-01-01/g.md", kind: "backup" }),
  ];
  const rules: Rule[] = [
    { match: "**", share: 0 },
    { match: "**/*.md", share: 1, repeat: 2 },
    { name: "too old", match: "repo/old/**", share: 0 },
    { match: "**/*.csv", share: 1 },
  ];
  const silent = {
    "b.ts": "**",
    "old/d.md": "too old",
    "large.csv": "large data",
    "e.md": "duplicate",
    "2024-01-01/g.md": "backup",
  };
  assert.deepEqual(reasons(genes, rules), silent);
  const { "large.csv": _, ...rest } = silent;
  assert.deepEqual(reasons(genes, [...rules, { match: { kind: "data" }, mark: 1 }]), rest);
  assert.deepEqual(reasons(genes, rules.slice(2), { rules, duplicates: "all" }), {
    "b.ts": "**",
    "old/d.md": "too old",
  });
  const { idle, expressed } = select(genes, [...rules, { match: "**/*.rs", mark: 0 }]);
  assert.ok(idle.includes("**/*.rs") && !idle.includes("**/*.md"));
  assert.deepEqual(
    expressed.map(({ gene: of, copies }) => [of.path, copies]),
    [
      ["a.md", 2],
      ["docs/.hidden/c.md", 2],
      ["f.md", 2],
    ],
  );
});

test("a mark is the part of the matching bytes that is expressed, and a fraction of repeats comes to some files", () => {
  const genes = Array.from({ length: 200 }, (_, i) => gene({ path: `${i}.md`, textBytes: 50 + (i % 7) * 100 }));
  const { expressed, silent } = select(genes, [{ match: "**", mark: 0.3 }]);
  const part = dosedBytes(expressed) / bytesOf(genes);
  assert.ok(Math.abs(part - 0.3) < 0.005, `${part}`);
  assert.ok(silent.every(({ reason }) => reason === "mark"));
  const all = select(genes, [{ match: "**", mark: 0.3 }], { isMarked: true });
  assert.equal(all.silent.length, 0, "a mark is applied once");
  const repeated = select(genes, [{ match: "**", repeat: 1.5 }]).expressed.map(({ copies }) => copies);
  assert.deepEqual(
    [...new Set(repeated)].sort((a, b) => a - b),
    [1, 2],
  );
  const twice = repeated.filter((copies) => copies === 2).length;
  assert.ok(twice > 70 && twice < 130, `${twice} of 200 come twice`);
});

test("capacity takes dialogue, tables and logs away first", () => {
  const genes = [
    ...Array.from({ length: 10 }, (_, i) => gene({ path: `${i}.md`, textBytes: 100 })),
    ...Array.from({ length: 10 }, (_, i) => gene({ path: `${i}.csv`, kind: "dialogue", textBytes: 100 })),
  ];
  const kinds = (capacity: number) => {
    const { expressed, silent } = select(genes, [{ match: "**", share: 1 }], { capacity });
    assert.ok(silent.every(({ reason }) => reason === "capacity"));
    return Map.groupBy(expressed, ({ gene: of }) => of.kind);
  };
  assert.deepEqual([kinds(1500).get("prose")?.length, kinds(1500).get("dialogue")?.length], [10, 5]);
  assert.deepEqual([kinds(600).get("prose")?.length, kinds(600).get("dialogue")], [6, undefined]);
  assert.deepEqual([kinds(50).get("prose")?.length, kinds(50).size], [1, 1], "something is always left");
  const asked = [
    { match: "**", share: 1 },
    { match: "**/*.csv", framing: "dialogue" as const },
  ];
  const wanted = select(genes, asked, { capacity: 1500 }).expressed.filter(({ gene: of }) => of.kind === "dialogue");
  assert.ok(wanted.length > 5, "dialogue that the recipe asks questions of is not the first to go");
});

test("what is held out is chosen from more than a small capacity, but from nothing that it takes away first", () => {
  const genes = [
    ...Array.from({ length: 10 }, (_, i) => gene({ path: `${i}.md`, textBytes: 100 })),
    ...Array.from({ length: 10 }, (_, i) => gene({ path: `${i}.csv`, kind: "data", textBytes: 100 })),
  ];
  const { expressed } = select(genes, [], { capacity: 300, keepAtLeast: 800 });
  assert.deepEqual([expressed.length, new Set(expressed.map(({ gene: of }) => of.kind)).size], [8, 1]);
  assert.equal(select(genes, [], { capacity: 1300, keepAtLeast: 800 }).expressed.length, 13);
});

test("where the representative of a class is silent, the first other member stands in", () => {
  const genes = [
    gene({ path: "old/a.md", duplicateClass: "c" }),
    gene({ path: "new/a.md", duplicateClass: "c", representative: false }),
    gene({ path: "new/b.md", duplicateClass: "c", representative: false }),
  ];
  assert.deepEqual(reasons(genes, [{ match: "repo/old/**", share: 0 }]), {
    "old/a.md": "repo/old/**",
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
      const { expressed, silent } = select(genes, rules, { seed });
      const trained = expressed.map((of) => of.gene);
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
    select(genes, [{ match: "**/*.csv", share: 0.2 }], { seed })
      .expressed.map((of) => of.gene.path)
      .filter((path) => path.endsWith(".csv"));
  assert.equal(csv(1).length, 20);
  assert.deepEqual(csv(1), csv(1));
  assert.notDeepEqual(csv(1), csv(2));
});

test("nothing left to train on is the user's error, with what became of the files", () => {
  const genes = [gene({ path: "a.lock", kind: "lock" }), gene({ path: "b.md" })];
  assert.throws(() => select(genes, [{ match: "**/*.md", share: 0 }]), {
    code: "empty",
    message: "none of the 2 files of the genome is left to train on (lock: 1, **/*.md: 1)",
  });
  assert.throws(() => select(genes, [{ match: "**", share: 0.5 }]), {
    code: "invalid",
    message: /less than 1/,
  });
  assert.throws(() => select([]), { code: "empty" });
});
