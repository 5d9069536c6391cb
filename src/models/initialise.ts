/** A body from nothing: the random weights that training from scratch begins with. */

import { hash32, normal } from "../formats/random.ts";
import { sizeOf } from "../tensor/graph.ts";
import type { Body, WeightTensor } from "./body.ts";
import type { ModelConfig } from "./config.ts";
import { configJsonFor } from "./config.ts";
import { expectedWeights } from "./weights.ts";

const DEVIATION = 0.02;

/**
 * Weights as in GPT-2 (Radford et al. 2019): normal with deviation 0.02, the matrices that write to the residual stream
 * divided by sqrt(2 layers); norms are 1, biases 0. A function of the seed alone.
 */
export function initialiseBody(
  config: ModelConfig,
  seed: number,
  extra: Readonly<Record<string, unknown>> = {},
): Pick<Body, "config" | "configJson" | "weights"> {
  const weights = new Map<string, WeightTensor>();
  const residual = DEVIATION / Math.sqrt(2 * config.layers);
  for (const [name, shape] of expectedWeights(config)) {
    const data = new Float32Array(sizeOf(shape));
    const deviation = /\.(o_proj|down_proj)\.weight$/.test(name) ? residual : DEVIATION;
    const own = hash32(seed, name, 0, 0);
    if (shape.length === 2) for (let i = 0; i < data.length; i++) data[i] = deviation * normal(own, "weight", 0, i);
    else if (!name.endsWith(".bias")) data.fill(1);
    weights.set(name, { name, shape, data });
  }
  return { config, configJson: configJsonFor(config, { dtype: "BF16", extra }), weights };
}
