/** What the benches' claims rest on: slopes and their placebos, groups that do not leak, kept results, figures. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { doseGroups } from "../bench/epigenome/dose-groups.ts";
import {
  assignDoses,
  bootstrap,
  doses,
  permutedDoses,
  responseAt,
  withinSlope,
} from "../bench/epigenome/dose-response.ts";
import type { Series } from "../bench/epigenome/dose-response.ts";
import { Enough, openStore } from "../bench/epigenome/store.ts";
import { lineChart, rowChart } from "../bench/plot.ts";
import { gene } from "../src/epigenome/testing.ts";
import { normal } from "../src/formats/random.ts";
import type { Gene } from "../src/genome/manifest.ts";

const names = ["a prose", "b code", "c log", "d data", "e prose", "f prose"];
const seeds = Array.from({ length: 12 }, (_, i) => i + 1);

/** Groups far apart, with a planted slope of their own dose and of the doses of all others together. */
function planted(own: number, others: number, noise = 0.02): Series[] {
  const assigned = seeds.map((seed) => assignDoses(names, seed));
  return names.map((group, g) => ({
    group,
    doses: assigned.map((run) => run[g]!),
    values: assigned.map((run, r) => {
      const rest = run.reduce((sum, dose) => sum + dose, 0) - run[g]!;
      return 1 + g + own * run[g]! + others * rest + noise * normal(1, group, r, 0);
    }),
  }));
}

test("in every block of four runs a group gets each dose once, in an order of its own", () => {
  const assigned = seeds.map((seed) => assignDoses(names, seed));
  const orders = names.map((_, g) => assigned.map((run) => run[g]!));
  for (const order of orders)
    for (const first of [0, 4, 8])
      assert.deepEqual(
        order.slice(first, first + 4).toSorted((a, b) => a - b),
        [...doses],
      );
  assert.ok(new Set(orders.map(String)).size > 3, String(orders));
  assert.deepEqual(assignDoses(names.slice(2), 7), assignDoses(names, 7).slice(2), "a group's doses are its own");
});

test("the slope is that within groups, whatever lies between them", () => {
  const exact = planted(-0.3, 0, 0);
  assert.ok(Math.abs(withinSlope(exact) + 0.3) < 1e-12);
  assert.ok(Math.abs(responseAt(exact, 1) - -0.3 * (1 - 0.4375)) < 1e-12);
  assert.ok(Number.isNaN(withinSlope([{ doses: [1, 1], values: [1, 2] }])));
});

test("a planted effect stands apart from permuted doses, and its interval holds it", () => {
  const series = planted(-0.3, 0);
  const { value, low, high } = bootstrap(series, withinSlope, 2000);
  assert.ok(low < -0.3 && -0.3 < high && low < value && value < high && high < -0.25, `${low} ${value} ${high}`);
  const within = permutedDoses(series, "within", 2000);
  assert.ok(within.p < 0.001 && Math.abs(within.mean) < 0.02 && value < within.low, JSON.stringify(within));
});

test("without an effect permuted doses do as well, and doses of others are no effect of one's own", () => {
  const none = permutedDoses(planted(0, 0), "within", 2000);
  assert.ok(none.p > 0.05 && none.p < 0.95, JSON.stringify(none));
  const ofAll = planted(-0.1, -0.1, 0);
  assert.ok(withinSlope(ofAll) < -0.05);
  const across = permutedDoses(ofAll, "across", 2000);
  assert.ok(across.p > 0.05, JSON.stringify(across));
});

test("groups: five files that stand for their class, within the limit, a part held out that nobody trains", async () => {
  const texts = new Map<Gene, string>();
  const add = (path: string, text: string, of: Partial<Gene> = {}): Gene => {
    const made = gene({ path, textBytes: Buffer.byteLength(text), ...of });
    texts.set(made, text);
    return made;
  };
  const own = (path: string): string =>
    Array.from({ length: 12 }, (_, i) => `line ${"abcdefghijkl"[i]} of the file ${path}, which no other has`).join(
      "\n",
    );
  const prose = Array.from({ length: 9 }, (_, i) => add(`${"stuvwxyzq"[i]}.md`, own("stuvwxyzq"[i]!)));
  const copies = prose
    .slice(0, 4)
    .map(({ path }) => add(`copy/${path}`, own(path), { kind: "backup", duplicateClass: "c", representative: false }));
  const alike = Array.from({ length: 6 }, (_, i) => add(`${i}.log`, own("every log"), { kind: "log" }));
  const few = [add("one.ts", own("one"), { kind: "code" })];
  const genes = [...prose, ...copies, ...alike, ...few];
  const genome = { genes, text: async (of: Gene) => texts.get(of)! };
  const { groups, dropped } = await doseGroups(genome, { maxBytes: 1e6, heldOutBytes: 1e6 });
  assert.deepEqual(
    groups.map(({ name }) => name),
    ["repo prose"],
  );
  assert.deepEqual(
    dropped.map(({ name }) => name),
    ["repo log"],
  );
  const { trainable, heldOut } = groups[0]!;
  assert.equal(trainable.length + heldOut.length, 9);
  assert.ok(heldOut.length >= 2);
  assert.ok(heldOut.every(({ text }) => trainable.every((one) => texts.get(one) !== text)));
  const small = await doseGroups(genome, { maxBytes: 6 * prose[0]!.textBytes + 10, heldOutBytes: 1e6 });
  assert.equal(small.groups[0]!.trainable.length + small.groups[0]!.heldOut.length, 6);
});

test("a result is kept for the same settings alone, and a limit ends the call without losing any", async (t) => {
  const work = await mkdtemp(join(tmpdir(), "bench-store-"));
  t.after(() => rm(work, { recursive: true }));
  const open = (settings: unknown, limit = Infinity) =>
    openStore({ work, label: "larva", settings, planned: ["a", "b"], limit, say: () => undefined });
  const first = await open({ steps: 1 }, 1);
  assert.equal(await first.kept("a", async () => 1), 1);
  await assert.rejects(
    first.kept("b", async () => 2),
    Enough,
  );
  const again = await open({ steps: 1 }, 1);
  assert.equal(await again.kept("a", async () => assert.fail("made twice")), 1);
  assert.equal(await again.kept("b", async () => 2), 2);
  assert.equal(await (await open({ steps: 2 })).kept("a", async () => 3), 3);
  assert.match(await readFile(join(first.dir, "settings.json"), "utf8"), /"steps": 1/);
});

test("figures: bars from zero to the value, whiskers at the interval's ends, text escaped", () => {
  const bars = rowChart({
    title: "a < b & c",
    subtitle: "",
    valueLabel: "bits per byte",
    rows: [
      { label: "one", value: 0.1, low: 0.05, high: 0.15 },
      { label: "two", value: -0.1 },
    ],
  });
  assert.match(bars, /<title>a &lt; b &amp; c<\/title>/);
  const [one, two] = [...bars.matchAll(/<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="16"/g)];
  const zero = Number(one![1]);
  assert.ok(Math.abs(Number(two![1]) + Number(two![2]) - zero) < 0.2, "a negative bar ends at zero");
  assert.ok(Math.abs(Number(one![2]) - Number(two![2])) < 0.2, "bars are as long as their values");
  const middle = zero + Number(one![2]) / 2;
  assert.ok(bars.includes(`<line x1="${Number(middle.toFixed(1))}"`), "a whisker begins at half of the bar");
  const points = [0, 0.5, 1].map((x) => ({ x, y: x * x, low: x * x - 0.1, high: x * x + 0.1 }));
  const series = ["measured", "placebo"].map((label) => ({ label, points, isMuted: label === "placebo" }));
  const lines = lineChart({ title: "t", subtitle: "s", xLabel: "dose", yLabel: "bits", series });
  assert.equal([...lines.matchAll(/<polyline/g)].length, 2);
  assert.equal([...lines.matchAll(/<circle/g)].length, 2 * (3 + 1), "points and the legend's");
  assert.doesNotMatch(bars + lines, /NaN|undefined|Infinity/);
});
