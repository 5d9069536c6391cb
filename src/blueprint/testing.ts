/** Shapes of known bodies, for tests. */
import type { ModelConfig } from "../models/config.ts";

export const smolLm2: ModelConfig = {
  modelType: "llama",
  vocabularySize: 49152,
  hiddenSize: 576,
  intermediateSize: 1536,
  layers: 30,
  heads: 9,
  keyValueHeads: 3,
  headSize: 64,
  normEpsilon: 1e-5,
  maxPositions: 8192,
  tied: true,
  attentionBias: false,
  mlpBias: false,
  rope: { theta: 100_000, scaling: null },
};

export const smallLlama: ModelConfig = {
  ...smolLm2,
  vocabularySize: 6144,
  hiddenSize: 256,
  intermediateSize: 768,
  layers: 5,
  heads: 4,
  keyValueHeads: 2,
  maxPositions: 512,
};
