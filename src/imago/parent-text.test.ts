import assert from "node:assert/strict";
import { before, test } from "node:test";
import { scoreSequences } from "../eval/score-sequences.ts";
import { normal } from "../formats/random.ts";
import type { Body } from "../models/body.ts";
import { smolLm2 } from "../blueprint/known-bodies.ts";
import { initialiseBody } from "../models/initialise.ts";
import { compileStep } from "../models/step.ts";
import type { ModelConfig } from "../models/config.ts";
import { natsPerToken, sampleParentText } from "./parent-text.ts";

const V = 4;
const SEPARATOR = 0;
const config: ModelConfig = {
  ...smolLm2,
  vocabularySize: V,
  hiddenSize: 8,
  intermediateSize: 8,
  layers: 1,
  heads: 2,
  keyValueHeads: 1,
  headSize: 4,
  maxPositions: 8,
};
type TinyBody = Pick<Body, "config" | "weights">;

/** Weights large enough for the distributions to be far from uniform, and from each other. */
function tinyBody(seed: number): TinyBody {
  const { weights } = initialiseBody(config, seed);
  for (const { name, data } of weights.values()) for (const i of data.keys()) data[i] = normal(seed, name, 0, i);
  return { config, weights };
}

const WINDOW = 4;
const TOKENS = 5;
/** Probability of each token after a beginning, by the beginning's ids. */
type Distributions = ReadonlyMap<string, readonly number[]>;

/** By scoring every next token after every beginning that can occur. */
async function distributionsOf(body: TinyBody): Promise<Distributions> {
  const step = await compileStep(body, { B: 8, T: WINDOW, train: "none", threads: 1 });
  try {
    const distributions = new Map<string, number[]>();
    let beginnings: number[][] = [[SEPARATOR]];
    for (let length = 1; length <= WINDOW; length++) {
      const longer = beginnings.flatMap((ids) => Array.from({ length: V }, (_, v) => [...ids, v]));
      const nats = await scoreSequences(
        step,
        longer.map((ids) => ({ ids: Int32Array.from(ids) })),
        SEPARATOR,
      );
      for (const [i, ids] of beginnings.entries()) {
        const before = length === 1 ? 0 : natsOf(distributions, ids);
        distributions.set(
          ids.join(),
          Array.from({ length: V }, (_, v) => Math.exp(before - nats[i * V + v]!)),
        );
      }
      beginnings = longer.filter((ids) => ids.at(-1) !== SEPARATOR);
    }
    return distributions;
  } finally {
    await step.release();
  }
}

function natsOf(distributions: Distributions, ids: readonly number[]): number {
  return ids.slice(1).reduce((sum, id, i) => sum - Math.log(distributions.get(ids.slice(0, i + 1).join())![id]!), 0);
}

/** The expected sum of full-vocabulary divergences over the next `left` predictions of the sampling process. */
function expectedKl(parent: Distributions, child: Distributions, ids: readonly number[], left: number): number {
  if (left === 0) return 0;
  const [p, q] = [parent.get(ids.join())!, child.get(ids.join())!];
  return p.reduce((sum, probability, v) => {
    const next = v === SEPARATOR || ids.length === WINDOW ? [SEPARATOR] : [...ids, v];
    return sum + probability * (Math.log(probability / q[v]!) + expectedKl(parent, child, next, left - 1));
  }, 0);
}

let bodies: { parent: TinyBody; child: TinyBody };
let exact: { parent: Distributions; child: Distributions };
before(async () => {
  bodies = { parent: tinyBody(1), child: tinyBody(2) };
  exact = { parent: await distributionsOf(bodies.parent), child: await distributionsOf(bodies.child) };
});

test("the mean of log p - log q over what the parent samples is the full-vocabulary divergence", async () => {
  for (const distributions of [...exact.parent.values(), ...exact.child.values()]) {
    assert.ok(Math.abs(distributions.reduce((sum, p) => sum + p, 0) - 1) < 1e-5);
  }
  const divergence = expectedKl(exact.parent, exact.child, [SEPARATOR], TOKENS) / TOKENS;
  assert.ok(divergence > 0.2, `${divergence}`);

  const draws: Int32Array[][] = [];
  const options = { tokens: TOKENS, window: WINDOW, threads: 1 };
  for (let seed = 0; seed < DRAWS; seed++)
    draws.push(await sampleParentText(bodies.parent, SEPARATOR, { ...options, seed }));
  const estimates = draws.map((sequences) => {
    const difference = (ids: Int32Array) => natsOf(exact.child, [...ids]) - natsOf(exact.parent, [...ids]);
    return sequences.reduce((sum, ids) => sum + difference(ids), 0) / TOKENS;
  });
  const mean = estimates.reduce((sum, value) => sum + value, 0) / DRAWS;
  const variance = estimates.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (DRAWS - 1);
  const error = Math.sqrt(variance / DRAWS);
  assert.ok(error < 0.15 * divergence, `${mean} +- ${error}`);
  assert.ok(Math.abs(mean - divergence) < 3 * error, `${mean} +- ${error} instead of ${divergence}`);

  // The same, scored by the compiled models as in a run.
  const all = draws.flat();
  const scored = await Promise.all(
    [bodies.parent, bodies.child].map(async (body) => {
      const step = await compileStep(body, { B: 8, T: WINDOW, train: "none", threads: 1 });
      const nats = await natsPerToken(step, all, SEPARATOR);
      await step.release();
      return nats;
    }),
  );
  assert.ok(Math.abs(scored[1]! - scored[0]! - mean) < 1e-5);
});

const DRAWS = 60;

test("sequences hold as many predictions as were asked for, end with a separator, at their length, or at the number", async () => {
  const options = { tokens: 50, window: WINDOW, threads: 1, seed: 3 };
  const sequences = await sampleParentText(bodies.parent, SEPARATOR, options);
  assert.equal(
    sequences.reduce((sum, { length }) => sum + length - 1, 0),
    50,
  );
  for (const [i, ids] of sequences.entries()) {
    assert.equal(ids[0], SEPARATOR);
    assert.ok(!ids.subarray(1, -1).includes(SEPARATOR) && ids.length <= WINDOW + 1);
    assert.ok(ids.at(-1) === SEPARATOR || ids.length === WINDOW + 1 || i === sequences.length - 1);
  }
  assert.ok(sequences.some((ids) => ids.at(-1) === SEPARATOR) && sequences.some(({ length }) => length === WINDOW + 1));
  assert.deepEqual(await sampleParentText(bodies.parent, SEPARATOR, options), sequences);
  assert.notDeepEqual(await sampleParentText(bodies.parent, SEPARATOR, { ...options, seed: 4 }), sequences);
});
