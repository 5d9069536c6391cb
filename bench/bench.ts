/** `npm run bench`: LoRA training on SmolLM2-135M's shape, one process per row. `--json` prints an object of `rows`. */

import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const threads = availableParallelism();
const script = fileURLToPath(new URL("lora-row.ts", import.meta.url));

const rows = [
  { B: 1, windows: 11 },
  { B: 4, windows: 7 },
].map(({ B, windows }) => {
  process.stderr.write(`SmolLM2-135M, LoRA, T=512, B=${B}, ${threads} threads: ${windows} steps after a warm-up\n`);
  const child = spawnSync(process.execPath, [script, `${B}`, "512", `${threads}`, `${windows}`], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (child.status !== 0) throw new Error(`the row with B=${B} ended with ${child.status ?? child.signal}`);
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
