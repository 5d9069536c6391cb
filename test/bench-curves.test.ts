/** How the bench reads curves of gain and forgetting, on curves whose answers are known. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootstrap, lineOf, match, meanForgetting, reachOf, readAt } from "../bench/epigenome/curves.ts";
import type { Curve, CurvePoint, SeedCurves } from "../bench/epigenome/curves.ts";
import { chooseRates, summarise } from "../bench/epigenome/kept-result.ts";
import { reportKept } from "../bench/epigenome/kept-report.ts";
import type { KeptArm } from "../bench/epigenome/kept-arms.ts";
import type { Bench } from "../bench/epigenome/proof.ts";

const BYTES = 100;

/** A point with these bits on held-out files and retention pieces of 100 bytes each. */
function point(at: number, heldOut: readonly number[], retention: readonly number[]): CurvePoint {
  const scores = (bits: readonly number[]) =>
    bits.map((value, i) => ({
      id: `${i}`,
      nats: value * BYTES * Math.LN2,
      bytes: BYTES,
      bitsPerByte: value,
      tokens: BYTES,
    }));
  return { at, scores: { heldOut: scores(heldOut), retention: scores(retention) } };
}

const along = (...points: [CurvePoint, ...CurvePoint[]]): Curve => ({ points, isBlend: false });

const near = (actual: number | undefined, expected: number): void =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`);

/** Gains 0, 0.5, 0.4, 0.9 and forgetting 0, 0.1, 0.2, 0.4. */
const curve = along(
  point(0, [2, 2], [1, 1]),
  point(0.25, [1.6, 1.4], [1.1, 1.1]),
  point(0.5, [1.6, 1.6], [1.2, 1.2]),
  point(1, [1.0, 1.2], [1.3, 1.5]),
);

test("a curve is read where it first reaches a gain, on the straight line between its points", () => {
  const line = lineOf(curve);
  near(reachOf(line), 0.9);
  near(readAt(line, 0.25)?.forgetting, 0.05);
  near(readAt(line, 0.25)?.at, 0.125);
  near(readAt(line, 0.45)?.at, 0.225); // the first time, not after the dip
  near(readAt(line, 0.65)?.forgetting, 0.3);
  near(readAt(line, reachOf(line))?.forgetting, 0.4);
  assert.equal(readAt(line, 0.91), undefined);
});

test("documents count as often as a resample draws them", () => {
  const line = lineOf(curve, { heldOut: [2, 0], retention: [0, 2] });
  near(line.gain.at(-1), 1);
  near(line.forgetting.at(-1), 0.5);
});

/** A straight curve to a gain, at so much forgetting for it. */
const straight = (gain: number, forgetting: number): Curve =>
  along(
    point(0, [2, 2, 2], [1, 1, 1]),
    point(1, [2 - gain, 2 - gain, 2 - gain], [1 + forgetting, 1 + forgetting, 1 + forgetting]),
  );

test("a blend's few points give its curve, which no straight line between them would", () => {
  const at = (alpha: number) => point(alpha, [2 - alpha + 0.3 * alpha ** 2], [1 + 0.2 * alpha ** 2]);
  const line = lineOf({ points: [at(0), at(0.35), at(0.6), at(0.85), at(1)], isBlend: true });
  near(line.gain[25], 0.5 - 0.3 * 0.25);
  near(line.forgetting[25], 0.05);
  near(readAt(line, line.gain[40]!)?.at, 0.8);
});

test("arms are compared at the largest gain that those to be matched reach, seed by seed", () => {
  const seeds: SeedCurves[] = [
    { default: straight(0.8, 0.2), lora: straight(0.4, 0.2), weak: straight(0.1, 0) },
    { default: straight(0.6, 0.3), lora: straight(1, 0.5), weak: straight(0.7, 0.1) },
  ];
  const { gains, readings } = match(seeds, ["default", "lora"]);
  near(gains[0], 0.4);
  near(gains[1], 0.6);
  near(meanForgetting(readings["default"]!), (0.1 + 0.3) / 2);
  near(meanForgetting(readings["lora"]!), (0.2 + 0.3) / 2);
  assert.equal(meanForgetting(readings["weak"]!), undefined, "it falls short in the first seed");
});

test("intervals hold the estimate, are of differences in the same resample, and are missing for an arm that falls short", () => {
  const noisy = (forgetting: number): Curve =>
    along(
      point(0, [2, 2, 2, 2], [1, 1, 1, 1]),
      point(
        1,
        [1.5, 1.4, 1.6, 1.5],
        [1, 1.2, 0.9, 1.1].map((bits) => bits + forgetting),
      ),
    );
  const seed = { default: noisy(0.1), lora: noisy(0.2), weak: straight(0.1, 0) };
  const seeds: SeedCurves[] = [
    { ...seed, weak: along(point(0, [2, 2, 2, 2], [1, 1, 1, 1]), point(1, [1.9, 1.9, 1.9, 1.9], [1, 1, 1, 1])) },
  ];
  const { default: own, lora, weak } = bootstrap(seeds, ["default", "lora"], "default");
  assert.ok(own!.forgetting.low < 0.15 && own!.forgetting.high > 0.15 && own!.forgetting.high > own!.forgetting.low);
  near(lora!.difference.low, 0.1); // the pieces' noise is the same in both arms
  near(lora!.difference.high, 0.1);
  assert.equal(weak, undefined);
});

test("of an arm's learning rates the one that forgets least at the common gain is chosen", () => {
  const arm = (name: string, role: KeptArm["role"]) => ({ name, role }) as KeptArm;
  const [lora, own, wide] = [arm("lora", "baseline"), arm("default", "default"), arm("wide", "part")] as const;
  const trial = (of: KeptArm, rate: number, gain: number, forgetting: number) => ({
    candidate: { arm: of, rate },
    trial: { arm: of.name, rate, line: lineOf(straight(gain, forgetting)) },
  });
  const all = [
    trial(lora, 1, 0.2, 0), // forgets nothing, but falls short
    trial(lora, 2, 0.5, 0.2),
    trial(lora, 4, 0.6, 0.3),
    trial(own, 1, 0.9, 0.3),
    trial(own, 2, 1.2, 0.6),
    trial(wide, 1, 0.3, 0),
    trial(wide, 2, 0.4, 0),
  ];
  const { rates, gain } = chooseRates(
    all.map(({ candidate }) => candidate),
    all.map(({ trial: one }) => one),
  );
  near(gain!, 0.6);
  assert.deepEqual(rates, { lora: 4, default: 1, wide: 2 });
});

test("a file that the parent cannot read counts in one table and not in the other", () => {
  const arm = (name: string, role: KeptArm["role"]): KeptArm => ({
    name,
    label: name,
    role,
    recipe: { replay: 0, lora: null } as unknown as KeptArm["recipe"],
    steps: 1,
    isBlended: false,
    rateOf: name,
  });
  const arms = [arm("lora", "baseline"), arm("default", "default")];
  // The default gains on the readable file alone, LoRA on the enciphered one too.
  const curves = {
    lora: along(point(0, [2, 7], [1]), point(1, [1.5, 6], [1.3])),
    default: along(point(0, [2, 7], [1]), point(1, [1.5, 7], [1.1])),
  };
  const result = summarise({ body: { name: "x", recipe: { name: "y" } }, steps: 1, seeds: [1] } as unknown as Bench, {
    arms,
    rates: { lora: 1, default: 1 },
    trials: [],
    selectionGain: null,
    seeds: [curves],
    evaluations: 1,
    alphas: [],
  });
  near(result.gains[0], 0.25);
  near(result.arms[0]!.mean!, 0.1);
  near(result.arms[1]!.mean!, 0.1);
  assert.deepEqual(result.readable?.without, [{ file: "1", bytes: BYTES, bitsPerByte: 7 }]);
  near(result.readable?.gains[0], 0.5);
  near(result.readable?.arms["lora"]?.mean ?? 0, 0.3);
  near(result.readable?.arms["default"]?.mean ?? 0, 0.1);
  const report = reportKept(result).join("\n");
  assert.match(report, /without 1 \(100 bytes, 7\.00 bits per byte under the parent\): matched gain 0\.5000/);
  assert.match(report, /\| lora \| part 1\.00 \| \+0\.3000 \(\+0\.3000\) \| \+0\.2000/);
});
