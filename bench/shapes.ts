/** Random weights for a published shape, where the real ones cannot be had. */

import type { Body } from "../src/models/body.ts";
import type { ModelConfig } from "../src/models/config.ts";
import { expectedWeights } from "../src/models/weights.ts";

/** Weights uniform with deviation 0.02 (norms are 1), from a linear congruence: speed does not depend on their values. */
export function randomBody(config: ModelConfig): Pick<Body, "config" | "weights"> {
  let state = 1;
  const weights = new Map(
    [...expectedWeights(config)].map(([name, shape]) => {
      const data = new Float32Array(shape.reduce((size, extent) => size * extent, 1)).fill(1);
      for (let i = 0; i < data.length && shape.length > 1; i++) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
        data[i] = (state / 2_147_483_648) * 0.0346;
      }
      return [name, { name, shape, data }];
    }),
  );
  return { config, weights };
}
