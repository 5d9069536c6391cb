import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { formatBytes, formatClock, formatDuration, formatMany, oneLine } from "./format.ts";
import { createProgress, liveLine, plainLine } from "./progress.ts";
import type { Progress, ProgressTarget } from "./progress.ts";
import { showTraining } from "./pipeline/show-stages.ts";

const stream = process.stderr;
const status = { stage: "training", done: 40, total: 100, details: ["loss 3.215", "1,204 tok/s", "step 40"] };

test("the live line fits its width and shows what matters first", () => {
  for (const width of [30, 50, 79, 120]) {
    const line = stripVTControlCharacters(liveLine(status, { elapsed: 60, width, stream }));
    assert.ok(line.length <= width, `${line.length} > ${width}: ${line}`);
    assert.match(line, /training.* 40%/);
  }
  const line = stripVTControlCharacters(liveLine(status, { elapsed: 60, width: 79, stream }));
  assert.match(line, /━{20}  40%  loss 3\.215  1:30 left  1,204 tok\/s$/);
});

test("there is no bar without a total, and no time left before something is done", () => {
  const line = stripVTControlCharacters(liveLine({ stage: "reading" }, { elapsed: 12, width: 79, stream }));
  assert.match(line, /^. reading +12 s$/);
  assert.equal(plainLine({ stage: "reading", done: 0, total: 9 }, 5), "reading: 0 %");
  assert.equal(plainLine(status, 60), "training: 40 %, loss 3.215, 1,204 tok/s, step 40, 1 min 30 s left");
  assert.equal(plainLine({ ...status, details: [], eta: 7 }, 60), "training: 40 %, 7.0 s left");
});

function recorded(mode: ProgressTarget["mode"]): { progress: Progress; lines: () => string[]; wait(s: number): void } {
  let text = "";
  let now = 0;
  const target: ProgressTarget = { mode, write: (part) => (text += part), width: () => 80, stream, clock: () => now };
  const lines = (): string[] =>
    stripVTControlCharacters(text)
      .split("\n")
      .map((line) => line.split("\r").at(-1)!)
      .filter((line) => line !== "");
  return { progress: createProgress(target), lines, wait: (seconds) => void (now += seconds) };
}

test("without a terminal a line comes every ten seconds, or for each tenth of a slow stage", () => {
  const { progress, lines, wait } = recorded("plain");
  for (let done = 0; done <= 100; done++, wait(0.125)) progress.update({ stage: "fast", done, total: 100 });
  for (let done = 0; done <= 20; done++, wait(4)) progress.update({ stage: "slow", done, total: 200 });
  progress.finish(["all of it"]);
  const shares = lines().map((line) => line.split(",")[0]);
  const fast = ["0 %", "24 %", "48 %", "72 %", "96 %", "done"].map((share) => `fast: ${share}`);
  const slow = ["0 %", "1 %", "3 %", "4 %", "6 %", "7 %", "9 %", "10 %", "done"].map((share) => `slow: ${share}`);
  assert.deepEqual(shares, [...fast, ...slow]);
  assert.equal(lines().at(-1), "slow: done, all of it, 1 min 24 s");
});

test("on a terminal finished stages and notes stay, the live line does not", () => {
  const { progress, lines, wait } = recorded("live");
  progress.update({ stage: "one", done: 1, total: 2, details: ["first"] });
  wait(2);
  progress.note("worth\n\u001B[31mknowing");
  progress.update({ stage: "two" });
  wait(1);
  progress.close();
  assert.deepEqual(lines(), ["  worth [31mknowing", "✓ one          first  2.0 s"]);
});

test("silent is silent", () => {
  const { progress, lines } = recorded("silent");
  progress.update({ stage: "one" });
  progress.note("hm");
  progress.finish();
  assert.deepEqual(lines(), []);
});

test("a run bounded by minutes shows its time before its length is decided", () => {
  const { progress, lines } = recorded("plain");
  const show = showTraining(progress);
  const step = { loss: 4, learningRate: 1, gradientNorm: 1, tokens: 10, tokensPerSecond: 1500 };
  show({ type: "plan", step: 0, parameters: 1000, optimiser: "muon", total: null, minutes: 2 });
  show({ type: "step", step: 9, total: null, ...step, eta: null, seconds: 30 });
  show({ type: "evaluation", step: 9, heldOut: 2, retention: 1.5, best: true, over: [], seconds: 1 });
  const over = [
    { measure: "retention", value: 0.032, limit: 0.02 },
    { measure: "kl", value: 0.25, limit: 0.1 },
  ] as const;
  show({ type: "evaluation", step: 12, heldOut: 1.9, retention: 1.6, kl: 0.25, best: false, over, seconds: 1 });
  show({ type: "done", step: 20, tokens: 100, tokensPerSecond: 1500, seconds: 120 });
  assert.deepEqual(lines(), [
    "training: 1,000 values, with muon",
    "step 9: held-out 2.000 bits per byte, retention 1.500, the best so far",
    "step 12: held-out 1.900 bits per byte, retention 1.600, KL 0.250, over the budget: retention +3.2 % of at most +2.0 %, KL 0.25 of at most 0.1",
    "training: done, 20 steps, 100 tokens, 1,500 tok/s, 0.0 s",
  ]);
});

test("numbers as people read them", () => {
  assert.deepEqual([0.44, 9.96, 59.6, 125, 7500].map(formatDuration), [
    "0.4 s",
    "10 s",
    "1 min 0 s",
    "2 min 5 s",
    "2 h 5 min",
  ]);
  assert.deepEqual([7, 125, 7507].map(formatClock), ["0:07", "2:05", "2:05:07"]);
  assert.deepEqual([17, 999, 1000, 4210, 138e6, 99.96e9].map(formatBytes), [
    "17 B",
    "999 B",
    "1.0 KB",
    "4.2 KB",
    "138 MB",
    "100 GB",
  ]);
  assert.deepEqual([formatMany(1, "step"), formatMany(2000, "step")], ["1 step", "2,000 steps"]);
  assert.equal(oneLine(" a\n b ", 9), "a b");
  assert.equal(oneLine("abcdef", 4), "abc…");
});
