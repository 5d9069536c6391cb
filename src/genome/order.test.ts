import assert from "node:assert/strict";
import { test } from "node:test";
import { compareCodePoints, compareLatin1Paths, comparePaths, compareRepositories } from "./order.ts";

test("repositories stand in the ecosystem's order, the unknown ones by code point between", () => {
  const names = [
    "\u{13080}-x",
    "\uffee-x",
    "asi-backups",
    "b",
    "emergence-engine",
    "a",
    "eco-benchmark",
    "asi-ecosystem",
  ];
  assert.deepEqual(names.toSorted(compareRepositories), [
    "asi-ecosystem",
    "eco-benchmark",
    "a",
    "b",
    "\uffee-x",
    "\u{13080}-x",
    "emergence-engine",
    "asi-backups",
  ]);
  assert.ok(compareCodePoints("\u{13080}", "\uffee") > 0, "UTF-16 order would say otherwise");
});

test("files stand in the order of their path parts, by code point", () => {
  const paths = ["a.txt", "a/z", "a-b/c", "a", "a/b/c", "\u{13080}-x/y", "\uffee/y", "A"];
  const sorted = paths.map((path) => Buffer.from(path)).sort(comparePaths);
  const latin1 = paths.map((path) => Buffer.from(path).toString("latin1")).sort(compareLatin1Paths);
  assert.deepEqual(
    latin1.map((path) => Buffer.from(path, "latin1").toString()),
    sorted.map(String),
  );
  assert.deepEqual(sorted.map(String), ["A", "a", "a/b/c", "a/z", "a-b/c", "a.txt", "\uffee/y", "\u{13080}-x/y"]);
});
