import assert from "node:assert/strict";
import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openWorkLog } from "./work-log.ts";

test("finished pieces come back, a torn line and another work's do not; time adds up", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "work-log-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "log.jsonl");
  const work = { seed: 1, model: "m" };
  const first = await openWorkLog<string>(path, work);
  await first.add(2, "two");
  await first.add(0, "zero\nwith a line");
  await first.close();
  await appendFile(path, '{"piece":1,"seconds":9,"item":"o');
  const second = await openWorkLog<string>(path, { model: "m", seed: 1 });
  assert.deepEqual(
    [...second.done],
    [
      [2, "two"],
      [0, "zero\nwith a line"],
    ],
  );
  assert.ok(second.seconds() > 0 && second.seconds() < 5);
  await second.add(1, "one");
  await second.close();
  const third = await openWorkLog<string>(path, work);
  assert.deepEqual([...third.done.keys()], [2, 0, 1]);
  assert.ok(third.seconds() >= JSON.parse((await readFile(path, "utf8")).trim().split("\n").at(-1)!).seconds);
  await third.close();
  const other = await openWorkLog<string>(path, { ...work, seed: 2 });
  assert.equal(other.done.size, 0);
  await other.close();
});
