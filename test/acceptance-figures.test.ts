import assert from "node:assert/strict";
import { test } from "node:test";
import { changeOf, isMarkdown, meanOf } from "./acceptance/figures.ts";

const file = (path: string, bytes: number, before: number, after: number) => {
  return { repository: "repo", path, bytes, before, after };
};

test("files weigh by their bytes", () => {
  const change = changeOf([file("a.md", 300, 2, 1.5), file("b.md", 100, 4, 4.5)]);
  assert.equal(change.before, 2.5);
  assert.equal(change.after, 2.25);
  assert.ok(Math.abs(change.relative + 0.1) < 1e-12);
  assert.equal(change.difference, -0.25);
});

test("equal changes have no error, one file has none to tell, and the error is that of a ratio", () => {
  assert.equal(changeOf([file("a.md", 300, 2, 1.5), file("b.md", 100, 4, 3.5)]).standardError, 0);
  assert.ok(Number.isNaN(changeOf([file("a.md", 300, 2, 1.5)]).standardError));
  // Differences -1 and 0 of equal size: standard deviation sqrt(0.5), of their mean sqrt(0.5 / 2).
  assert.equal(changeOf([file("a.md", 9, 2, 1), file("b.md", 9, 2, 2)]).standardError, 0.5);
});

test("means over seeds", () => {
  assert.deepEqual(meanOf([1, 2, 3]), { mean: 2, standardError: Math.sqrt(1 / 3) });
  assert.ok(Number.isNaN(meanOf([4]).standardError));
});

test("Markdown goes by the end of the name", () => {
  const names = ["README.md", "a/b.MD", "notes.markdown", "md", "a.md.csv", "amd"];
  assert.deepEqual(
    names.filter((path) => isMarkdown({ path })),
    names.slice(0, 3),
  );
});
