import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { UserError } from "../../errors.ts";
import { describeData, readData } from "./read-data.ts";
import type { DataItem, DataOptions } from "./read-data.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "data-"));
});
after(() => rm(folder, { recursive: true }));

async function put(name: string, data: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, data);
  return path;
}

async function all(path: string, options?: DataOptions): Promise<DataItem[]> {
  const items: DataItem[] = [];
  for await (const item of readData(path, options)) items.push(item);
  return items;
}

const fails =
  (code: string, pattern: RegExp) =>
  (error: unknown): boolean =>
    error instanceof UserError && error.code === code && pattern.test(error.message);

const lines = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join("");

test("a folder is read in the order of its paths, each file in its own form", async () => {
  await put("all/b.csv", 'question,answer\n"q\n1",a1\nq2,a2\n');
  await put("all/a/z.json", '[\n{"prompt": "p", "completion": "c"}]');
  await put("all/C.jsonl.gz", gzipSync(`\n${lines([{ text: "t" }])}`));
  const columnData = [
    { name: "id", data: [1, 2] },
    { name: "text", data: ["u", "v"] },
  ];
  await put("all/p.parquet", new Uint8Array(parquetWriteBuffer({ columnData })));
  await put("all/README.md", "# not data");
  await put("all/.cache/x.jsonl", "not data either");
  await put("all/dataset_infos.json", "{}");
  await symlink(await put("blob", '{"text": "linked"}'), join(folder, "all/link.ndjson"));
  assert.deepEqual(
    (await all(join(folder, "all"))).map(({ source, line, record }) => [
      relative(folder, source),
      line,
      record.kind === "text" ? record.text : record.kind === "completion" ? [record.prompt, record.completion] : null,
    ]),
    [
      ["all/C.jsonl.gz", 2, "t"],
      ["all/a/z.json", 2, ["p", "c"]],
      ["all/b.csv", 2, ["q\n1\n", "a1"]],
      ["all/b.csv", 4, ["q2\n", "a2"]],
      ["all/link.ndjson", 1, "linked"],
      ["all/p.parquet", 1, "u"],
      ["all/p.parquet", 2, "v"],
    ],
  );
  assert.deepEqual(
    (await describeData(join(folder, "all"))).map(({ path, ...rest }) => [relative(folder, path), rest]),
    [
      ["all/C.jsonl.gz", { form: "text", sampled: 1, example: { kind: "text", text: "t" } }],
      [
        "all/a/z.json",
        { form: "prompt-completion", sampled: 1, example: { kind: "completion", prompt: "p", completion: "c" } },
      ],
      [
        "all/b.csv",
        { form: "question-answer", sampled: 2, example: { kind: "completion", prompt: "q\n1\n", completion: "a1" } },
      ],
      ["all/link.ndjson", { form: "text", sampled: 1, example: { kind: "text", text: "linked" } }],
      ["all/p.parquet", { form: "text", sampled: 2, example: { kind: "text", text: "u" } }],
    ],
  );
});

test("a file of more than the sample is read whole, and its form can be given", async () => {
  const values = Array.from({ length: 250 }, (_, i) => ({ text: `t${i}`, prompt: "p", completion: `c${i}` }));
  const path = await put("long.jsonl", lines(values));
  const items = await all(path);
  assert.deepEqual(
    items.map(({ line, record }) => [line, record]),
    values.map(({ completion }, i) => [i + 1, { kind: "completion", prompt: "p", completion }]),
  );
  assert.deepEqual(
    (await all(path, { form: "text" })).map(({ record }) => record),
    values.map(({ text }) => ({ kind: "text", text })),
  );
  const [described] = await describeData(path, { form: "text" });
  assert.deepEqual(described, { path, form: "text", sampled: 100, example: { kind: "text", text: "t0" } });
});

test("mixed and unknown forms are refused by file and line, in the sample and after it", async () => {
  const text = { text: "a" };
  const pair = { prompt: "p", completion: "c" };
  const mixed = await put("mixed.jsonl", lines([text, text, pair]));
  await assert.rejects(
    all(mixed),
    fails("mismatch", /mixed\.jsonl mixes forms: line 1 is text, line 3 is prompt-comp/),
  );
  await assert.rejects(describeData(mixed), fails("mismatch", /line 3/));
  const unknown = await put("unknown.jsonl", lines([text, { body: "a", title: "b" }]));
  await assert.rejects(all(unknown), fails("invalid", /unknown\.jsonl, line 2: .*no known form.* body, title/));
  const later = await put("later.jsonl", lines([...Array.from({ length: 150 }, () => text), pair]));
  await assert.rejects(
    all(later),
    fails("invalid", /later\.jsonl, line 151 is not of the form text: it has no `text`/),
  );
  const given = await put("given.jsonl", lines([text, pair]));
  await assert.rejects(all(given, { form: "text" }), fails("invalid", /given\.jsonl, line 2/));
  const role = await put("role.jsonl", lines([{ messages: [{ role: "narrator", content: "a" }] }]));
  await assert.rejects(all(role), fails("invalid", /role\.jsonl, line 1 .*"narrator"/));
  const columnData = [
    { name: "text", data: ["a", null] },
    { name: "prompt", data: [null, "b"] },
  ];
  const table = await put("rows.parquet", new Uint8Array(parquetWriteBuffer({ columnData })));
  await assert.rejects(all(table), fails("invalid", /rows\.parquet, row 2/));
});

test("paths without data are refused", async () => {
  await assert.rejects(all(join(folder, "none")), fails("not-found", /none/));
  await assert.rejects(all(await put("a.md", "x")), fails("unsupported", /a\.md/));
  await mkdir(join(folder, "empty"));
  await assert.rejects(all(join(folder, "empty")), fails("empty", /no data files/));
  await assert.rejects(describeData(await put("blank.jsonl", "\n")), fails("empty", /blank\.jsonl holds no records/));
  await assert.rejects(all(await put("bad.jsonl", '{"text": "a"}\n{')), fails("damaged", /bad\.jsonl, line 2/));
});
