import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { bigramStep, bigramStream } from "../../test/bigram.ts";
import { UserError } from "../errors.ts";
import {
  latestCheckpoint,
  pruneCheckpoints,
  readCheckpoint,
  restoreOptimiser,
  restoreParameters,
  saveCheckpoint,
  type TrainState,
} from "./checkpoint.ts";
import { createAdamW } from "./optimisers/adamw.ts";

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "checkpoint-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

const state = (step: number): TrainState => ({
  step,
  tokens: 10 * step,
  seconds: step / 3,
  stepSeconds: step / 7,
  guard: { initial: 0.1 + 0.2, recent: [1 / 3], streak: 1 },
  evaluations: [{ step: 0, heldOut: 1 / 7, retention: 2 / 7 }],
});

async function trained() {
  const step = bigramStep();
  const optimiser = createAdamW(step.parameters);
  await step.accumulate(bigramStream.batch(0, 0));
  await optimiser.step(0.01, 1);
  return { parameters: step.parameters, optimiser };
}

test("state, weights and optimiser come back bit for bit", async (t) => {
  const dir = await folder(t);
  const { parameters, optimiser } = await trained();
  parameters[0]!.data.set([-0, 1e-40, 3.4e38]);
  const path = await saveCheckpoint(dir, { state: state(123), parameters, optimiser });
  assert.equal(path, join(dir, "step-00000123"));
  const checkpoint = await readCheckpoint(path);
  assert.deepEqual(checkpoint.state, state(123));

  const other = bigramStep();
  const fresh = createAdamW(other.parameters);
  await restoreParameters(path, other.parameters);
  await restoreOptimiser(checkpoint, fresh);
  assert.deepEqual(
    other.parameters.map(({ data }) => Buffer.from(data.buffer)),
    parameters.map(({ data }) => Buffer.from(data.buffer)),
  );
  assert.deepEqual(fresh.state(), optimiser.state());
  assert.equal(fresh.steps, 1);
});

for (const [what, spoil] of [
  ["a flipped bit in the weights", (path: string) => flip(join(path, "parameters.safetensors"))],
  ["a flipped bit in the optimiser", (path: string) => flip(join(path, "optimiser.safetensors"))],
  ["a cut file", (path: string) => truncate(join(path, "optimiser.safetensors"), 100)],
  ["a missing file", (path: string) => rm(join(path, "parameters.safetensors"))],
  ["an empty state", (path: string) => writeFile(join(path, "state.json"), "")],
  ["another state", (path: string) => writeFile(join(path, "state.json"), "{}")],
] as const) {
  test(`${what}: the checkpoint is set aside and the one before it is used`, async (t) => {
    const dir = await folder(t);
    const contents = await trained();
    await saveCheckpoint(dir, { state: state(5), ...contents });
    await spoil(await saveCheckpoint(dir, { state: state(9), ...contents }));
    await assert.rejects(readCheckpoint(join(dir, "step-00000009")), UserError);
    const messages: string[] = [];
    const found = await latestCheckpoint(dir, (message) => void messages.push(message));
    assert.equal(found?.state.step, 5);
    assert.match(messages.join(), /step-00000009 is damaged/);
    assert.deepEqual(await readdir(dir), ["step-00000005", "step-00000009.damaged"]);
  });
}

async function flip(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length - 1]! ^= 0x40;
  await writeFile(path, bytes);
}

test("no folder, no checkpoint; what a killed save left counts for nothing and goes", async (t) => {
  const dir = await folder(t);
  assert.equal(await latestCheckpoint(join(dir, "none"), assert.fail), undefined);
  await mkdir(join(dir, "unfinished-1"));
  assert.equal(await latestCheckpoint(dir, assert.fail), undefined);
  await pruneCheckpoints(dir, new Set());
  assert.deepEqual(await readdir(dir), []);
});

test("the last two and those to keep stay", async (t) => {
  const dir = await folder(t);
  const contents = await trained();
  for (const step of [1, 2, 3, 40, 500]) await saveCheckpoint(dir, { state: state(step), ...contents });
  await pruneCheckpoints(dir, new Set([0, 2]));
  assert.deepEqual(await readdir(dir), ["step-00000002", "step-00000040", "step-00000500"]);
});
