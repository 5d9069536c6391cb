/** What the claims of the proof of adaptive marks rest on: paired differences, and groups whose texts do not leak. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { adaptiveTexts } from "../bench/epigenome/adaptive-groups.ts";
import { drawAdaptive, reportAdaptive, summariseAdaptive } from "../bench/epigenome/adaptive-report.ts";
import type { AdaptiveArm, ArmRun } from "../bench/epigenome/adaptive-report.ts";
import type { Bench } from "../bench/epigenome/proof.ts";
import { gene } from "../src/epigenome/testing.ts";
import { hash32 } from "../src/formats/random.ts";
import type { Gene } from "../src/genome/manifest.ts";

const words = (name: string): string =>
  Array.from({ length: 40 }, (_, line) =>
    Array.from({ length: 8 }, (_, i) => hash32(2, `${name} ${line}`, i, 0).toString(26)).join(" "),
  ).join("\n");

async function texts() {
  const contents = new Map<Gene, string>();
  for (const repository of ["a", "b"]) {
    for (let i = 0; i < 12; i++) {
      const content = words(`${repository} ${i}`);
      contents.set(gene({ repository, path: `${repository}-${i}.md`, textBytes: content.length }), content);
    }
  }
  // Copies of a's files under other names in b, not marked as such.
  for (const [i, content] of [...contents.values()].slice(0, 12).entries()) {
    contents.set(gene({ repository: "b", path: `copy-${i}.md`, textBytes: content.length }), content);
  }
  return adaptiveTexts(
    { genes: [...contents.keys()], text: (of) => Promise.resolve(contents.get(of)!) },
    { capacity: 1e6, measuredBytes: 2000, steeringBytes: 500 },
  );
}

test("what is trained, steers and is measured has no file in common, and none has the lines of a trained one", async () => {
  const { groups, trained, steering, measured } = await texts();
  assert.deepEqual(groups.names, ["a prose", "b prose"]);
  const names = [
    ...trained.map(({ gene: { repository, path } }) => `${repository}/${path}`),
    ...steering.map(({ id }) => id),
    ...measured.map(({ id }) => id),
  ];
  assert.equal(new Set(names).size, names.length);
  for (const group of groups.names) {
    const bytes = (of: typeof steering) =>
      of.filter((document) => document.group === group).reduce((sum, { text }) => sum + text.length, 0);
    assert.ok(bytes(measured) > 1900 && bytes(measured) < 2100 && bytes(steering) > 450 && bytes(steering) < 550);
  }
  const isTrained = new Set(names.slice(0, trained.length));
  for (const id of names.slice(trained.length)) {
    const [, number] = /(?:a-|copy-)(\d+)\.md$/.exec(id) ?? [];
    if (number === undefined) continue;
    const other = id.startsWith("a/") ? `b/copy-${number}.md` : `a/a-${number}.md`;
    assert.ok(!isTrained.has(other), `${id} is scored, and its copy is trained`);
  }
});

test("differences are paired: by group, by seed, by file; above 0 adaptive marks are better", async () => {
  const of = await texts();
  const score = (value: number) => (document: { id: string; group?: string; text: string }) => {
    const bytes = Buffer.byteLength(document.text);
    return {
      id: document.id,
      group: document.group!,
      nats: value * Math.LN2 * bytes,
      bytes,
      bitsPerByte: value,
      tokens: 9,
    };
  };
  const scores = (a: number, b: number, retention: number) => ({
    heldOut: of.measured.map((document) => score(document.group === "a prose" ? a : b)(document)),
    retention: [score(retention)({ id: "r", text: "abcd" })],
  });
  const run = (arm: AdaptiveArm, seed: number, a: number, b: number): ArmRun => ({
    seed,
    arm,
    steps: arm === "adaptive" ? 10 : 12,
    run: {
      scores: scores(a, b, 1.5),
      marks: [{ step: 0, marks: [1, 0.25] }],
      summary: { groups: 2, changes: [], cost: { sequences: 4, seconds: 3 } },
      measuring: { gradients: 4, scoring: 4 },
    },
  });
  const runs = [1, 2].flatMap((seed) => [
    run("adaptive", seed, 1.7, 1.9),
    run("fixed", seed, 1.7 + 0.01 * seed, 1.9 + 0.03 * seed),
    run("permuted", seed, 1.7, 1.9),
    run("equal", seed, 1.6, 1.9),
  ]);
  const bench = {
    body: { name: "larva", recipe: { name: "small-body", sequence: 512, sequences: 4 } },
    seeds: [1, 2],
  } as unknown as Bench;
  const result = summariseAdaptive(bench, { texts: of, parent: scores(2, 2, 1.4), runs });
  const fixed = result.arms.find(({ arm }) => arm === "fixed")!.minusAdaptive!;
  const near = (found: number | null, wanted: number) => assert.ok(Math.abs(found! - wanted) < 1e-9, `${found}`);
  near(fixed.macro.difference, 0.03); // of groups: 0.015 and 0.045
  near(fixed.macro.standardError, 0.015);
  near(fixed.macroBySeed.difference, 0.03); // of seeds: 0.02 and 0.04
  near(fixed.macroBySeed.standardError, 0.01);
  near(result.arms.find(({ arm }) => arm === "permuted")!.minusAdaptive!.total.difference, 0);
  near(result.arms.find(({ arm }) => arm === "equal")!.minusAdaptive!.macro.difference, -0.05);
  assert.deepEqual(result.measuring[0], { gradients: 4, scoring: 4, share: 0.2, seconds: 3 });
  assert.deepEqual(result.groups[1]!.marks, [0.25, 0.25]);
  const lines = reportAdaptive(result).join("\n");
  assert.match(lines, /marks that stay 1 \| 12 \| .*\+0\.0300 \+- 0\.0150; \+0\.0300 \+- 0\.0100/);
  assert.match(drawAdaptive(result)["differences"]!, /<svg/);
});
