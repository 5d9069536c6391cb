/**
 * config.json of a Hugging Face model folder, normalised. Reads both spellings (`rope_theta`, `rope_scaling`,
 * `torch_dtype`, and `rope_parameters`, `dtype` of transformers 5) and writes one file that both generations read.
 * Absent keys get the defaults of transformers' configuration class for that model type.
 */

import * as z from "zod";
import { UserError } from "../errors.ts";

export type ModelType = "llama" | "qwen3";

export interface RopeScaling {
  readonly type: "llama3";
  readonly factor: number;
  readonly lowFrequencyFactor: number;
  readonly highFrequencyFactor: number;
  readonly originalMaxPositions: number;
}

export interface ModelConfig {
  readonly modelType: ModelType;
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  /** Query heads. */
  readonly heads: number;
  readonly keyValueHeads: number;
  /** Width of one head; apart from hiddenSize / heads. */
  readonly headSize: number;
  readonly normEpsilon: number;
  readonly maxPositions: number;
  /** Whether the head is the embedding. */
  readonly tied: boolean;
  readonly rope: { readonly theta: number; readonly scaling: RopeScaling | null };
  /** Whether the four attention projections carry biases. */
  readonly attentionBias: boolean;
  /** Always false: biases in the MLP are refused. */
  readonly mlpBias: boolean;
}

/** Sizes beyond these are taken for damage: they keep every product of two of them exact. */
const MAX_SIZE = 1 << 24;
const MAX_LAYERS = 10_000;

const size = z.int().min(1).max(MAX_SIZE);
const ropeSchema = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: size.optional(),
  partial_rotary_factor: z.number().optional(),
});
const schema = z.looseObject({
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: z.int().min(1).max(MAX_LAYERS),
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  hidden_act: z.string().optional(),
  max_position_embeddings: size.optional(),
  rms_norm_eps: z.number().positive().optional(),
  tie_word_embeddings: z.boolean().nullish(),
  attention_bias: z.boolean().optional(),
  mlp_bias: z.boolean().optional(),
  use_sliding_window: z.boolean().nullish(),
  layer_types: z.array(z.string()).nullish(),
  partial_rotary_factor: z.number().nullish(),
  rope_theta: z.number().positive().optional(),
  rope_scaling: ropeSchema.nullish(),
  rope_parameters: ropeSchema.nullish(),
  quantization_config: z.unknown().optional(),
});
type Raw = z.infer<typeof schema>;

/** What transformers fills in where a key is absent, by model type. */
const DEFAULTS = {
  llama: { maxPositions: 2048, keyValueHeads: (raw: Raw) => raw.num_attention_heads, headSize: undefined },
  qwen3: { maxPositions: 32768, keyValueHeads: () => 32, headSize: 128 },
} as const satisfies Record<ModelType, unknown>;

/** The architectures that can be run, as `model_type` in config.json. */
export const MODEL_TYPES = Object.keys(DEFAULTS) as ModelType[];

/**
 * Normalises a config.json.
 *
 * @param json the parsed file
 * @param where its path, for messages
 * @throws UserError "unsupported" for what we know but cannot run (named, with what we can), "damaged" for values that
 *   make no sense
 */
export function readModelConfig(json: unknown, where: string): ModelConfig {
  const modelType = readModelType(json, where);
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new UserError("damaged", `${where}: "${issue.path.join(".")}" is wrong: ${issue.message}`, {
      hint: "compare it with the config.json that the model was published with",
    });
  }
  const raw = parsed.data;
  const unsupported = (what: string, hint: string): UserError =>
    new UserError("unsupported", `${where}: ${what}`, { hint });
  if (raw.quantization_config !== undefined && raw.quantization_config !== null) {
    throw unsupported(
      "the weights are quantised (quantization_config)",
      "use the unquantised checkpoint or a GGUF file",
    );
  }
  if (raw.hidden_act !== undefined && raw.hidden_act !== "silu") {
    throw unsupported(`hidden_act "${raw.hidden_act}" is not supported`, 'known is "silu"');
  }
  if (raw.mlp_bias === true)
    throw unsupported("mlp_bias true is not supported", "use a model without biases in the MLP");
  if (modelType === "qwen3" && raw.use_sliding_window === true) {
    throw unsupported("use_sliding_window true is not supported", "use a model with full attention");
  }
  const otherLayer = raw.layer_types?.find((type) => type !== "full_attention");
  if (otherLayer !== undefined) {
    throw unsupported(`layer_types "${otherLayer}" is not supported`, 'known is "full_attention"');
  }
  const defaults = DEFAULTS[modelType];
  const heads = raw.num_attention_heads;
  const keyValueHeads = raw.num_key_value_heads ?? defaults.keyValueHeads(raw);
  if (heads % keyValueHeads !== 0) {
    throw new UserError("damaged", `${where}: ${heads} attention heads cannot share ${keyValueHeads} key-value heads`, {
      hint: "num_attention_heads must be a multiple of num_key_value_heads",
    });
  }
  const headSize = raw.head_dim ?? defaults.headSize ?? raw.hidden_size / heads;
  if (!Number.isInteger(headSize) || headSize % 2 !== 0) {
    throw new UserError("damaged", `${where}: a head size of ${headSize} is impossible, it must be even`, {
      hint: `head_dim, or hidden_size (${raw.hidden_size}) / num_attention_heads (${heads})`,
    });
  }
  return {
    modelType,
    vocabularySize: raw.vocab_size,
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    layers: raw.num_hidden_layers,
    heads,
    keyValueHeads,
    headSize,
    normEpsilon: raw.rms_norm_eps ?? 1e-6,
    maxPositions: raw.max_position_embeddings ?? defaults.maxPositions,
    tied: raw.tie_word_embeddings ?? false,
    rope: readRope(raw, where),
    attentionBias: raw.attention_bias ?? false,
    mlpBias: false,
  };
}

function readModelType(json: unknown, where: string): ModelType {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new UserError("damaged", `${where} is not a JSON object`, { hint: "it must be a model's config.json" });
  }
  const type = (json as Record<string, unknown>)["model_type"];
  if (typeof type !== "string") {
    throw new UserError("damaged", `${where} has no "model_type"`, { hint: "it must be a model's config.json" });
  }
  const known = MODEL_TYPES.find((candidate) => candidate === type);
  if (known !== undefined) return known;
  throw new UserError("unsupported", `${where}: the architecture "${type}" is not known`, {
    hint: `known are ${MODEL_TYPES.join(", ")}`,
  });
}

function readRope(raw: Raw, where: string): ModelConfig["rope"] {
  // The older spelling wins where both stand in one file, as in transformers 5.
  const given = raw.rope_scaling ?? raw.rope_parameters ?? {};
  const theta = given.rope_theta ?? raw.rope_theta ?? raw.rope_parameters?.rope_theta ?? 10_000;
  const type = given.rope_type ?? given.type ?? "default";
  const partial = given.partial_rotary_factor ?? raw.partial_rotary_factor ?? 1;
  if (partial !== 1) {
    throw new UserError("unsupported", `${where}: partial_rotary_factor ${partial} is not supported`, {
      hint: "known is 1",
    });
  }
  if (type === "default") return { theta, scaling: null };
  if (type !== "llama3") {
    throw new UserError("unsupported", `${where}: the RoPE type "${type}" is not supported`, {
      hint: "known are default, llama3",
    });
  }
  const need = (
    key: "factor" | "low_freq_factor" | "high_freq_factor" | "original_max_position_embeddings",
  ): number => {
    const value = given[key];
    if (value !== undefined) return value;
    throw new UserError("damaged", `${where}: RoPE type "llama3" needs "${key}"`, {
      hint: "compare it with the config.json that the model was published with",
    });
  };
  const scaling: RopeScaling = {
    type,
    factor: need("factor"),
    lowFrequencyFactor: need("low_freq_factor"),
    highFrequencyFactor: need("high_freq_factor"),
    originalMaxPositions: need("original_max_position_embeddings"),
  };
  if (scaling.highFrequencyFactor <= scaling.lowFrequencyFactor) {
    throw new UserError("damaged", `${where}: high_freq_factor must be above low_freq_factor`, {
      hint: `they are ${scaling.highFrequencyFactor} and ${scaling.lowFrequencyFactor}`,
    });
  }
  return { theta, scaling };
}

const TORCH_NAMES = { F32: "float32", F16: "float16", BF16: "bfloat16" } as const;
const ARCHITECTURES = { llama: "LlamaForCausalLM", qwen3: "Qwen3ForCausalLM" } as const satisfies Record<
  ModelType,
  string
>;

/** The keys whose spelling differs between transformers 4 and 5, in both. */
export function bothSpellings(
  config: ModelConfig,
  dtype: "F32" | "F16" | "BF16",
): Record<"rope_theta" | "rope_scaling" | "rope_parameters" | "torch_dtype" | "dtype", unknown> {
  const { theta, scaling } = config.rope;
  const scaled = scaling && {
    rope_type: scaling.type,
    factor: scaling.factor,
    low_freq_factor: scaling.lowFrequencyFactor,
    high_freq_factor: scaling.highFrequencyFactor,
    original_max_position_embeddings: scaling.originalMaxPositions,
  };
  return {
    rope_theta: theta,
    rope_scaling: scaled,
    rope_parameters: { rope_type: "default", ...scaled, rope_theta: theta },
    torch_dtype: TORCH_NAMES[dtype],
    dtype: TORCH_NAMES[dtype],
  };
}

/**
 * The config.json that transformers 4 and 5 read as `config`; reading it back gives `config` again.
 *
 * @param options.dtype type of the weights beside it; F32 where left out
 * @param options.extra further keys, such as `bos_token_id` and `eos_token_id`
 */
export function configJsonFor(
  config: ModelConfig,
  options: { readonly dtype?: "F32" | "F16" | "BF16"; readonly extra?: Readonly<Record<string, unknown>> } = {},
): Record<string, unknown> {
  return {
    architectures: [ARCHITECTURES[config.modelType]],
    model_type: config.modelType,
    vocab_size: config.vocabularySize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.keyValueHeads,
    head_dim: config.headSize,
    hidden_act: "silu",
    rms_norm_eps: config.normEpsilon,
    max_position_embeddings: config.maxPositions,
    tie_word_embeddings: config.tied,
    attention_bias: config.attentionBias,
    attention_dropout: 0,
    initializer_range: 0.02,
    use_cache: true,
    ...(config.modelType === "llama"
      ? { mlp_bias: config.mlpBias }
      : { use_sliding_window: false, sliding_window: null }),
    ...options.extra,
    ...bothSpellings(config, options.dtype ?? "F32"),
  };
}
