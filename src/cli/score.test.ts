import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openSafetensors } from "../formats/safetensors.ts";
import { chrysalis, withFolder } from "./testing.ts";

const fixtures = "test/fixtures/parity";

/** PyTorch's logits of the first sequence's first document, as nll of its tokens after the first. */
async function expectedScores(name: string): Promise<{ ids: number[]; nll: number[] }> {
  const folder = `${fixtures}/${name}`;
  const { batch } = JSON.parse(await readFile(`${folder}/inputs.json`, "utf8")) as { batch: Record<string, number[]> };
  const { documents } = JSON.parse(await readFile(`${folder}/expected.json`, "utf8")) as {
    documents: { start: number; length: number }[];
  };
  const file = await openSafetensors(`${folder}/expected.safetensors`);
  const logits = await file.readF32("logits");
  const vocabulary = file.tensors.get("logits")!.shape.at(-1)!;
  await file.close();
  assert.equal(documents[0]!.start, 0);
  const ids = batch["ids"]!.slice(0, documents[0]!.length);
  const nll = ids.slice(1).map((id, t) => {
    const row = logits.subarray(t * vocabulary, (t + 1) * vocabulary);
    return Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0)) - row[id]!;
  });
  return { ids, nll };
}

describe("score", { concurrency: 2 }, () => {
  for (const name of ["llama-a", "qwen3-b"]) {
    test(`${name}: every token as in PyTorch`, () =>
      withFolder(async (folder) => {
        const { ids, nll } = await expectedScores(name);
        assert.ok(ids.length > 5);
        const path = join(folder, "ids.json");
        await writeFile(path, JSON.stringify(ids));
        const { code, stdout, stderr } = await chrysalis(["score", `${fixtures}/${name}`, "--ids", path, "--json"]);
        assert.deepEqual([code, stderr], [0, ""]);
        const result = JSON.parse(stdout) as { nll: number[] };
        assert.equal(result.nll.length, ids.length - 1);
        for (const [i, value] of nll.entries()) assert.ok(Math.abs(value - result.nll[i]!) < 1e-4, `${i}: ${value}`);
      }));
  }

  const wrong: [what: string, content: string, line: RegExp][] = [
    ["no JSON", "1, 2", /ids\.json is not valid JSON/],
    ["no array", '{"ids": [1]}', /ids\.json holds no array\. It must be a JSON array of token ids/],
    [
      "an id beyond the vocabulary",
      "[1, 61]",
      /holds 61 at index 1\. Ids of this model are whole numbers from 0 to 60/,
    ],
    ["a negative id", "[-1, 2]", /holds -1 at index 0/],
    ["something that is no id", '[1, "2"]', /holds "2" at index 1/],
    ["a single id", "[1]", /holds 1 ids/],
    [
      "more than the model's positions",
      JSON.stringify(Array(514).fill(1)),
      /holds 514 ids.*512 positions.*at most 513/,
    ],
  ];
  for (const [what, content, line] of wrong) {
    test(`refuses ${what}`, () =>
      withFolder(async (folder) => {
        const path = join(folder, "ids.json");
        await writeFile(path, content);
        const { code, stdout, stderr } = await chrysalis(["score", `${fixtures}/llama-a`, "--ids", path]);
        assert.deepEqual([code, stdout], [2, ""]);
        assert.match(stderr, line);
        assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
      }));
  }

  test("a missing file of ids, and a folder that is no model", async () => {
    const missing = await chrysalis(["score", `${fixtures}/llama-a`, "--ids", "nowhere.json"]);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /nowhere\.json: no such file/);
    const none = await chrysalis(["score", "test", "--ids", "nowhere.json"]);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /^chrysalis: test has no config\.json\. Give a Hugging Face model folder\.\n$/);
  });
});
