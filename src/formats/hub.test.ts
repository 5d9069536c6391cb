import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fetchDataset, type HubId, parseHubId } from "./hub.ts";
import { COMMIT, startHub } from "./testing.ts";

const files = new Map([
  ["data/train.jsonl", '{"text":"one"}\n'],
  ["data/large.jsonl", '{"text":"two"}\n'.repeat(500)],
  ["README.md", "about"],
]);
const notes: HubId = { name: "me/notes", revision: undefined };

test("ids are read, with a revision or without, and paths are none", () => {
  assert.deepEqual(parseHubId("me/notes"), notes);
  assert.deepEqual(parseHubId("a-b/c.d_e@refs/convert/parquet"), {
    name: "a-b/c.d_e",
    revision: "refs/convert/parquet",
  });
  for (const text of [
    "notes",
    "./me/notes",
    "/me/notes",
    "me/notes/x",
    "me/../x",
    "me/notes@",
    "me/a@../b",
    "C:\\a\\b",
  ]) {
    assert.equal(parseHubId(text), undefined, text);
  }
});

test("wanted files come once, checked, into the cache of the hub's own tools; without the hub they serve from there", async (t) => {
  const hub = await startHub(t, files);
  const progress: string[] = [];
  const onProgress = (done: number, total: number): void => void progress.push(`${done}/${total}`);
  const first = await fetchDataset(notes, { ...hub.options, onProgress });
  assert.deepEqual(first, {
    folder: join(hub.cache, "datasets--me--notes", "snapshots", COMMIT),
    commit: COMMIT,
    isFromCache: false,
  });
  assert.deepEqual(progress, ["0/2", "1/2", "2/2"]);
  for (const name of ["train", "large"]) {
    assert.equal(await readFile(join(first.folder, "data", `${name}.jsonl`), "utf8"), files.get(`data/${name}.jsonl`));
  }
  assert.deepEqual(await readdir(first.folder), ["data"], "what is not wanted is not fetched");
  assert.equal(await readFile(join(hub.cache, "datasets--me--notes", "refs", "main"), "utf8"), COMMIT);

  const fetched = hub.asked.filter((path) => path.includes("/resolve/")).length;
  assert.deepEqual(await fetchDataset({ ...notes, revision: "v1" }, hub.options), first);
  assert.equal(hub.asked.filter((path) => path.includes("/resolve/")).length, fetched, "nothing is fetched twice");

  hub.stop();
  const fromCache = { ...first, isFromCache: true };
  assert.deepEqual(await fetchDataset(notes, hub.options), fromCache);
  assert.deepEqual(await fetchDataset({ ...notes, revision: COMMIT }, hub.options), fromCache);
  const environment = { ...hub.options.environment, HF_HUB_OFFLINE: "1" };
  assert.deepEqual(await fetchDataset(notes, { ...hub.options, environment }), fromCache);
  await assert.rejects(fetchDataset({ name: "me/other", revision: undefined }, hub.options), { code: "unreachable" });
});

test("a file that does not hash to what the hub lists is not kept", async (t) => {
  for (const path of ["data/train.jsonl", "data/large.jsonl"]) {
    const hub = await startHub(t, files, { listed: [path] });
    hub.forged.set(path, files.get(path)!.replace(/o/, "0"));
    await assert.rejects(fetchDataset(notes, hub.options), {
      code: "damaged",
      message: /not the file that the hub lists/,
    });
    const folder = join(hub.cache, "datasets--me--notes", "snapshots", COMMIT, "data");
    assert.deepEqual(await readdir(folder), [], "nothing is left of it");
    hub.forged.clear();
    assert.equal((await fetchDataset(notes, hub.options)).commit, COMMIT);
  }
});

test("what cannot be had says why: unknown, private, too large, without data, or with paths that lead out", async (t) => {
  const hub = await startHub(t, files);
  const other = { name: "me/none", revision: undefined };
  await assert.rejects(fetchDataset(other, hub.options), {
    code: "not-found",
    message: /no data set me\/none/,
    hint: /HF_TOKEN/,
  });
  await assert.rejects(fetchDataset(notes, { ...hub.options, mostBytes: 100 }), { code: "unsupported" });
  await assert.rejects(fetchDataset(notes, { ...hub.options, wanted: () => false }), { code: "empty" });
  const hostile = await startHub(t, files, { listed: ["../../x.jsonl"] });
  await assert.rejects(fetchDataset(notes, hostile.options), { code: "damaged", message: /"\.\.\/\.\.\/x\.jsonl"/ });
  const closed = await startHub(t, files, { token: "hf_secret" });
  await assert.rejects(fetchDataset(notes, closed.options), { code: "not-found" });
  const environment = { ...closed.options.environment, HF_TOKEN: "hf_secret" };
  assert.equal((await fetchDataset(notes, { ...closed.options, environment })).commit, COMMIT);
});
