/** The machine's own matrix rate: f32 products of the runtime, at the thread count of what is measured beside them. */

import { createSession } from "./session.ts";
import { Graph } from "../tensor/graph.ts";
import { linear } from "../tensor/matmul.ts";
import { extract } from "../tensor/program.ts";

const shapes = [
  { M: 512, K: 1024, N: 3072 },
  { M: 2048, K: 576, N: 1536 },
] as const;

export interface MatrixRate {
  /** Takes one sample of each shape; call it between the windows of what is measured. */
  sample(): Promise<void>;
  /** FLOP/s: the better of the shapes' medians. */
  rate(): number;
  release(): Promise<void>;
}

export async function measureMatrixRate(threads: number): Promise<MatrixRate> {
  const probes = await Promise.all(
    shapes.map(async ({ M, K, N }) => {
      const graph = new Graph();
      const product = linear(graph.input("x", [M, K]), graph.input("w", [N, K]));
      const session = await createSession(extract(new Map([["y", product]])), { threads });
      const feeds = { x: new Float32Array(M * K).fill(0.5), w: new Float32Array(N * K).fill(0.25) };
      const into = { y: new Float32Array(M * N) };
      await session.run(feeds, into);
      return { session, feeds, into, flops: 2 * M * K * N, seconds: [] as number[] };
    }),
  );
  return {
    sample: async () => {
      for (const { session, feeds, into, seconds } of probes) {
        for (let i = 0; i < 3; i++) {
          const start = performance.now();
          await session.run(feeds, into);
          seconds.push((performance.now() - start) / 1e3);
        }
      }
    },
    rate: () => Math.max(...probes.map(({ flops, seconds }) => flops / median(seconds))),
    release: async () => {
      for (const { session } of probes) await session.release();
    },
  };
}

/**
 * Measures for so many seconds.
 *
 * @returns FLOP/s of f32 products on `threads` threads
 */
export async function probeMatrixRate(
  threads: number,
  seconds: number,
  options: { readonly onProgress: (seconds: number) => void; readonly signal: AbortSignal },
): Promise<number> {
  const rate = await measureMatrixRate(threads);
  try {
    const began = performance.now();
    for (let passed = 0; passed < seconds; passed = (performance.now() - began) / 1e3) {
      options.signal.throwIfAborted();
      options.onProgress(passed);
      await rate.sample();
    }
    return rate.rate();
  } finally {
    await rate.release();
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
