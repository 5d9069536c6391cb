import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { compareRanks, dateInPath, rankOf } from "./rank.ts";

const day = (year: number, month: number, date: number): number => Date.UTC(year, month - 1, date);

test("dates are found in paths, the latest of several", () => {
  assert.equal(dateInPath("2025-11-01/notes/a.md"), day(2025, 11, 1));
  assert.equal(dateInPath("backup_20251101/a.md"), day(2025, 11, 1));
  assert.equal(dateInPath("old/2025.06.30-a.md"), day(2025, 6, 30));
  assert.equal(dateInPath("log_20251002_204925_028.txt"), day(2025, 10, 2));
  assert.equal(dateInPath("dump-20251101153000.sql"), day(2025, 11, 1));
  assert.equal(dateInPath("2025-08-15/reports/2024-01-01.md"), day(2025, 8, 15));
  for (const none of ["a.md", "2025-13-01", "2025-11", "120251101", "v2025-1101", "202511019", "1899-01-01"]) {
    assert.equal(dateInPath(none), undefined, none);
  }
});

test("what is not a backup comes first, then the newer, then the longer", () => {
  const gene = { kind: "prose", path: "a.md", lastCommit: "2025-01-01T00:00:00Z", textBytes: 10 };
  const backup = { ...gene, kind: "backup", path: "2025-11-01/a.md", textBytes: 99 };
  const before = (a: typeof gene, b: Omit<typeof gene, "lastCommit"> & { lastCommit: string | null }): void => {
    assert.ok(compareRanks(rankOf(a), rankOf(b)) < 0);
    assert.ok(compareRanks(rankOf(b), rankOf(a)) > 0);
  };
  before(gene, backup);
  before(backup, { ...backup, path: "2025-06-01/a.md" });
  before(backup, { ...backup, path: "old/a.md" }); // Without a date in the path a backup is as old as its commit.
  before(gene, { ...gene, path: "2025-11-01.md", lastCommit: "2024-12-31T23:59:59Z" }); // Only a backup's path tells its age.
  before(gene, { ...gene, lastCommit: null, textBytes: 99 });
  before(gene, { ...gene, textBytes: 9 });
  assert.equal(compareRanks(rankOf(gene), rankOf({ ...gene, path: "b.md" })), 0);
});

test("ranks are a total order", () => {
  const rank = fc.record({
    backup: fc.boolean(),
    date: fc.constantFrom(-Infinity, 0, 1),
    textBytes: fc.constantFrom(1, 2),
  });
  fc.assert(
    fc.property(rank, rank, rank, (a, b, c) => {
      assert.equal(Math.sign(compareRanks(a, b)), 0 - Math.sign(compareRanks(b, a)));
      if (compareRanks(a, b) <= 0 && compareRanks(b, c) <= 0) assert.ok(compareRanks(a, c) <= 0);
    }),
  );
});
