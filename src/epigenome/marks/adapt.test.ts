import assert from "node:assert/strict";
import { test } from "node:test";
import { type Adapt, decideMarks, type Observation, type Standing, untouched } from "./adapt.ts";

const off: Adapt = { diet: false, stress: false, environment: false, least: 0.1, cost: 0.1 };
const seen = (of: Partial<Observation>): Observation => ({
  gain: null,
  tokens: 1000,
  seconds: 1,
  cosine: null,
  unread: 10,
  ...of,
});
const decide = (observations: Observation[], adapt: Partial<Adapt>, more: { left?: number; from?: Standing[] } = {}) =>
  decideMarks(more.from ?? observations.map(() => untouched), observations, {
    adapt: { ...off, ...adapt },
    left: more.left ?? null,
  });
const marks = (decided: ReturnType<typeof decide>) => decided.map(({ mark }) => mark);

test("diet goes by gain per token over that of all, at most twofold at once; what is not measured keeps its mark", () => {
  const observations = [
    seen({ gain: 0.4 }), // twice the mean of 0.2 per 1000 tokens
    seen({ gain: 0.16 }), // 0.8 of it
    seen({ gain: -0.1 }),
    seen({ gain: 0.02, tokens: 0 }),
    seen({ gain: 0.34 }),
    seen({}),
  ];
  const first = decide(observations, { diet: true });
  assert.deepEqual(
    marks(first).map((mark) => Number(mark.toFixed(9))),
    [1, 0.8, 0.5, 1, 1, 1],
  );
  assert.deepEqual(
    first.map(({ reasons }) => reasons.join()),
    ["", "diet", "diet", "", "", ""],
  );
  const again = decide(observations, { diet: true }, { from: first });
  assert.equal(again[2]!.mark, 0.25);
  const from = first.map((of) => ({ ...of, diet: 0.15 }));
  const further = marks(decide(observations, { diet: true }, { from }));
  assert.ok(Math.abs(further[0]! - 0.3) < 1e-9 && further[2] === 0.1, further.join());
});

test("where all together gained nothing, diet has nothing to go by", () => {
  assert.deepEqual(marks(decide([seen({ gain: 0.1 }), seen({ gain: -0.3 })], { diet: true })), [1, 1]);
});

test("stress dims what points against the retention text beyond twice its error, and brightens what points with it again", () => {
  const cosine = (mean: number, error = 0.1) => seen({ cosine: { mean, error } });
  const observations = [cosine(-0.21), cosine(-0.19), cosine(0.5), seen({})];
  const first = decide(observations, { stress: true });
  assert.deepEqual(marks(first), [0.5, 1, 1, 1]);
  assert.deepEqual(first[0]!.reasons, ["stress"]);
  const flipped = [cosine(0.3), cosine(-0.5), cosine(-0.5), seen({})];
  assert.deepEqual(marks(decide(flipped, { stress: true }, { from: first })), [1, 0.5, 0.5, 1]);
  // The error is that of all groups that were measured: one of them may look exact by chance.
  assert.deepEqual(marks(decide([cosine(-0.1, 0), cosine(0, 0.14)], { stress: true })), [1, 1]);
});

test("the factors multiply, and the mark is never below the least", () => {
  const from = [{ diet: 0.2, stress: 1, stopped: false }, untouched];
  const observations = [seen({ cosine: { mean: -1, error: 0 }, gain: 0.1 }), seen({ gain: 0.3 })];
  const [first] = decide(observations, { diet: true, stress: true }, { from });
  assert.deepEqual(first, { diet: 0.1, stress: 0.5, stopped: false, mark: 0.1, reasons: ["diet", "stress"] });
});

test("environment stops the costliest for their gain until the rest of the pass fits, and never the last", () => {
  const observations = [
    seen({ gain: 0.5, seconds: 1 }),
    seen({ gain: 0.1, seconds: 1 }), // 10 seconds for a bit
    seen({ gain: 0, seconds: 0.1 }), // no gain at any cost
    seen({}), // not known
  ];
  const stopped = (left: number) => marks(decide(observations, { environment: true }, { left }));
  assert.deepEqual(stopped(40), [1, 1, 1, 1]);
  assert.deepEqual(stopped(39), [1, 1, 0, 1]);
  assert.deepEqual(stopped(20), [1, 0, 0, 1]);
  assert.deepEqual(stopped(0), [0, 0, 0, 1]);
  const known = observations.slice(0, 2);
  assert.deepEqual(marks(decide(known, { environment: true }, { left: 0 })), [1, 0]);
  assert.deepEqual(marks(decide(known, {}, { left: 0 })), [1, 1]);
  assert.deepEqual(marks(decide(known, { environment: true })), [1, 1]);
  const from = [{ ...untouched, stopped: true }, untouched];
  assert.deepEqual(marks(decide(known, { environment: true }, { left: 0, from })), [0, 1]);
});
