/** Shapes of published bodies, as their config.json states them: what `doctor` predicts for. */
import type { ModelConfig } from "../models/config.ts";

/** HuggingFaceTB/SmolLM2-135M. */
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

/** Qwen/Qwen3-0.6B. */
export const qwen3Small: ModelConfig = {
  modelType: "qwen3",
  vocabularySize: 151_936,
  hiddenSize: 1024,
  intermediateSize: 3072,
  layers: 28,
  heads: 16,
  keyValueHeads: 8,
  headSize: 128,
  normEpsilon: 1e-6,
  maxPositions: 40_960,
  tied: true,
  attentionBias: false,
  mlpBias: false,
  rope: { theta: 1_000_000, scaling: null },
};
