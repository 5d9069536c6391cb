import assert from "node:assert/strict";
import { test } from "node:test";
import { groupsOf } from "./groups.ts";

const files = (repository: string, kind: string, count: number) =>
  Array.from({ length: count }, () => ({ repository, kind }));

test("five files of a repository and kind are a group; the rest is pooled by kind, then altogether", () => {
  const groups = groupsOf([
    ...files("a", "prose", 5),
    ...files("a", "code", 4),
    ...files("b", "code", 1),
    ...files("b", "data", 4),
    ...files("c", "log", 1),
  ]);
  assert.deepEqual(groups.names, ["*", "* code", "a prose"]);
  const name = (repository: string, kind: string) => groups.names[groups.of({ repository, kind }) ?? -1];
  assert.equal(name("a", "prose"), "a prose");
  assert.equal(name("a", "code"), "* code");
  assert.equal(name("b", "data"), "*");
  // A held-out file of which nothing like it is trained belongs to what is pooled, too.
  assert.equal(name("d", "code"), "* code");
  assert.equal(name("d", "prose"), "*");
});

test("where nothing is pooled, a file of no group has none", () => {
  const groups = groupsOf(files("a", "prose", 5));
  assert.deepEqual(groups.names, ["a prose"]);
  assert.equal(groups.of({ repository: "b", kind: "prose" }), undefined);
});
