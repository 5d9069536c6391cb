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
  /** Factors of the scale by a module's full name, such as `model.layers.0.mlp.up_proj`; 1 where left out. Default none. */
  readonly scales?: ReadonlyMap<string, number>;
  readonly seed: number;
}

/** What a block's graph calls the factor of a module's scale, where there are factors. */
export const scaleName = (module: string): string => `${module}.lora_scale`;

/** Factor of B A in the adapted weight, but for what `scales` says. */
export const loraScale = (options: LoraOptions): number =>
  options.alpha / (options.rslora ? Math.sqrt(options.rank) : options.rank);

export const isTarget = (module: string, options: Pick<LoraOptions, "targets">): boolean =>
  options.targets.includes(module.split(".").at(-1)!);

/** A [rank, inputs] at its start: Kaiming-uniform with a = sqrt(5), which is uniform in +-1 / sqrt(inputs). B starts at zero. */
export function initialA(name: string, rank: number, inputs: number, seed: number): Float32Array {
  const bound = 1 / Math.sqrt(inputs);
  const own = hash32(seed, name, 0, 0);
  return Float32Array.from({ length: rank * inputs }, (_, i) => (2 * uniform(own, "lora", 0, i) - 1) * bound);
}
