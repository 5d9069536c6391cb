import assert from "node:assert/strict";
import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { BIGRAM, bigramStep } from "../../../test/bigram.ts";
import { createMarkedStream } from "../../epigenome/marks/marked-stream.ts";
import { CorpusBuilder, packCorpus } from "../../epigenome/pack.ts";
import { hash32 } from "../../formats/random.ts";
import { scoreSequences } from "../../eval/score-sequences.ts";
import type { TrainEvent } from "../events.ts";
import { createAdamW } from "../optimisers/adamw.ts";
import { train } from "../train.ts";
import { createAdaptation } from "./adaptation.ts";
import type { MarksLine } from "./marks-log.ts";

const { T, B, vocabulary } = BIGRAM;
const groups = ["a prose", "b code", "c log"];
const sizes = [40, 20, 10];

/** Group g counts upwards in steps of g + 1; the last one only makes noise. */
function text(group: number, document: number): Int32Array {
  const ids = [1 + (hash32(3, "start", group, document) % (vocabulary - 1))];
  while (ids.length < T) {
    const noise = hash32(3, "noise", 100 * group + document, ids.length) % (vocabulary - 1);
    ids.push(group === 2 ? 1 + noise : 1 + ((ids.at(-1)! + group) % (vocabulary - 1)));
  }
  return Int32Array.from(ids);
}

function corpus(of: readonly number[], first: number) {
  const builder = new CorpusBuilder({ separator: 0, vocabularySize: vocabulary });
  const groupOf = of.flatMap((size, group) => Array.from({ length: size }, () => group));
  const seen = of.map(() => first);
  for (const group of groupOf) builder.add(text(group, seen[group]!++).subarray(0, T - 1));
  return packCorpus(builder.build(), T, { groupOf: (d) => groupOf[d]! });
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "marks-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return join(path, "run");
}

const marked = () => createMarkedStream(corpus(sizes, 0), { B, microBatches: 2, seed: 4, count: 3 });

interface Crash {
  /** Breaks off at this micro-batch, or when the marks of this step have been written. */
  readonly micro?: number;
  readonly marks?: number;
}

/** Trains 60 steps with all three mechanisms, in a run folder that may hold a part of it already. */
async function run(dir: string, crash: Crash = {}) {
  let micro = 0;
  const step = bigramStep(() => {
    if (micro++ === crash.micro) throw new Error("killed");
  });
  const probe = bigramStep();
  const stream = marked();
  let now = 0;
  let heldOut: number[] = [];
  const scorer = { ...step, B, T };
  const evaluate = async () => {
    const texts = groups.flatMap((_, group) => [900, 901].map((d) => ({ ids: text(group, d) })));
    const nats = await scoreSequences(scorer, texts, 0);
    heldOut = groups.map((_, group) => nats[2 * group]! + nats[2 * group + 1]!);
    return { heldOut: heldOut.reduce((a, b) => a + b) };
  };
  const adaptation = await createAdaptation({
    adapt: { diet: true, stress: true, environment: true, least: 0.1, cost: 0.1 },
    path: join(dir, "marks.jsonl"),
    seed: 4,
    groups,
    stream,
    packed: corpus(sizes, 0),
    heldOut: () => heldOut,
    probe: {
      reference: corpus([4, 0, 0], 800),
      step() {
        for (const [i, { data }] of step.parameters.entries()) probe.parameters[i]!.data.set(data);
        return Promise.resolve(probe);
      },
    },
    clock: () => now++,
  });
  const read: ReturnType<typeof stream.batch>[] = [];
  const result = await train({
    step,
    optimiser: createAdamW(step.parameters),
    stream: {
      batch(at, m) {
        const batch = stream.batch(at, m);
        read[2 * at + m] = batch;
        return batch;
      },
    },
    microBatches: 2,
    schedule: { learningRate: 0.05, warmup: 5, decay: 0.4 },
    clip: 1,
    budget: { steps: 60 },
    dir,
    resume: true,
    manifest: { seed: 4 },
    checkpointEvery: { steps: 7 },
    // Time stands still, so that what is measured of it is the same in every run.
    clock: () => 0,
    evaluation: { times: 6, evaluate },
    adapt: {
      ...adaptation,
      async after(moment) {
        const changes = await adaptation.after(moment);
        if (moment.step === crash.marks) throw new Error("killed");
        return changes;
      },
    },
  });
  return { result, read, step, adaptation };
}

const lines = async (dir: string): Promise<MarksLine[]> =>
  (await readFile(join(dir, "marks.jsonl"), "utf8"))
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as MarksLine);

const losses = async (dir: string): Promise<[number, number][]> =>
  (await readFile(join(dir, "events.jsonl"), "utf8"))
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as TrainEvent)
    .flatMap((event) => (event.type === "step" ? [[event.step, event.loss] as [number, number]] : []));

test("marks follow what was measured, are written down, and the file alone gives the same batches", async (t) => {
  const dir = await folder(t);
  const { read, adaptation } = await run(dir);
  const all = await lines(dir);
  assert.deepEqual(
    all.map(({ step }) => step),
    [0, 10, 20, 30, 40, 50], // not after the last: there is nothing left to read
  );
  assert.ok(all[0]!.groups.every(({ mark, gain }) => mark === 1 && gain === null));
  const noise = all.map(({ groups: of }) => of[2]!.mark);
  assert.ok(noise.at(-1)! < 1, `noise teaches nothing: ${noise.join()}`);
  const probed = all.flatMap(({ groups: of }) => of.flatMap(({ cosine }) => (cosine === null ? [] : [cosine])));
  assert.ok(probed.length > 0);
  const { changes, cost } = adaptation.summary();
  assert.ok(changes.length > 0 && changes.every(({ reasons }) => reasons.length > 0));
  // A tenth of the sequences that were trained by the last measurement.
  assert.ok(cost.sequences > 0 && cost.sequences <= 0.1 * 50 * 2 * B, `${cost.sequences}`);

  const replayed = marked();
  for (const { step, groups: of } of all) {
    replayed.mark(
      step,
      of.map(({ mark }) => mark),
    );
  }
  assert.equal(read.length, 120);
  read.forEach((batch, i) => assert.deepEqual(replayed.batch(i >> 1, i % 2), batch));
  const plain = marked();
  assert.ok(read.some((batch, i) => String(plain.batch(i >> 1, i % 2).ids) !== String(batch.ids)));
});

test("killed at any moment and resumed, a run has the marks, the losses and the weights of one left alone", async (t) => {
  const whole = await folder(t);
  const alone = await run(whole);
  for (const crash of [{ micro: 2 * 33 + 1 }, { marks: 20 }, { micro: 3 }]) {
    const dir = await folder(t);
    await assert.rejects(run(dir, crash), /killed/);
    // What was decided stands in the file, flushed before it was used.
    if (crash.marks !== undefined) assert.equal((await lines(dir)).at(-1)!.step, crash.marks);
    const resumed = await run(dir);
    assert.deepEqual(await lines(dir), await lines(whole));
    assert.deepEqual(await losses(dir), await losses(whole));
    resumed.step.parameters.forEach(({ data }, i) => assert.deepEqual(data, alone.step.parameters[i]!.data));
  }
});

test("what the file says is used, not measured again; a torn line is measured again", async (t) => {
  const whole = await folder(t);
  await run(whole);
  const dir = await folder(t);
  await assert.rejects(run(dir, { micro: 2 * 25 }), /killed/);
  const path = join(dir, "marks.jsonl");
  const other = (await lines(dir)).map((line) => ({
    ...line,
    groups: line.groups.map((of) => (line.step === 20 ? { ...of, mark: of.group === "b code" ? 1 : 0.1 } : of)),
  }));
  await writeFile(path, other.map((line) => `${JSON.stringify(line)}\n`).join(""));
  await run(dir);
  assert.deepEqual((await lines(dir)).slice(0, 3), other);
  assert.notDeepEqual(await losses(dir), await losses(whole));

  const torn = await folder(t);
  await assert.rejects(run(torn, { marks: 20 }), /killed/);
  const text = await readFile(join(torn, "marks.jsonl"), "utf8");
  await writeFile(join(torn, "marks.jsonl"), text.slice(0, -40));
  await run(torn);
  assert.deepEqual(await lines(torn), await lines(whole));
});

test("marks of other groups, and marks that were used and are gone, are refused", async (t) => {
  const whole = await folder(t);
  await run(whole);
  const dir = await folder(t);
  await cp(whole, dir, { recursive: true });
  const [first] = await lines(whole);
  const foreign = { ...first!, groups: first!.groups.slice(1) };
  await appendFile(join(dir, "marks.jsonl"), `${JSON.stringify({ ...foreign, step: 60 })}\n`);
  await assert.rejects(run(dir), { code: "damaged" });

  const lost = await folder(t);
  await assert.rejects(run(lost, { micro: 2 * 33 }), /killed/);
  await rm(join(lost, "marks.jsonl"));
  await assert.rejects(run(lost), { code: "damaged", message: /no marks of step 0, 10, 20/ });
});
