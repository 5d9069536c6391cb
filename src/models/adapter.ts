/** Low-rank adapters: which modules they sit on, how they start, what they are called. */

import { hash32, uniform } from "../formats/random.ts";

export interface LoraOptions {
  /** Inner dimension r. */
  readonly rank: number;
  /** The update is scaled by alpha / rank. */
  readonly alpha: number;
  /** Last parts of module names, such as `q_proj`. */
  readonly targets: readonly string[];
  /** Scales by alpha / sqrt(rank) instead (rsLoRA, arXiv 2312.03732). Default false. */
  readonly rslora?: boolean;
  readonly seed: number;
}

/** Factor of B A in the adapted weight. */
export const loraScale = (options: LoraOptions): number =>
  options.alpha / (options.rslora ? Math.sqrt(options.rank) : options.rank);

export const isTarget = (module: string, options: LoraOptions): boolean =>
  options.targets.includes(module.split(".").at(-1)!);

/** A [rank, inputs] at its start: Kaiming-uniform with a = sqrt(5), which is uniform in +-1 / sqrt(inputs). B starts at zero. */
export function initialA(name: string, rank: number, inputs: number, seed: number): Float32Array {
  const bound = 1 / Math.sqrt(inputs);
  const own = hash32(seed, name, 0, 0);
  return Float32Array.from({ length: rank * inputs }, (_, i) => (2 * uniform(own, "lora", 0, i) - 1) * bound);
}
