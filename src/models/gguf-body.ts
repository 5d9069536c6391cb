/**
 * A GGUF file seen as a Hugging Face checkpoint: its metadata as a configuration, its tensors under the checkpoint's
 * names, the rows of llama's q and k put back into their order. Source: convert_hf_to_gguf.py of
 * github.com/ggml-org/llama.cpp.
 */

import { UserError } from "../errors.ts";
import type { GgufFile } from "../formats/gguf.ts";
import { configJsonFor, readModelConfig } from "./config.ts";
import type { ModelConfig, ModelType, RopeScaling } from "./config.ts";

/** By general.architecture. */
const MODEL_TYPES: ReadonlyMap<string, ModelType> = new Map([
  ["llama", "llama"],
  ["qwen3", "qwen3"],
]);

const TOP_NAMES: ReadonlyMap<string, string> = new Map([
  ["token_embd", "model.embed_tokens"],
  ["output_norm", "model.norm"],
  ["output", "lm_head"],
]);

const LAYER_NAMES: ReadonlyMap<string, string> = new Map([
  ["attn_norm", "input_layernorm"],
  ["attn_q", "self_attn.q_proj"],
  ["attn_k", "self_attn.k_proj"],
  ["attn_v", "self_attn.v_proj"],
  ["attn_output", "self_attn.o_proj"],
  ["attn_q_norm", "self_attn.q_norm"],
  ["attn_k_norm", "self_attn.k_norm"],
  ["ffn_norm", "post_attention_layernorm"],
  ["ffn_gate", "mlp.gate_proj"],
  ["ffn_up", "mlp.up_proj"],
  ["ffn_down", "mlp.down_proj"],
]);

/** Derived values that files may carry beside the weights. */
const NO_WEIGHTS = /^(rope_freqs\.weight|blk\.\d+\.attn_rot_embd\.weight)$/;

/** The checkpoint's name of a GGUF tensor; undefined where it has none, null for what is no weight. */
export function checkpointName(name: string): string | null | undefined {
  if (NO_WEIGHTS.test(name)) return null;
  const [, layer, stem, kind] = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(name) ?? [];
  if (stem === undefined) return undefined;
  const mapped = layer === undefined ? TOP_NAMES.get(stem) : LAYER_NAMES.get(stem);
  if (mapped === undefined) return undefined;
  return layer === undefined ? `${mapped}.${kind}` : `model.layers.${layer}.${mapped}.${kind}`;
}

/**
 * The configuration in a GGUF file's metadata, as config.json; `readModelConfig` has checked it.
 *
 * @throws UserError "unsupported" (an architecture we do not know is named, with those we do), "damaged"
 */
export async function configFromGguf(
  file: GgufFile,
): Promise<{ config: ModelConfig; configJson: Record<string, unknown> }> {
  const { path, metadata } = file;
  const architecture = metadata.get("general.architecture");
  const modelType = typeof architecture === "string" ? MODEL_TYPES.get(architecture) : undefined;
  if (modelType === undefined) {
    throw new UserError(
      "unsupported",
      `${path}: the architecture ${JSON.stringify(String(architecture))} is not known`,
      {
        hint: `known are ${[...MODEL_TYPES.keys()].join(", ")}`,
      },
    );
  }
  const read = (key: string): number | undefined => numberAt(file, `${String(architecture)}.${key}`);
  const need = (key: string): number => {
    const value = read(key);
    if (value !== undefined) return value;
    throw new UserError("damaged", `${path}: the metadata has no "${String(architecture)}.${key}"`, {
      hint: "convert the model again with a current llama.cpp",
    });
  };
  if ((read("expert_count") ?? 0) > 0) {
    throw new UserError("unsupported", `${path}: a mixture of ${read("expert_count")} experts is not supported`, {
      hint: "use a dense model",
    });
  }
  const hiddenSize = need("embedding_length");
  const heads = need("attention.head_count");
  const headSize = read("attention.key_length") ?? read("rope.dimension_count") ?? hiddenSize / heads;
  for (const key of ["attention.value_length", "rope.dimension_count"]) {
    const value = read(key) ?? headSize;
    if (value === headSize) continue;
    throw new UserError("unsupported", `${path}: ${key} ${value} differs from the head size ${headSize}`, {
      hint: "use a model whose heads are turned by RoPE as a whole",
    });
  }
  const theta = read("rope.freq_base") ?? 10_000;
  const draft: ModelConfig = {
    modelType,
    vocabularySize: file.tensors.get("token_embd.weight")?.shape[0] ?? need("vocab_size"),
    hiddenSize,
    intermediateSize: need("feed_forward_length"),
    layers: need("block_count"),
    heads,
    keyValueHeads: read("attention.head_count_kv") ?? heads,
    headSize,
    normEpsilon: need("attention.layer_norm_rms_epsilon"),
    maxPositions: need("context_length"),
    tied: !file.tensors.has("output.weight"),
    rope: { theta, scaling: await ropeScaling(file, String(architecture), theta, headSize) },
    attentionBias: file.tensors.has("blk.0.attn_q.bias"),
    mlpBias: false,
  };
  const extra: Record<string, unknown> = {};
  for (const [key, from] of [
    ["bos_token_id", "tokenizer.ggml.bos_token_id"],
    ["eos_token_id", "tokenizer.ggml.eos_token_id"],
    ["pad_token_id", "tokenizer.ggml.padding_token_id"],
  ] as const) {
    const id = numberAt(file, from);
    if (id !== undefined) extra[key] = id;
  }
  const configJson = configJsonFor(draft, { extra });
  return { config: readModelConfig(configJson, path), configJson };
}

/** A metadata number; of an array (a value per layer) the one value that all layers share. */
function numberAt(file: GgufFile, key: string): number | undefined {
  let value = file.metadata.get(key);
  if (Array.isArray(value)) {
    const values = value as readonly unknown[];
    if (values.some((other) => other !== values[0])) {
      throw new UserError("unsupported", `${file.path}: "${key}" differs from layer to layer`, {
        hint: "use a model whose layers are alike",
      });
    }
    value = values[0] as number | undefined;
  }
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isFinite(value)) return shortest(value);
  throw new UserError("damaged", `${file.path}: "${key}" is not a number`, { hint: "copy or download the file again" });
}

/** An f32 as the shortest decimal that rounds to it: 1e-5, not 0.000009999999747378752. */
function shortest(value: number): number {
  for (let digits = 1; digits < 10; digits += 1) {
    const decimal = Number(value.toPrecision(digits));
    if (Math.fround(decimal) === Math.fround(value)) return Number.isInteger(value) ? value : decimal;
  }
  return value;
}

/** Every model of the llama3 kind was published with these; a file keeps only the factors that follow from them. */
const LLAMA3 = { type: "llama3", lowFrequencyFactor: 1, highFrequencyFactor: 4, originalMaxPositions: 8192 } as const;
const FACTOR_TOLERANCE = 1e-4;

async function ropeScaling(
  file: GgufFile,
  architecture: string,
  theta: number,
  headSize: number,
): Promise<RopeScaling | null> {
  const { path } = file;
  const type = file.metadata.get(`${architecture}.rope.scaling.type`) ?? "none";
  const linear = numberAt(file, `${architecture}.rope.scale_linear`) ?? 1;
  if (type !== "none" || linear !== 1) {
    throw new UserError(
      "unsupported",
      `${path}: RoPE scaling "${linear === 1 ? String(type) : "linear"}" is not supported`,
      {
        hint: "known are none and llama3",
      },
    );
  }
  if (!file.tensors.has("rope_freqs.weight")) return null;
  const factors = await file.readF32("rope_freqs.weight");
  if (factors.every((factor) => factor === 1)) return null;
  const scaling: RopeScaling = { ...LLAMA3, factor: shortest(factors.reduce((a, b) => Math.max(a, b), 0)) };
  const expected = llama3Factors(scaling, theta, headSize);
  const fits = (factor: number, i: number): boolean => Math.abs(expected[i]! / factor - 1) < FACTOR_TOLERANCE;
  if (factors.length === expected.length && factors.every(fits)) return scaling;
  throw new UserError("unsupported", `${path}: rope_freqs.weight follows no RoPE scaling that is known`, {
    hint: `known is llama3 with the factors ${LLAMA3.lowFrequencyFactor} and ${LLAMA3.highFrequencyFactor} over ${LLAMA3.originalMaxPositions} positions`,
  });
}

/** What llama3 scaling divides each frequency by, [headSize / 2]; as transformers' `_compute_llama3_parameters`. */
export function llama3Factors(scaling: RopeScaling, theta: number, headSize: number): Float64Array {
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalMaxPositions: original } = scaling;
  return Float64Array.from({ length: headSize / 2 }, (_, i) => {
    const wavelength = 2 * Math.PI * theta ** ((2 * i) / headSize);
    if (wavelength < original / high) return 1;
    if (wavelength > original / low) return factor;
    const smooth = (original / wavelength - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

/**
 * Undoes the order in which llama files keep the rows of q and k (pairs of RoPE side by side): row 2j + s of a head
 * in the file is row s * D/2 + j of that head in the checkpoint.
 *
 * @param rows [heads * headSize, width], or a bias with width 1
 */
export function restoreRowOrder(rows: Float32Array, heads: number, headSize: number): Float32Array {
  const width = rows.length / (heads * headSize);
  const half = headSize / 2;
  const restored = new Float32Array(rows.length);
  for (let head = 0; head < heads; head += 1) {
    for (let j = 0; j < headSize; j += 1) {
      const from = (head * headSize + j) * width;
      const to = head * headSize + (j % 2) * half + (j >> 1);
      restored.set(rows.subarray(from, from + width), to * width);
    }
  }
  return restored;
}
