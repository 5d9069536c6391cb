/**
 * `npm run bench`: training on the shapes of known bodies, one process per row: LoRA on SmolLM2-135M, or with `--bodies`
 * those that `doctor` predicts for. `--json` prints an object of `rows`.
 */

import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { json: { type: "boolean", default: false }, bodies: { type: "boolean", default: false } },
});
const threads = availableParallelism();
const script = fileURLToPath(new URL("training-row.ts", import.meta.url));

const standard = [
  { model: "smollm2", method: "lora", B: 1, windows: 11 },
  { model: "smollm2", method: "lora", B: 4, windows: 7 },
];
/** What the predictions of `doctor` are held against. */
const bodies = [
  { model: "larva", method: "lora", B: 4, windows: 15 },
  { model: "larva", method: "full", B: 4, windows: 15 },
  { model: "smollm2", method: "lora", B: 1, windows: 5 },
  { model: "smollm2", method: "full", B: 1, windows: 5 },
  { model: "qwen3", method: "lora", B: 1, windows: 3 },
];
const rows = (values.bodies ? bodies : standard).map(({ model, method, B, windows }) => {
  process.stderr.write(`${model}, ${method}, T=512, B=${B}, ${threads} threads: ${windows} steps after a warm-up\n`);
  const child = spawnSync(process.execPath, [script, model, method, `${B}`, "512", `${threads}`, `${windows}`], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (child.status !== 0) throw new Error(`${model}, ${method}, B=${B} ended with ${child.status ?? child.signal}`);
  return JSON.parse(child.stdout) as Record<string, number | string>;
});

if (values.json) {
  console.log(JSON.stringify({ node: process.version, rows }, null, 2));
} else {
  console.table(
    rows.map(
      ({ model, method, T, B, dtype, tokensPerSecond, peakMemoryBytes, matrixRateFraction, loss, gradientNorm }) => ({
        model,
        method,
        T,
        B,
        dtype,
        "tokens/s": Number(tokensPerSecond).toFixed(1),
        "peak GB": (Number(peakMemoryBytes) / 1e9).toFixed(2),
        "of matrix rate": Number(matrixRateFraction).toFixed(2),
        loss: Number(loss).toFixed(4),
        "gradient norm": Number(gradientNorm).toFixed(4),
      }),
    ),
  );
}
