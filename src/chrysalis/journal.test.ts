import assert from "node:assert/strict";
import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openJournal } from "./journal.ts";

test("decisions outlive the process; a torn last line is dropped and does not spoil the next", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "journal-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const path = join(dir, "journal.jsonl");
  const first = await openJournal(path);
  assert.deepEqual(first.decisions, []);
  await first.record({ kind: "length", step: 4, total: 100, evaluateEvery: 25 });
  await appendFile(path, '{"kind":"decay","st');
  const second = await openJournal(path);
  assert.deepEqual(second.decisions, first.decisions);
  await second.record({ kind: "decay", step: 60, total: 96 });
  const third = await openJournal(path);
  assert.deepEqual(third.decisions, second.decisions);
  assert.equal((await readFile(path, "utf8")).split("\n").length, 3);
});
