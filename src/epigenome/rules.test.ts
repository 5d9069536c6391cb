import assert from "node:assert/strict";
import { test } from "node:test";
import { dosing, idleRules, matcher, ruleName } from "./rules.ts";
import type { Match } from "./rules.ts";
import { gene } from "./testing.ts";

const genes = [
  gene({ path: "docs/a.md", licence: "MIT", lastCommit: "2026-01-02T00:00:00Z", textBytes: 10 }),
  gene({ path: "src/b.ts", kind: "code", language: "typescript", repositoryLicence: "Apache-2.0", textBytes: 20 }),
  gene({ path: "c.log", repository: "other", kind: "log", language: null, flags: ["bom"], textBytes: 30 }),
  gene({
    path: "d.csv",
    kind: "data",
    language: "csv",
    duplicateClass: "near:1",
    duplicateKind: "near",
    textBytes: 40,
  }),
];

test("a rule matches a glob over repository and path, or every part that it names", () => {
  const matches: readonly [match: string | Match, names: readonly string[]][] = [
    ["**", ["docs/a.md", "src/b.ts", "c.log", "d.csv"]],
    ["repo/**", ["docs/a.md", "src/b.ts", "d.csv"]],
    ["**/*.md", ["docs/a.md"]],
    [{}, ["docs/a.md", "src/b.ts", "c.log", "d.csv"]],
    [{ repository: "oth*" }, ["c.log"]],
    [{ path: "src/*" }, ["src/b.ts"]],
    [{ kind: ["log", "data"] }, ["c.log", "d.csv"]],
    [{ kind: "data", path: "src/**" }, []],
    [{ language: "typescript" }, ["src/b.ts"]],
    [{ licence: ["MIT", "Apache-2.0"] }, ["docs/a.md", "src/b.ts"]],
    [{ flag: "bom" }, ["c.log"]],
    [{ duplicate: "near" }, ["d.csv"]],
    [{ bytes: { atLeast: 20, below: 40 } }, ["src/b.ts", "c.log"]],
    [{ changed: { since: "2026-01-01" } }, ["docs/a.md"]],
    [{ changed: { before: "2026-01-01" } }, []],
  ];
  for (const [match, names] of matches) {
    const found = genes.filter(matcher({ match })).map(({ path }) => path);
    assert.deepEqual(found, names, JSON.stringify(match));
  }
});

test("a dose takes each field from the last rule that speaks of it, and names the rule", () => {
  const rules = [
    { match: "**", mark: 0.5, loss: 2 },
    { name: "docs", match: "repo/docs/**", repeat: 3 },
    { match: { kind: "prose" as const }, mark: 1, framing: "document" as const },
  ];
  const { by, ...dose } = dosing(rules)(genes[0]!);
  assert.deepEqual(dose, { mark: 1, share: 1, repeat: 3, loss: 2, emphasis: null, framing: "document", stage: null });
  assert.deepEqual(by, { mark: rules[2], loss: rules[0], repeat: rules[1], framing: rules[2] });
  assert.deepEqual(rules.map(ruleName), ["**", "docs", '{"kind":"prose"}']);
  const { by: none, ...plain } = dosing([])(genes[0]!);
  assert.deepEqual(
    [plain, none],
    [{ mark: 1, share: 1, repeat: 1, loss: 1, emphasis: null, framing: "text", stage: null }, {}],
  );
});

test("rules that match nothing are named", () => {
  assert.deepEqual(idleRules([{ match: "**/*.rs" }, { match: "**" }, { name: "x", match: { flag: "y" } }], genes), [
    "**/*.rs",
    "x",
  ]);
});
