/** The weights of a body: which there must be, by configuration, in Hugging Face's names and order, and their size. */

import type { ModelConfig } from "./config.ts";

/**
 * Name and shape ([out, in] for matrices) of every weight, in the checkpoint's order. A tied head has no
 * "lm_head.weight".
 */
export function expectedWeights(config: ModelConfig): Map<string, readonly number[]> {
  const { hiddenSize, intermediateSize, headSize } = config;
  const queries = config.heads * headSize;
  const keys = config.keyValueHeads * headSize;
  const weights = new Map<string, readonly number[]>();
  weights.set("model.embed_tokens.weight", [config.vocabularySize, hiddenSize]);
  for (let layer = 0; layer < config.layers; layer += 1) {
    const prefix = `model.layers.${layer}`;
    const projections = {
      q: [queries, hiddenSize],
      k: [keys, hiddenSize],
      v: [keys, hiddenSize],
      o: [hiddenSize, queries],
    };
    weights.set(`${prefix}.input_layernorm.weight`, [hiddenSize]);
    for (const [name, shape] of Object.entries(projections)) {
      weights.set(`${prefix}.self_attn.${name}_proj.weight`, shape);
      if (config.attentionBias) weights.set(`${prefix}.self_attn.${name}_proj.bias`, [shape[0]!]);
    }
    if (config.modelType === "qwen3") {
      weights.set(`${prefix}.self_attn.q_norm.weight`, [headSize]);
      weights.set(`${prefix}.self_attn.k_norm.weight`, [headSize]);
    }
    weights.set(`${prefix}.post_attention_layernorm.weight`, [hiddenSize]);
    weights.set(`${prefix}.mlp.gate_proj.weight`, [intermediateSize, hiddenSize]);
    weights.set(`${prefix}.mlp.up_proj.weight`, [intermediateSize, hiddenSize]);
    weights.set(`${prefix}.mlp.down_proj.weight`, [hiddenSize, intermediateSize]);
  }
  weights.set("model.norm.weight", [hiddenSize]);
  if (!config.tied) weights.set("lm_head.weight", [config.vocabularySize, hiddenSize]);
  return weights;
}

/** Number of parameters; a tied head counts once. */
export function countParameters(config: ModelConfig): number {
  let total = 0;
  for (const shape of expectedWeights(config).values()) total += product(shape);
  return total;
}

/**
 * Bytes that loading a body takes at its peak: all weights in f32, and the largest once more (GGUF rows are put back
 * into order beside what was read). The process itself is not counted.
 */
export function estimateLoadedBytes(config: ModelConfig): number {
  let largest = 0;
  for (const shape of expectedWeights(config).values()) largest = Math.max(largest, product(shape));
  return 4 * (countParameters(config) + largest);
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
