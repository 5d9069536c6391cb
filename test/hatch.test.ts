/** Hatching from a text to a model folder, interrupted once: the same bytes as in one go. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { UserError } from "../src/errors.ts";
import { hatch } from "../src/chrysalis/hatch.ts";
import type { HatchOptions } from "../src/chrysalis/hatch.ts";
import { uniform } from "../src/formats/random.ts";
import { loadBody } from "../src/models/load.ts";
import { loadTokenizer } from "../src/tokenizer/tokenizer.ts";

const words = ["stone", "river", "cloud", "under", "above", "sings", "falls", "slowly", "the", "a", "and", "of"];
const sentence = (line: number): string =>
  Array.from({ length: 24 }, (_, i) => words[Math.floor(uniform(1, "words", line, i) ** 2 * words.length)]).join(" ");

test("a hatched base learns, survives an interruption and loads", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "hatch-"));
  t.after(() => rm(folder, { recursive: true }));
  const text = join(folder, "text.jsonl");
  const lines = Array.from({ length: 120 }, (_, i) =>
    JSON.stringify({ text: sentence(i), split: i % 10 === 0 ? "heldout" : "train" }),
  );
  await writeFile(text, lines.join("\n"));
  const options = (out: string): HatchOptions => ({
    text,
    split: "train",
    heldOutSplit: "heldout",
    shape: { vocabulary: 300, hidden: 16, intermediate: 32, layers: 2, heads: 2, keyValueHeads: 1, context: 32 },
    optimiser: "muon",
    learningRate: 1e-2,
    weightDecay: 0.1,
    batchTokens: 256,
    sequencesPerPass: 4,
    decay: 0.4,
    budget: { steps: 60 },
    evaluations: 2,
    seed: 3,
    threads: 1,
    out: join(folder, out),
    resume: false,
    version: "test",
    onEvent: () => undefined,
  });
  const whole = await hatch(options("whole"));
  assert.ok(whole.heldOut!.bitsPerByte < 2, `held-out bits per byte are ${whole.heldOut!.bitsPerByte}`);
  const first = whole.training.evaluations[0]!.heldOut;
  assert.ok(first > 1.5 * whole.heldOut!.bitsPerByte, `they were ${first} before`);

  const stop = new AbortController();
  const interrupted = hatch({
    ...options("twice"),
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === "step" && event.step === 25) stop.abort();
    },
  });
  await assert.rejects(interrupted, (error) => error instanceof UserError && error.code === "interrupted");
  const other = { ...options("twice"), resume: true, shape: { ...options("twice").shape, vocabulary: 310 } };
  await assert.rejects(hatch(other), (error) => error instanceof UserError && error.code === "mismatch");
  const twice = await hatch({ ...options("twice"), resume: true });
  assert.deepEqual(
    await readFile(join(twice.model, "model.safetensors")),
    await readFile(join(whole.model, "model.safetensors")),
  );
  const body = await loadBody(whole.model);
  assert.equal(body.dtype, "BF16");
  const tokenizer = await loadTokenizer(whole.model);
  assert.equal(tokenizer.decode(tokenizer.encode(sentence(7))), sentence(7));
});
