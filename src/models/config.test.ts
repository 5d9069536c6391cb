import assert from "node:assert/strict";
import { test } from "node:test";
import { configJsonFor, readModelConfig } from "./config.ts";
import { failsWith } from "../../test/support/user-error.ts";

const LLAMA = {
  model_type: "llama",
  vocab_size: 1000,
  hidden_size: 96,
  intermediate_size: 256,
  num_hidden_layers: 2,
  num_attention_heads: 6,
};
const LLAMA3 = { factor: 32, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
const SCALED = {
  type: "llama3",
  factor: 32,
  lowFrequencyFactor: 1,
  highFrequencyFactor: 4,
  originalMaxPositions: 8192,
};
const read = (extra: object) => readModelConfig({ ...LLAMA, ...extra }, "config.json");

test("absent keys get the defaults of transformers for the model type", () => {
  assert.deepEqual(read({}), {
    modelType: "llama",
    vocabularySize: 1000,
    hiddenSize: 96,
    intermediateSize: 256,
    layers: 2,
    heads: 6,
    keyValueHeads: 6,
    headSize: 16,
    normEpsilon: 1e-6,
    maxPositions: 2048,
    tied: false,
    rope: { theta: 10_000, scaling: null },
    attentionBias: false,
    mlpBias: false,
  });
  const qwen3 = read({ model_type: "qwen3", num_attention_heads: 64 });
  assert.deepEqual(
    [qwen3.keyValueHeads, qwen3.headSize, qwen3.maxPositions, qwen3.tied, qwen3.rope.theta],
    [32, 128, 32_768, false, 10_000],
  );
});

test("RoPE is read in every spelling", () => {
  for (const extra of [
    { rope_theta: 5e5, rope_scaling: { rope_type: "llama3", ...LLAMA3 } },
    { rope_theta: 5e5, rope_scaling: { type: "llama3", ...LLAMA3 } },
    { rope_parameters: { rope_type: "llama3", rope_theta: 5e5, ...LLAMA3 } },
    { rope_theta: 5e5, rope_scaling: { type: "llama3", ...LLAMA3 }, rope_parameters: { rope_type: "default" } },
  ]) {
    assert.deepEqual(read(extra).rope, { theta: 5e5, scaling: SCALED }, JSON.stringify(extra));
  }
  assert.deepEqual(read({ rope_theta: 7, rope_scaling: null }).rope, { theta: 7, scaling: null });
  assert.deepEqual(read({ rope_parameters: { rope_theta: 7, rope_type: "default" } }).rope, {
    theta: 7,
    scaling: null,
  });
});

test("what is written reads back as the same configuration, in the old spelling, the new, and both", () => {
  for (const config of [
    read({ tie_word_embeddings: true, num_key_value_heads: 2, head_dim: 20, attention_bias: true }),
    read({ rope_theta: 5e5, rope_scaling: { rope_type: "llama3", ...LLAMA3 } }),
    read({ model_type: "qwen3", num_key_value_heads: 3, head_dim: 32, use_sliding_window: false }),
  ]) {
    const { rope_parameters, dtype, rope_theta, rope_scaling, torch_dtype, ...common } = configJsonFor(config, {
      dtype: "BF16",
      extra: { eos_token_id: 2 },
    });
    assert.equal(common["eos_token_id"], 2);
    assert.deepEqual([dtype, torch_dtype], ["bfloat16", "bfloat16"]);
    for (const spelled of [
      { rope_parameters },
      { rope_theta, rope_scaling },
      { rope_parameters, rope_theta, rope_scaling },
    ]) {
      assert.deepEqual(readModelConfig({ ...common, ...spelled }, "config.json"), config);
    }
  }
});

test("what cannot run is refused by name, with what can", () => {
  const cases: [object, "unsupported" | "damaged", RegExp][] = [
    [{ model_type: "mamba2" }, "unsupported", /the architecture "mamba2" is not known/],
    [{ model_type: undefined }, "damaged", /no "model_type"/],
    [{ hidden_act: "gelu" }, "unsupported", /hidden_act "gelu"/],
    [{ mlp_bias: true }, "unsupported", /mlp_bias/],
    [{ model_type: "qwen3", num_key_value_heads: 6, use_sliding_window: true }, "unsupported", /use_sliding_window/],
    [{ layer_types: ["full_attention", "sliding_attention"] }, "unsupported", /"sliding_attention"/],
    [{ rope_scaling: { type: "yarn", factor: 4 } }, "unsupported", /RoPE type "yarn"/],
    [{ rope_parameters: { rope_type: "linear", factor: 2 } }, "unsupported", /RoPE type "linear"/],
    [{ rope_scaling: { rope_type: "llama3", factor: 8 } }, "damaged", /needs "low_freq_factor"/],
    [
      { rope_scaling: { rope_type: "llama3", ...LLAMA3, high_freq_factor: 1 } },
      "damaged",
      /high_freq_factor must be above/,
    ],
    [{ partial_rotary_factor: 0.5 }, "unsupported", /partial_rotary_factor 0\.5/],
    [{ quantization_config: { bits: 4 } }, "unsupported", /quantised/],
    [{ hidden_size: "96" }, "damaged", /"hidden_size" is wrong/],
    [{ hidden_size: 2 ** 40 }, "damaged", /"hidden_size" is wrong/],
    [{ num_hidden_layers: 0 }, "damaged", /"num_hidden_layers" is wrong/],
    [{ vocab_size: undefined }, "damaged", /"vocab_size" is wrong/],
    [{ num_key_value_heads: 4 }, "damaged", /6 attention heads cannot share 4/],
    [{ head_dim: 15 }, "damaged", /head size of 15/],
    [{ hidden_size: 100 }, "damaged", /head size of 16\.66/],
  ];
  for (const [extra, code, message] of cases) assert.throws(() => read(extra), failsWith(code, message));
  assert.throws(() => readModelConfig([], "config.json"), failsWith("damaged", /not a JSON object/));
  assert.throws(
    () => read({ model_type: "mamba2" }),
    (error) => /known are llama, qwen3/.test((error as { hint: string }).hint),
  );
});
