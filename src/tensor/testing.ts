/** Random inputs of op cases, for the tests of tensor/ and onnx/. */

import { normal, uniform } from "../formats/random.ts";
import type { CaseInput } from "./graph.ts";
import { sizeOf } from "./graph.ts";

export const inputName = (index: number): string => `in${index}`;

/** Values that float32 holds exactly, the same for the same seed. */
export function randomInputs(inputs: readonly CaseInput[], seed: number): Float64Array[] {
  return inputs.map((input, i) =>
    Float64Array.from({ length: sizeOf(input.shape) }, (_, j) => {
      if ((input.dtype ?? "f32") !== "f32") return Math.floor(uniform(seed, "case", i, j) * input.below!);
      const x = normal(seed, "case", i, j);
      return Math.fround(input.positive ? 0.5 + Math.abs(x) : x);
    }),
  );
}
