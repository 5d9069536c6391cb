/**
 * One row of the training bench, in a process of its own because a process's peak memory never falls: the shape of a known
 * body, LoRA of rank 16 on all linears or all weights, f32, whole optimiser steps.
 *
 *     node bench/training-row.ts larva|smollm2|qwen3 lora|full B T THREADS WINDOWS
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { estimate } from "../src/blueprint/estimate.ts";
import { qwen3Small, smolLm2 } from "../src/blueprint/known-bodies.ts";
import { LINEAR_MODULES } from "../src/blueprint/schema.ts";
import { gradientNorm, zeroGradients } from "../src/chrysalis/gradients.ts";
import { createAdamW } from "../src/chrysalis/optimisers/adamw.ts";
import { uniform } from "../src/formats/random.ts";
import { readConfigOf } from "../src/models/load.ts";
import { compileStep } from "../src/models/step.ts";
import { measureMatrixRate, median } from "../src/onnx/matrix-rate.ts";
import { randomBody } from "./shapes.ts";

const larva = fileURLToPath(new URL("../models/larva", import.meta.url));
const models = {
  larva: { name: "the shipped larva", config: (await readConfigOf(larva)).config },
  smollm2: { name: "SmolLM2-135M", config: smolLm2 },
  qwen3: { name: "Qwen3-0.6B", config: qwen3Small },
};

const [model, method, ...numbers] = process.argv.slice(2) as [keyof typeof models, "lora" | "full", ...string[]];
const [B, T, threads, windows] = numbers.map(Number) as [number, number, number, number];
const { name, config } = models[model];
const lora = { rank: 16, alpha: 32, targets: LINEAR_MODULES, seed: 1 };
const { flopsPerToken } = estimate(config, {
  method,
  lora: method === "lora" ? lora : undefined,
  optimizer: "adamw",
  B,
  T,
  corpusTokens: 0,
  genomeBytes: 0,
  copiesParent: false,
});
const step = await compileStep(randomBody(config), { B, T, train: method === "lora" ? { lora } : "full", threads });
const optimiser = createAdamW(step.parameters);
const N = B * T;
const ids = Int32Array.from({ length: N + 1 }, (_, i) =>
  Math.floor(uniform(1, "tokens", 0, i) * config.vocabularySize),
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
  model: name,
  method,
  T,
  B,
  dtype: "f32",
  threads,
  tokensPerSecond,
  peakMemoryBytes: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) * 1024,
  matrixRateFraction: (tokensPerSecond * flopsPerToken) / matrix.rate(),
  matrixRate: matrix.rate(),
  loss,
  gradientNorm: norm,
};
console.log(JSON.stringify(row));
