import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { bigramStep, bigramStream } from "../../test/bigram.ts";
import type { Evaluation, EvaluationAt, TrainEvent } from "./events.ts";
import { bestInside, evaluationAt, overruns, overTwice } from "./keep.ts";
import { createAdamW } from "./optimisers/adamw.ts";
import type { TrainOptions } from "./train-options.ts";
import { train } from "./train.ts";

const parent: Evaluation = { heldOut: 2, retention: 1, parentText: 3 };
const at = (step: number, heldOut: number, retention: number, parentText: number): EvaluationAt =>
  evaluationAt(step, { heldOut, retention, parentText }, parent);

test("an evaluation is over the budget in the measures that are watched and larger", () => {
  const curve = [at(0, 2, 1, 3), at(1, 1.8, 1.01, 3.25), at(2, 1.5, 1.03, 3.5), at(3, 1.6, 1.025, 3.125)];
  const [start, first, second, third] = curve;
  assert.equal(second!.kl, 0.5);
  const over = (of: EvaluationAt, kl: number | null, retention: number | null) =>
    overruns(of, start!, { kl, retention }).map(({ measure }) => measure);
  assert.deepEqual(over(first!, 0.2, 0.02), ["kl"]);
  assert.deepEqual(over(second!, 0.2, 0.02), ["retention", "kl"]);
  assert.deepEqual(over(second!, null, 0.02), ["retention"]);
  assert.deepEqual(over(third!, 0.125, null), [], "the limit itself is inside");
  assert.deepEqual(over(start!, 0, 0), []);

  assert.equal(bestInside(curve, undefined)?.step, 2);
  assert.equal(bestInside(curve, { kl: 0.2, retention: null })?.step, 3);
  assert.equal(bestInside(curve, { kl: null, retention: 0.02 })?.step, 1);
  assert.equal(bestInside(curve, { kl: 0.1, retention: 0.02 })?.step, 0, "nothing trained is inside");
  assert.equal(bestInside([], { kl: 0.1, retention: null }), undefined);

  const both = { kl: 0.1, retention: 0.02 };
  assert.ok(!overTwice(curve.slice(0, 2), both) && overTwice(curve.slice(0, 3), both));
  assert.ok(!overTwice(curve, { kl: 0.2, retention: null }), "the last one is inside again");
});

/** Retention rises by a thousandth a step up to step 30 and falls as fast from there, however the run goes. */
function options(dir: string, budget: number, more: Partial<TrainOptions> = {}): TrainOptions {
  const step = bigramStep();
  const optimiser = createAdamW(step.parameters);
  return {
    step,
    optimiser,
    stream: bigramStream,
    microBatches: 2,
    schedule: { learningRate: 0.05, warmup: 2, decay: 0.4 },
    clip: 1,
    budget: { steps: 60 },
    dir,
    manifest: {},
    checkpointEvery: { steps: 1000 },
    evaluation: {
      times: 12,
      async evaluate() {
        const nll = await step.evaluate(bigramStream.batch(1000, 0));
        const now = optimiser.steps;
        return { heldOut: nll.reduce((sum, value) => sum + value, 0), retention: 1 + (30 - Math.abs(30 - now)) / 1000 };
      },
    },
    keep: { budget: { kl: null, retention: budget }, hasten: false },
    ...more,
  };
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "keep-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return join(path, "run");
}

async function lines<T>(path: string): Promise<T[]> {
  return (await readFile(path, "utf8"))
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as T);
}

test("the best checkpoint inside the budget and the best of all are kept; events say what is over", async (t) => {
  const dir = await folder(t);
  const result = await train({ ...options(dir, 0.0121), budget: { steps: 45 } });
  const inside = result.evaluations.filter(({ step }) => step <= 12);
  const lowest = (of: readonly EvaluationAt[]) => of.toSorted((a, b) => a.heldOut - b.heldOut)[0]!;
  assert.deepEqual(result.best?.evaluation, lowest(inside));
  assert.ok(result.best.evaluation.step > 0);
  assert.deepEqual(result.lowest?.evaluation, lowest(result.evaluations));
  assert.ok(result.lowest.evaluation.step > 12 && result.steps === 45);
  const names = await readdir(join(dir, "checkpoints"));
  for (const kept of [result.best, result.lowest]) assert.ok(names.includes(kept.checkpoint!.split("/").at(-1)!));
  const events = await lines<TrainEvent>(join(dir, "events.jsonl"));
  for (const event of events.filter((of) => of.type === "evaluation")) {
    assert.equal(event.over.length, event.step > 12 ? 1 : 0, `step ${event.step}`);
    assert.ok(!event.best || event.step <= 12);
  }

  const none = await train({ ...options(`${dir}-none`, 0), budget: { steps: 45 } });
  assert.deepEqual([none.best?.evaluation.step, none.best?.checkpoint], [0, undefined]);
});

test("two evaluations in a row over the budget begin the decay early, once, and a resumed run repeats it", async (t) => {
  const hastening = { keep: { budget: { kl: null, retention: 0.011 }, hasten: true } };
  const whole = await folder(t);
  const result = await train(options(whole, 0, hastening));
  // Evaluated every 5 steps: those of steps 15 and 20 are the first two over it.
  assert.equal(result.steps, Math.round(20 / 0.6));
  assert.deepEqual(await lines(join(whole, "journal.jsonl")), [{ kind: "budget", step: 20, total: 33 }]);
  const events = await lines<TrainEvent>(join(whole, "events.jsonl"));
  assert.match(events.find((event) => event.type === "warning")!.message, /after 20 steps .* end the run after 33/);
  const rates = events.flatMap((event) => (event.type === "step" ? [event.learningRate] : []));
  assert.ok(rates[19] === 0.05 && rates[20]! < 0.05 && rates.at(-1)! < 0.01);

  // Killed right after the decision, before the checkpoint of that step.
  const dir = await folder(t);
  const first = options(dir, 0, hastening);
  const evaluate = first.evaluation!.evaluate;
  const dies = async (): Promise<Evaluation> => {
    if (first.optimiser.steps === 25) throw new Error("killed");
    return evaluate();
  };
  await assert.rejects(train({ ...first, evaluation: { ...first.evaluation!, evaluate: dies } }), /killed/);
  await rm(join(dir, "checkpoints", "step-00000020"), { recursive: true, force: true });
  const again = options(dir, 0, hastening);
  const resumed = await train({ ...again, resume: true });
  assert.deepEqual(resumed.evaluations, result.evaluations);
  assert.deepEqual(await lines(join(dir, "journal.jsonl")), [{ kind: "budget", step: 20, total: 33 }]);
});
