import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cp, mkdtemp, mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { writeSafetensors } from "../formats/safetensors.ts";
import type { TensorToWrite } from "../formats/safetensors.ts";
import { configJsonFor, readModelConfig } from "./config.ts";
import type { ModelConfig } from "./config.ts";
import { checkpointName, llama3Factors, restoreRowOrder } from "./gguf-body.ts";
import { inspectBody, loadBody, readConfigOf } from "./load.ts";
import { countParameters, estimateLoadedBytes, expectedWeights } from "./weights.ts";
import { buildGguf, f32, f32Tensor, string, u32 } from "../../test/support/build-gguf.ts";
import type { GgufTestFile, GgufTestTensor, GgufTestValue } from "../../test/support/build-gguf.ts";
import { failsWith } from "../../test/support/user-error.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "load-"));
});
after(() => rm(folder, { recursive: true }));

const LLAMA: ModelConfig = {
  modelType: "llama",
  vocabularySize: 11,
  hiddenSize: 32,
  intermediateSize: 64,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  headSize: 8,
  normEpsilon: 1e-5,
  maxPositions: 64,
  tied: true,
  rope: { theta: 10_000, scaling: null },
  attentionBias: false,
  mlpBias: false,
};
const QWEN3: ModelConfig = { ...LLAMA, modelType: "qwen3", headSize: 12, tied: false, attentionBias: true };

/** Values that tell name and place of every weight apart. */
function weightsOf(config: ModelConfig, dtype: TensorToWrite["dtype"] = "F32"): TensorToWrite[] {
  return [...expectedWeights(config)].map(([name, shape], index) => ({
    name,
    dtype,
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => index * 4096 + i),
  }));
}

async function writeFolder(name: string, config: ModelConfig, weights: TensorToWrite[]): Promise<string> {
  const path = join(folder, name);
  await rm(path, { recursive: true, force: true });
  await mkdir(path);
  await writeFile(join(path, "config.json"), JSON.stringify(configJsonFor(config)));
  await writeSafetensors(join(path, "model.safetensors"), weights);
  return path;
}

test("expected weights: names, shapes and sizes of both architectures", () => {
  const llama = expectedWeights(LLAMA);
  assert.deepEqual(llama.get("model.layers.1.self_attn.k_proj.weight"), [16, 32]);
  assert.equal(llama.has("lm_head.weight"), false);
  assert.equal(llama.size, 2 + 2 * 9);
  assert.equal(countParameters(LLAMA), 11 * 32 + 32 + 2 * (2 * 32 * 32 + 2 * 16 * 32 + 3 * 64 * 32 + 2 * 32));
  const qwen3 = expectedWeights(QWEN3);
  assert.deepEqual(qwen3.get("model.layers.0.self_attn.o_proj.weight"), [32, 48]);
  assert.deepEqual(qwen3.get("model.layers.0.self_attn.o_proj.bias"), [32]);
  assert.deepEqual(qwen3.get("model.layers.0.self_attn.q_norm.weight"), [12]);
  assert.deepEqual(qwen3.get("lm_head.weight"), [11, 32]);
  assert.equal(estimateLoadedBytes(LLAMA), 4 * (countParameters(LLAMA) + 64 * 32));
});

test("a folder gives every weight, its type, its generation settings and a hash that sha256sum can retrace", async () => {
  for (const config of [LLAMA, QWEN3]) {
    const weights = weightsOf(config);
    const path = await writeFolder("whole", config, weights);
    await writeFile(join(path, "generation_config.json"), '{"eos_token_id": 2}');
    const body = await loadBody(path);
    assert.deepEqual(body.config, config);
    assert.deepEqual([...body.weights.keys()], [...expectedWeights(config).keys()]);
    for (const { name, shape, data } of weights) assert.deepEqual(body.weights.get(name), { name, shape, data });
    assert.equal(body.dtype, "F32");
    assert.deepEqual(body.generationConfig, { eos_token_id: 2 });
    assert.deepEqual(body.configJson, configJsonFor(config));
    const sum = async (name: string): Promise<string> =>
      `${createHash("sha256")
        .update(await readFile(join(path, name)))
        .digest("hex")}  ${name}\n`;
    const lines = (await sum("config.json")) + (await sum("model.safetensors"));
    assert.deepEqual(body.source, { kind: "folder", path, sha256: createHash("sha256").update(lines).digest("hex") });
  }
  assert.equal((await loadBody(await writeFolder("bf16", LLAMA, weightsOf(LLAMA, "BF16")))).dtype, "BF16");
  assert.equal((await loadBody(await writeFolder("f16", LLAMA, weightsOf(LLAMA, "F16")))).dtype, "F16");
});

test("shards are read through their index", async () => {
  const weights = weightsOf(QWEN3);
  const path = await writeFolder("sharded", QWEN3, []);
  await rm(join(path, "model.safetensors"));
  const names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
  await writeSafetensors(join(path, names[0]!), weights.slice(0, 7));
  await writeSafetensors(join(path, names[1]!), weights.slice(7));
  const map = Object.fromEntries(weights.map(({ name }, i) => [name, names[i < 7 ? 0 : 1]]));
  const index = join(path, "model.safetensors.index.json");
  await writeFile(index, JSON.stringify({ metadata: {}, weight_map: map }));
  const body = await loadBody(path);
  for (const { name, data } of weights) assert.deepEqual(body.weights.get(name)?.data, data);
  assert.deepEqual(
    (await inspectBody(path)).weightFiles,
    names.map((name) => join(path, name)),
  );

  await writeFile(index, JSON.stringify({ weight_map: { ...map, x: "../other.safetensors" } }));
  await assert.rejects(loadBody(path), failsWith("damaged", /names the file "\.\.\/other/));
  await writeFile(index, JSON.stringify({ weight_map: { ...map, x: "gone.safetensors" } }));
  await assert.rejects(loadBody(path), failsWith("not-found", /gone\.safetensors/));
  await writeFile(index, "[]");
  await assert.rejects(loadBody(path), failsWith("damaged", /names 0 files/));
  await writeFile(index, JSON.stringify({ weight_map: map }));
  await cp(join(path, names[0]!), join(path, names[1]!));
  await assert.rejects(loadBody(path), failsWith("damaged", /stands in two files/));
});

test("a tied model may carry its head and old buffers; they are not loaded", async () => {
  const head: TensorToWrite = { name: "lm_head.weight", dtype: "F32", shape: [11, 32], data: new Float32Array(352) };
  const buffer: TensorToWrite = {
    name: "model.layers.0.self_attn.rotary_emb.inv_freq",
    dtype: "F32",
    shape: [4],
    data: new Float32Array(4),
  };
  const body = await loadBody(await writeFolder("tied", LLAMA, [...weightsOf(LLAMA), head, buffer]));
  assert.deepEqual([...body.weights.keys()], [...expectedWeights(LLAMA).keys()]);
});

test("what is missing, too much or of another shape is named", async () => {
  const weights = weightsOf(LLAMA);
  const extra: TensorToWrite = { name: "visual.proj", dtype: "F32", shape: [1], data: new Float32Array(1) };
  const cases: [string, ModelConfig, TensorToWrite[], RegExp][] = [
    ["a", LLAMA, weights.slice(0, -1), /lacks "model\.norm\.weight"$/],
    ["b", LLAMA, weights.slice(0, 3), /lacks .* and 14 more$/],
    ["c", LLAMA, [...weights, extra], /holds "visual\.proj", which/],
    ["d", { ...LLAMA, tied: false }, weights, /lacks "lm_head\.weight"/],
    ["e", { ...LLAMA, vocabularySize: 12 }, weights, /"model\.embed_tokens\.weight" is \[11, 32\], .* says \[12, 32\]/],
  ];
  for (const [name, config, tensors, message] of cases) {
    const path = await writeFolder(name, config, tensors);
    await assert.rejects(loadBody(path), failsWith("mismatch", message));
    await assert.rejects(inspectBody(path), failsWith("mismatch", message));
  }
});

test("a missing or cut file is the user's to mend, before any weight is read", async () => {
  await assert.rejects(loadBody(join(folder, "nowhere")), failsWith("not-found", /nowhere: no such model/));
  const path = await writeFolder("cut", LLAMA, weightsOf(LLAMA));
  await truncate(join(path, "model.safetensors"), 10_000);
  await assert.rejects(inspectBody(path), failsWith("damaged", /model\.safetensors: truncated/));
  await rm(join(path, "model.safetensors"));
  await assert.rejects(loadBody(path), failsWith("not-found", /neither model\.safetensors nor/));
  await rm(join(path, "config.json"));
  await assert.rejects(loadBody(path), failsWith("not-found", /no config\.json/));
  await writeFile(join(folder, "model.bin"), "x");
  await assert.rejects(loadBody(join(folder, "model.bin")), failsWith("unsupported", /model\.bin/));
  await writeFile(join(folder, "model.txt"), "some text that is no model at all");
  await assert.rejects(loadBody(join(folder, "model.txt")), failsWith("damaged", /not a GGUF file/));
});

// ---- GGUF ----

/** LlamaModel.permute of convert_hf_to_gguf.py, the other way from what we read. */
function permute(values: Float32Array, heads: number, headSize: number): Float32Array {
  const width = values.length / (heads * headSize);
  const out = new Float32Array(values.length);
  for (let head = 0; head < heads; head += 1) {
    for (let half = 0; half < 2; half += 1) {
      for (let j = 0; j < headSize / 2; j += 1) {
        const from = head * headSize + half * (headSize / 2) + j;
        out.set(values.subarray(from * width, (from + 1) * width), (head * headSize + 2 * j + half) * width);
      }
    }
  }
  return out;
}

const GGUF_NAMES: [RegExp, string][] = [
  [/^model\.embed_tokens/, "token_embd"],
  [/^model\.norm/, "output_norm"],
  [/^lm_head/, "output"],
  [/^model\.layers/, "blk"],
  [/post_attention_layernorm/, "ffn_norm"],
  [/input_layernorm/, "attn_norm"],
  [/self_attn\.o_proj/, "attn_output"],
  [/self_attn\.(.)_proj/, "attn_$1"],
  [/self_attn\.(.)_norm/, "attn_$1_norm"],
  [/mlp\.(\w+)_proj/, "ffn_$1"],
];

function ggufOf(config: ModelConfig, extra: Record<string, GgufTestValue> = {}): GgufTestFile {
  const name = config.modelType;
  const tensors = weightsOf(config).map((weight): GgufTestTensor => {
    const renamed = GGUF_NAMES.reduce((text, [from, to]) => text.replace(from, to), weight.name);
    const data = weight.data as Float32Array;
    const turned = /attn_([qk])\./.exec(renamed);
    if (name !== "llama" || turned === null) return f32Tensor(renamed, weight.shape, data);
    const heads = turned[1] === "q" ? config.heads : config.keyValueHeads;
    return f32Tensor(renamed, weight.shape, permute(data, heads, config.headSize));
  });
  const metadata = {
    "general.architecture": string(name),
    [`${name}.block_count`]: u32(config.layers),
    [`${name}.context_length`]: u32(config.maxPositions),
    [`${name}.embedding_length`]: u32(config.hiddenSize),
    [`${name}.feed_forward_length`]: u32(config.intermediateSize),
    [`${name}.attention.head_count`]: u32(config.heads),
    [`${name}.attention.head_count_kv`]: u32(config.keyValueHeads),
    [`${name}.attention.key_length`]: u32(config.headSize),
    [`${name}.attention.value_length`]: u32(config.headSize),
    [`${name}.attention.layer_norm_rms_epsilon`]: f32(config.normEpsilon),
    [`${name}.rope.freq_base`]: f32(config.rope.theta),
    "tokenizer.ggml.eos_token_id": u32(2),
    ...extra,
  };
  return { metadata, tensors };
}

async function putGguf(file: GgufTestFile): Promise<string> {
  const path = join(folder, "model.gguf");
  await writeFile(path, buildGguf(file));
  return path;
}

test("llama and qwen3 GGUF give the configuration and the weights of the checkpoint they were made from", async () => {
  for (const config of [LLAMA, { ...LLAMA, tied: false, attentionBias: true }, { ...QWEN3, attentionBias: false }]) {
    const path = await putGguf(ggufOf(config));
    const body = await loadBody(path);
    assert.deepEqual(body.config, config);
    for (const { name, data } of weightsOf(config)) assert.deepEqual(body.weights.get(name)?.data, data, name);
    assert.equal(body.source.kind, "gguf");
    assert.deepEqual(await readConfigOf(path), { kind: "gguf", config });
    assert.equal(body.configJson["eos_token_id"], 2);
    assert.deepEqual(readModelConfig(body.configJson, path), config);
  }
});

test("rows of q and k come back into the checkpoint's order, as the converter's numpy code permuted them", () => {
  const fixtures = readFileSync(new URL("../../test/fixtures/formats.json", import.meta.url), "utf8");
  const { permutation } = JSON.parse(fixtures) as {
    permutation: { heads: number; headSize: number; checkpoint: string; file: string };
  };
  const floats = (text: string) => new Float32Array(Uint8Array.from(Buffer.from(text, "base64")).buffer);
  const restored = restoreRowOrder(floats(permutation.file), permutation.heads, permutation.headSize);
  assert.deepEqual(restored, floats(permutation.checkpoint));
});

test("quantised GGUF count as F32, half precision ones as what they are", async () => {
  const file = ggufOf(LLAMA);
  const half = file.tensors.map((tensor) => ({
    ...tensor,
    type: 1,
    data: tensor.data.subarray(0, tensor.data.length / 2),
  }));
  assert.equal((await loadBody(await putGguf({ ...file, tensors: half }))).dtype, "F16");
  const q8 = half.map((tensor, i) =>
    i === 0 ? { ...tensor, type: 8, data: new Uint8Array((352 / 32) * 34) } : tensor,
  );
  assert.equal((await loadBody(await putGguf({ ...file, tensors: q8 }))).dtype, "F32");
});

test("llama3 scaling is recognised by its factors", async () => {
  const scaling = {
    type: "llama3",
    factor: 32,
    lowFrequencyFactor: 1,
    highFrequencyFactor: 4,
    originalMaxPositions: 8192,
  } as const;
  const config = { ...LLAMA, rope: { theta: 500_000, scaling } };
  const factors = Float32Array.from(llama3Factors(scaling, 500_000, LLAMA.headSize));
  assert.ok(factors[0] === 1 && factors[3] === 32);
  const file = ggufOf(config);
  const withFactors = (values: Float32Array) => ({
    ...file,
    tensors: [...file.tensors, f32Tensor("rope_freqs.weight", [values.length], values)],
  });
  assert.deepEqual((await loadBody(await putGguf(withFactors(factors)))).config, config);
  assert.equal((await loadBody(await putGguf(withFactors(factors.map(() => 1))))).config.rope.scaling, null);
  factors[1] = factors[1]! * 1.01;
  await assert.rejects(loadBody(await putGguf(withFactors(factors))), failsWith("unsupported", /rope_freqs/));
});

test("what a GGUF cannot be is named", async () => {
  const cases: [Record<string, GgufTestValue>, "unsupported" | "damaged" | "mismatch", RegExp][] = [
    [{ "general.architecture": string("gemma3") }, "unsupported", /the architecture "gemma3" is not known/],
    [{ "llama.rope.scaling.type": string("yarn") }, "unsupported", /RoPE scaling "yarn"/],
    [{ "llama.expert_count": u32(8) }, "unsupported", /8 experts/],
    [{ "llama.rope.dimension_count": u32(4) }, "unsupported", /rope\.dimension_count 4/],
    [
      { "llama.attention.head_count_kv": { type: 9, elementType: 4, value: [u32(2), u32(4)] } },
      "unsupported",
      /differs from layer/,
    ],
    [{ "llama.embedding_length": string("32") }, "damaged", /"llama\.embedding_length" is not a number/],
    [{ "llama.block_count": u32(3) }, "mismatch", /lacks "model\.layers\.2/],
    [{ "llama.feed_forward_length": u32(65) }, "mismatch", /gate_proj.* is \[64, 32\]/],
  ];
  for (const [extra, code, message] of cases) {
    await assert.rejects(loadBody(await putGguf(ggufOf(LLAMA, extra))), failsWith(code, message));
  }
  const { metadata, tensors } = ggufOf(LLAMA);
  const { "llama.context_length": _, ...without } = metadata;
  await assert.rejects(
    loadBody(await putGguf({ metadata: without, tensors })),
    failsWith("damaged", /no "llama\.context_length"/),
  );
  const odd = [...tensors, f32Tensor("blk.0.attn_sinks.weight", [1], new Float32Array(1))];
  await assert.rejects(
    loadBody(await putGguf({ metadata, tensors: odd })),
    failsWith("mismatch", /holds "blk\.0\.attn_sinks/),
  );
  assert.equal(checkpointName("blk.12.ffn_up.weight"), "model.layers.12.mlp.up_proj.weight");
});
