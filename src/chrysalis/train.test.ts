import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, cp, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { BIGRAM, bigramStep, bigramStream } from "../../test/bigram.ts";
import { UserError } from "../errors.ts";
import type { Step } from "../models/step.ts";
import { restoreParameters } from "./checkpoint.ts";
import type { TrainEvent } from "./events.ts";
import { createAdamW } from "./optimisers/adamw.ts";
import type { TrainOptions } from "./train-options.ts";
import { train } from "./train.ts";

const RUN = fileURLToPath(new URL("../../test/bigram-run.ts", import.meta.url));

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "chrysalis-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return join(path, "run");
}

function options(dir: string, step: Step = bigramStep()): TrainOptions {
  return {
    step,
    optimiser: createAdamW(step.parameters),
    stream: bigramStream,
    microBatches: 3,
    schedule: { learningRate: 0.05, warmup: 5, decay: 0.4 },
    clip: 0.4,
    budget: { steps: 60 },
    dir,
    manifest: { seed: 7, parent: "abc" },
    checkpointEvery: { steps: 10 },
  };
}

const evaluation = (step: Step): NonNullable<TrainOptions["evaluation"]> => ({
  times: 4,
  async evaluate() {
    const nll = await step.evaluate(bigramStream.batch(1000, 0));
    return { heldOut: nll.reduce((sum, value) => sum + value, 0), retention: 1 };
  },
  sample: () => Promise.resolve("a\nsample"),
});

async function events(dir: string): Promise<TrainEvent[]> {
  const text = await readFile(join(dir, "events.jsonl"), "utf8");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as TrainEvent);
}

async function series(dir: string): Promise<[number, number, number, number][]> {
  const all = await events(dir);
  return all.flatMap((event) =>
    event.type === "step" ? [[event.step, event.loss, event.learningRate, event.gradientNorm]] : [],
  );
}

const weights = (step: Step): Float32Array[] => step.parameters.map(({ data }) => data.slice());
const isError = (code: string, text: RegExp) => (error: unknown) =>
  error instanceof UserError && error.code === code && text.test(`${error.message} ${error.hint}`);

test("learns, logs each step once, keeps the last two checkpoints and the best, and leaves the last weights", async (t) => {
  const dir = await folder(t);
  const step = bigramStep();
  const result = await train({ ...options(dir, step), evaluation: evaluation(step) });
  const losses = await series(dir);
  assert.deepEqual(
    losses.map(([at]) => at),
    Array.from({ length: 60 }, (_, i) => i + 1),
  );
  assert.ok(losses[0]![1] > 2.3 && losses[59]![1] < 1.6, `loss from ${losses[0]![1]} to ${losses[59]![1]}`);
  assert.deepEqual(
    result.evaluations.map((figures) => figures.step),
    [0, 15, 30, 45, 60],
  );
  const best = result.evaluations.toSorted((a, b) => a.heldOut - b.heldOut)[0]!;
  assert.deepEqual(result.best?.evaluation, best);
  const kept = (await readdir(join(dir, "checkpoints"))).map((name) => Number(name.slice(5)));
  assert.deepEqual(new Set(kept), new Set([50, 60, best.step]));
  const other = bigramStep();
  await restoreParameters(result.checkpoint, other.parameters);
  assert.deepEqual(weights(other), weights(step));
  const types = (await events(dir)).map((event) => event.type);
  assert.equal(types.filter((type) => type === "sample").length, 5);
  assert.equal(types.at(-1), "done");
  const last = (await events(dir)).findLast((event) => event.type === "step")!;
  assert.equal(last.type === "step" && last.tokens, result.tokens);
});

test("selection of every token trains as none does; of a part it goes on after a stop without a trace", async (t) => {
  const withReference = {
    batch: (step: number, micro: number) => {
      const batch = bigramStream.batch(step, micro);
      return { ...batch, reference: Float32Array.from(batch.targets, (id) => 2 + id / 20) };
    },
  };
  const run = async (dir: string, more: Partial<TrainOptions>): Promise<Float32Array[]> => {
    const step = bigramStep();
    await train({ ...options(dir, step), budget: { steps: 12 }, stream: withReference, ...more });
    return weights(step);
  };
  const none = await run(await folder(t), {});
  assert.deepEqual(await run(await folder(t), { select: { excess: 1 } }), none);
  const whole = await run(await folder(t), { select: { excess: 0.3 } });
  assert.notDeepEqual(whole, none);
  const dir = await folder(t);
  const stop = new AbortController();
  const interrupted = run(dir, {
    select: { excess: 0.3 },
    signal: stop.signal,
    onEvent: (event) => event.type === "step" && event.step === 5 && stop.abort(),
  });
  await assert.rejects(interrupted, isError("interrupted", /after 5 steps/));
  assert.deepEqual(await run(dir, { select: { excess: 0.3 }, resume: true }), whole);
  await assert.rejects(run(dir, { select: { excess: 0.4 }, resume: true }), isError("mismatch", /select/));
});

test("one step of three uneven micro-batches equals sum(w nll) / sum(w), clipped once", async (t) => {
  const step = bigramStep();
  const before = weights(step);
  const reference = bigramStep();
  let nats = 0;
  let weight = 0;
  for (let micro = 0; micro < 3; micro++) {
    const sums = await reference.accumulate(bigramStream.batch(0, micro));
    nats += sums.loss;
    weight += sums.weight;
  }
  const gradients = reference.parameters.map(({ gradient }) => Float64Array.from(gradient, (g) => g / weight));
  const norm = Math.sqrt(gradients.flatMap((g) => [...g]).reduce((sum, g) => sum + g * g, 0));
  assert.ok(norm > 0.01);
  const scale = 0.01 / norm;
  // A plain descent shows the clipped gradient itself, which AdamW's normalisation would hide.
  const descent: TrainOptions["optimiser"] = {
    name: "descent",
    settings: {},
    steps: 0,
    step(rate, factor) {
      for (const { data, gradient } of step.parameters)
        for (const i of data.keys()) data[i]! -= rate * factor * gradient[i]!;
      return Promise.resolve();
    },
    state: () => [],
    resumeAt: () => {},
  };
  const dir = await folder(t);
  await train({
    ...options(dir, step),
    optimiser: descent,
    clip: 0.01,
    budget: { steps: 1 },
    schedule: { learningRate: 1, warmup: 0, decay: 0 },
  });
  const [[, loss, , logged]] = (await series(dir)) as [[number, number, number, number]];
  assert.ok(Math.abs(loss - nats / weight) < 1e-12);
  assert.ok(Math.abs(logged - norm) < 1e-6 * norm);
  step.parameters.forEach(({ data }, p) =>
    data.forEach((value, i) => assert.ok(Math.abs(value - (before[p]![i]! - scale * gradients[p]![i]!)) < 1e-7)),
  );
});

test("killed three times at random moments, a run ends with the same bytes and the same series", async (t) => {
  const whole = await folder(t);
  const killed = await folder(t);
  const run = (dir: string) => spawn(process.execPath, [RUN, dir], { stdio: ["ignore", "ignore", "inherit"] });
  assert.deepEqual(await once(run(whole), "exit"), [0, null]);
  let reached = 0;
  for (let kill = 0; kill < 3; kill++) {
    const child = run(killed);
    const exit = once(child, "exit");
    // A random moment within the next 50 steps, counted by the log so that a slow machine is killed as well.
    const target = reached + 1 + Math.floor(Math.random() * 50);
    while (reached < target && child.exitCode === null) {
      await new Promise((resolve) => void setTimeout(resolve, Math.random() * 10));
      reached = Math.max(reached, (await series(killed).catch(() => [])).at(-1)?.[0] ?? 0);
    }
    child.kill("SIGKILL");
    assert.deepEqual(await exit, [null, "SIGKILL"]);
  }
  assert.deepEqual(await once(run(killed), "exit"), [0, null]);
  assert.deepEqual(await series(killed), await series(whole));
  assert.ok((await events(killed)).some((event) => event.type === "resumed"));
  for (const file of ["parameters.safetensors", "optimiser.safetensors"]) {
    const read = (dir: string) => readFile(join(dir, "checkpoints/step-00000240", file));
    assert.ok((await read(killed)).equals(await read(whole)), `${file} differs`);
  }
});

test("an abort finishes the step, saves, and says how to go on; the resumed run is the uninterrupted one", async (t) => {
  const whole = await folder(t);
  const uninterrupted = bigramStep();
  await train(options(whole, uninterrupted));

  const dir = await folder(t);
  const controller = new AbortController();
  let micro = 0;
  const step = bigramStep(() => {
    micro += 1;
    if (micro === 3 * 23 + 2) controller.abort();
  });
  const stopped = train({ ...options(dir, step), signal: controller.signal, resumeWith: "chrysalis run --resume" });
  await assert.rejects(stopped, isError("interrupted", /after 24 steps .*chrysalis run --resume/));

  const again = bigramStep();
  await train({ ...options(dir, again), resume: true });
  assert.deepEqual(weights(again), weights(uninterrupted));
  assert.deepEqual(await series(dir), await series(whole));
});

test("a finished run resumed does nothing and gives the same result", async (t) => {
  const dir = await folder(t);
  const step = bigramStep();
  const first = await train({ ...options(dir, step), evaluation: evaluation(step) });
  const again = bigramStep();
  const second = await train({ ...options(dir, again), evaluation: evaluation(again), resume: true });
  assert.deepEqual(weights(again), weights(step));
  assert.deepEqual({ ...second, seconds: 0, tokensPerSecond: 0 }, { ...first, seconds: 0, tokensPerSecond: 0 });
  assert.equal((await events(dir)).filter((event) => event.type === "done").length, 1);
});

test("a folder in use, another run's manifest, another model: refused before anything changes", async (t) => {
  const dir = await folder(t);
  await train(options(dir));
  const before = await readFile(join(dir, "events.jsonl"), "utf8");
  await assert.rejects(train(options(dir)), isError("exists", /--resume.*--out/));
  const other = { ...options(dir), manifest: { seed: 7, parent: "def" }, resume: true };
  await assert.rejects(train(other), isError("mismatch", /parent was "abc", is "def"/));
  const rate = { ...options(dir), schedule: { learningRate: 0.1, warmup: 5, decay: 0.4 }, resume: true };
  await assert.rejects(train(rate), isError("mismatch", /settings/));
  const step = bigramStep();
  const smaller = { ...step, parameters: step.parameters.slice(1) };
  await assert.rejects(
    train({ ...options(dir, smaller), resume: true }),
    isError("mismatch", /does not hold this model/),
  );
  assert.equal(await readFile(join(dir, "events.jsonl"), "utf8"), before);
});

test("a damaged checkpoint and a torn log are passed over, and the outcome is the same", async (t) => {
  const whole = await folder(t);
  await train(options(whole));
  const dir = await folder(t);
  await cp(whole, dir, { recursive: true });
  const last = join(dir, "checkpoints/step-00000060/parameters.safetensors");
  const bytes = await readFile(last);
  bytes[bytes.length - 3]! ^= 1;
  await writeFile(last, bytes);
  await appendFile(join(dir, "events.jsonl"), '{"type":"step","step":61,"lo');
  const step = bigramStep();
  await train({ ...options(dir, step), resume: true });
  const warning = (await events(dir)).find((event) => event.type === "warning");
  assert.match(warning?.message ?? "", /step-00000060 is damaged/);
  assert.deepEqual(await series(dir), await series(whole));
  const name = "checkpoints/step-00000060/parameters.safetensors";
  assert.ok((await readFile(join(dir, name))).equals(await readFile(join(whole, name))));
});

for (const [what, spoil, text] of [
  ["a loss that is not a number", () => ({ loss: NaN, weight: 1 }), /loss is NaN/],
  ["an infinite loss", () => ({ loss: Infinity, weight: 1 }), /loss is Infinity/],
  [
    "an explosion",
    (sums: { loss: number; weight: number }) => ({ ...sums, loss: sums.loss + 20 * sums.weight }),
    /rose/,
  ],
] as const) {
  test(`${what} stops the run with the last good checkpoint kept`, async (t) => {
    const dir = await folder(t);
    const step = bigramStep();
    let micro = 0;
    const bad: Step = {
      ...step,
      accumulate: async (batch) => {
        const sums = await step.accumulate(batch);
        return micro++ >= 3 * 29 ? spoil(sums) : sums;
      },
    };
    const running = train({ ...options(dir, bad), checkpointEvery: { steps: 1 } });
    await assert.rejects(running, isError("diverged", text));
    assert.deepEqual(await readdir(join(dir, "checkpoints")), ["step-00000028", "step-00000029"]);
    assert.equal((await events(dir)).at(-1)?.type, "failed");
  });
}

test("one bad batch alone does not stop a run", async (t) => {
  const step = bigramStep();
  let micro = 0;
  const spike: Step = {
    ...step,
    accumulate: async (batch) => {
      const sums = await step.accumulate(batch);
      const bad = micro >= 3 * 29 && micro < 3 * 31;
      micro += 1;
      return bad ? { ...sums, loss: sums.loss + 20 * sums.weight } : sums;
    },
  };
  assert.equal((await train(options(await folder(t), spike))).steps, 60);
});

test("zero gradients, not-finite gradients and weights, and steps without targets are told apart", async (t) => {
  const step = bigramStep();
  const still = { ...step, accumulate: () => Promise.resolve({ loss: 1, weight: 1 }) };
  await assert.rejects(train(options(await folder(t), still)), isError("diverged", /every gradient is zero/));
  const broken: Step = {
    ...step,
    accumulate(batch) {
      step.parameters[1]!.gradient[0] = Infinity;
      return step.accumulate(batch);
    },
  };
  await assert.rejects(train(options(await folder(t), broken)), isError("diverged", /norm is (Infinity|NaN)/));
  const empty = { ...step, accumulate: () => Promise.resolve({ loss: 0, weight: 0 }) };
  await assert.rejects(train(options(await folder(t), empty)), isError("empty", /step 1 has nothing/));
  const huge = { ...options(await folder(t)), schedule: { learningRate: 1e39, warmup: 0, decay: 0 } };
  const saving = train({ ...huge, checkpointEvery: { steps: 1 } });
  await assert.rejects(saving, isError("diverged", /weight is no longer/));
});

/** Time that passes only where a test says so. */
function fakeTime(secondsPerMicroBatch: () => number) {
  let now = 1000;
  const step = bigramStep(() => void (now += secondsPerMicroBatch()));
  return { step, clock: () => now, pass: (seconds: number) => void (now += seconds) };
}

test("a run bounded by minutes ends in time with its decay done, evaluations included", async (t) => {
  const dir = await folder(t);
  const { step, clock, pass } = fakeTime(() => 0.5);
  const start = clock();
  const result = await train({
    ...options(dir, step),
    budget: { minutes: 3 },
    clock,
    evaluation: {
      times: 4,
      async evaluate() {
        pass(4);
        return evaluation(step).evaluate();
      },
    },
  });
  const took = clock() - start;
  assert.ok(took <= 180 && took > 165, `took ${took} s`);
  const rates = (await series(dir)).map(([, , rate]) => rate);
  assert.ok(rates.at(-1)! < 0.02 * 0.05 && rates[50] === 0.05, "the rate ends near zero after a stable phase");
  const falling = rates.findIndex((rate, i) => i > 5 && rate < 0.05);
  assert.ok(falling / rates.length > 0.5 && falling / rates.length < 0.7, `decay from ${falling} of ${rates.length}`);
  assert.equal(result.evaluations.at(-1)?.step, result.steps);
  assert.ok(result.evaluations.length >= 4);
});

test("a machine that becomes three times slower in the decay is stopped in time, and says so", async (t) => {
  const dir = await folder(t);
  let micro = 0;
  const { step, clock, pass } = fakeTime(() => (micro++ > 3 * 80 ? 1.5 : 0.5));
  const start = clock();
  const evaluate = (): Promise<{ heldOut: number }> => {
    pass(5);
    return Promise.resolve({ heldOut: 1 });
  };
  const timed = { ...options(dir, step), budget: { minutes: 3 }, clock, evaluation: { times: 2, evaluate } };
  const result = await train(timed);
  assert.ok(clock() - start <= 180 + 1.5, `took ${clock() - start} s`);
  const warning = (await events(dir)).find((event) => event.type === "warning");
  assert.match(warning?.message ?? "", new RegExp(`the time was over after ${result.steps} of about`));

  // Resumed by a faster machine, the finished run stays as it was decided.
  const again = await train({ ...timed, resume: true });
  assert.equal(again.steps, result.steps);
});

test("a run bounded by minutes repeats its recorded decisions after a kill on a machine of another speed", async (t) => {
  const whole = await folder(t);
  const first = fakeTime(() => 0.5);
  const timed = { budget: { minutes: 2 }, checkpointEvery: { steps: 25 } } as const;
  await train({ ...options(whole, first.step), ...timed, clock: first.clock });

  // The same, killed at the 70th step, after the decay was decided: the checkpoint of step 50 is the last one.
  const dir = await folder(t);
  const second = fakeTime(() => 0.5);
  const killed: Step = {
    ...second.step,
    accumulate: (batch) => {
      if (second.clock() >= 1000 + 1.5 * 70) throw new Error("killed");
      return second.step.accumulate(batch);
    },
  };
  await assert.rejects(train({ ...options(dir, killed), ...timed, clock: second.clock }), /killed/);
  const third = fakeTime(() => 0.1);
  const resumed = { ...options(dir, third.step), ...timed, clock: third.clock, resume: true };
  await train(resumed);
  assert.deepEqual(await series(dir), await series(whole));
  assert.deepEqual(weights(third.step), weights(first.step));
});

test("the bigram model's gradient is exact", async () => {
  const step = bigramStep();
  const batch = bigramStream.batch(3, 1);
  await step.accumulate(batch);
  const loss = async () => (await bigramLoss(step, batch)).loss;
  for (const { data, gradient } of step.parameters) {
    const i = BIGRAM.vocabulary - 1;
    const value = data[i]!;
    data[i] = value + 1e-3;
    const above = await loss();
    data[i] = value - 1e-3;
    const below = await loss();
    data[i] = value;
    assert.ok(Math.abs((above - below) / 2e-3 - gradient[i]!) < 1e-3 * (1 + Math.abs(gradient[i]!)));
  }
});

function bigramLoss(step: Step, batch: ReturnType<typeof bigramStream.batch>): Promise<{ loss: number }> {
  return step.evaluate(batch).then((nll) => ({ loss: nll.reduce((sum, value) => sum + value, 0) }));
}
