/**
 * One row of the LoRA bench, in a process of its own because a process's peak memory never falls: SmolLM2-135M's shape,
 * rank 16 on all linears, f32, whole optimiser steps.  node bench/lora-row.ts B T THREADS WINDOWS
 */

import { readFileSync } from "node:fs";
import { createAdamW } from "../src/chrysalis/optimisers/adamw.ts";
import { smolLm2 } from "../src/blueprint/testing.ts";
import { gradientNorm, zeroGradients } from "../src/chrysalis/gradients.ts";
import { uniform } from "../src/formats/random.ts";
import { compileStep } from "../src/models/step.ts";
import { measureMatrixRate, median } from "./matrix-rate.ts";
import { loraFlopsPerToken, randomBody } from "./shapes.ts";

const [B, T, threads, windows] = process.argv.slice(2).map(Number) as [number, number, number, number];
const lora = {
  rank: 16,
  alpha: 32,
  targets: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
  seed: 1,
};
const step = await compileStep(randomBody(smolLm2), { B, T, train: { lora }, threads });
const optimiser = createAdamW(step.parameters);
const N = B * T;
const ids = Int32Array.from({ length: N + 1 }, (_, i) =>
  Math.floor(uniform(1, "tokens", 0, i) * smolLm2.vocabularySize),
);
const batch = {
  B,
  T,
  ids: ids.slice(0, N),
  targets: ids.slice(1),
  weights: new Float32Array(N).fill(1),
  positions: Int32Array.from({ length: N }, (_, i) => i % T),
  documents: new Int32Array(N),
};

let loss = 0;
let norm = 0;
async function oneStep(): Promise<void> {
  zeroGradients(step.parameters);
  const result = await step.accumulate(batch);
  loss = result.loss / result.weight;
  norm = gradientNorm(step.parameters) / result.weight;
  await optimiser.step(1e-3, Math.min(1, 1 / norm) / result.weight);
}

await oneStep();
const matrix = await measureMatrixRate(threads);
const rates: number[] = [];
for (let window = 0; window < windows; window++) {
  await matrix.sample();
  const start = performance.now();
  await oneStep();
  rates.push(N / ((performance.now() - start) / 1e3));
}
const tokensPerSecond = median(rates);
const status = readFileSync("/proc/self/status", "utf8");
const row = {
  model: "SmolLM2-135M",
  method: "lora",
  T,
  B,
  dtype: "f32",
  threads,
  tokensPerSecond,
  peakMemoryBytes: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) * 1024,
  matrixRateFraction: (tokensPerSecond * loraFlopsPerToken(smolLm2, T, lora.rank)) / matrix.rate(),
  matrixRate: matrix.rate(),
  loss,
  gradientNorm: norm,
};
console.log(JSON.stringify(row));
