import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { loadTokenizer } from "../tokenizer/tokenizer.ts";
import { chrysalis, withFolder, writeTinyModel } from "./testing.ts";

interface Result {
  readonly window: number;
  readonly bitsPerByte: number;
  readonly bytes: number;
  readonly perFile: readonly { file: string; bitsPerByte: number; nats: number; bytes: number; tokens: number }[];
  readonly skipped: readonly { path: string }[];
}

test("eval measures files, lines and folders by the definition, as score does token by token", () =>
  withFolder(async (folder) => {
    const model = join(folder, "model");
    await writeTinyModel(model);
    const texts = join(folder, "texts");
    await mkdir(join(texts, "deep"), { recursive: true });
    await writeFile(join(texts, "a.txt"), "the sea – and the shore");
    await writeFile(join(texts, "deep", "b.md"), "a ship");
    await writeFile(join(texts, "deep", "c.bin"), Uint8Array.from([0xff, 0xfe, 0, 0x80]));
    const lines = join(folder, "lines.jsonl");
    const line = { text: "the shore", repository: "owner/name", path: "docs/x.md" };
    await writeFile(lines, `${JSON.stringify(line)}\n{"text": "the sea"}\n`);

    const run = await chrysalis(["eval", model, "--files", texts, lines, "--json"]);
    assert.equal(run.code, 0, run.stderr);
    const result = JSON.parse(run.stdout) as Result;
    assert.deepEqual(
      result.perFile.map(({ file, bytes }) => [file, bytes]),
      [
        [join(texts, "a.txt"), 25],
        [join(texts, "deep", "b.md"), 6],
        ["owner/name/docs/x.md", 9],
        [`${lines}#2`, 7],
      ],
    );
    assert.deepEqual(
      result.skipped.map(({ path }) => path),
      [join(texts, "deep", "c.bin")],
    );
    assert.equal(result.window, 64, "no more than the model's positions");
    const nats = result.perFile.reduce((sum, file) => sum + file.nats, 0);
    assert.ok(Math.abs(result.bitsPerByte - nats / Math.LN2 / 47) < 1e-9);

    const tokenizer = await loadTokenizer(model);
    const ids = join(folder, "ids.json");
    await writeFile(ids, JSON.stringify([tokenizer.separator, ...tokenizer.encode("the sea – and the shore")]));
    const { stdout } = await chrysalis(["score", model, "--ids", ids, "--json"]);
    const scored = (JSON.parse(stdout) as { nll: number[] }).nll.reduce((sum, value) => sum + value, 0);
    assert.ok(Math.abs(scored - result.perFile[0]!.nats) < 1e-3, `${scored} and ${result.perFile[0]!.nats}`);

    // An imago says which window its own figures come from.
    await writeFile(join(model, "report.json"), '{"evaluation": {"window": 16}}');
    const small = await chrysalis(["eval", model, "--files", lines]);
    assert.equal(small.code, 0, small.stderr);
    assert.match(small.stdout, /^ +\d\.\d{3} {2}owner\/name\/docs\/x\.md\n/);
    assert.match(small.stdout, /bits per byte of 16 B in 2 documents \(\d+ tokens, window 16\)\n$/);
    assert.match(small.stderr, /measuring: done/);

    const wide = await chrysalis(["eval", model, "--files", lines, "--window", "65"]);
    assert.equal(wide.code, 2);
    assert.match(wide.stderr, /--window is 65, the model has 64 positions\. Give at most 64\./);
    const nowhere = await chrysalis(["eval", model, "--files", join(folder, "nowhere")]);
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.stderr, /nowhere: no such file or folder/);
    // The folder around a model is a likely slip.
    const around = await chrysalis(["eval", folder, "--files", lines]);
    assert.equal(around.code, 2);
    assert.match(around.stderr, /The model is .*model\.\n$|the model is .*model/);
  }));

test("eval says what a model without a tokenizer lacks", async () => {
  const { code, stderr } = await chrysalis(["eval", "test/fixtures/parity/llama-a", "--files", "README.md"]);
  assert.equal(code, 2);
  assert.match(stderr, /llama-a has no tokenizer\.json/);
});
