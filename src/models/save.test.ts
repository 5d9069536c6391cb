import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openSafetensors } from "../formats/safetensors.ts";
import { configJsonFor, readModelConfig } from "./config.ts";
import { loadBody } from "./load.ts";
import { mergeLora, writeModelFolder, writePeftAdapter } from "./save.ts";
import { expectedWeights } from "./weights.ts";
import { failsWith } from "../../test/support/user-error.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "save-"));
});
after(() => rm(folder, { recursive: true }));

const CONFIG = readModelConfig(
  {
    model_type: "llama",
    vocab_size: 8,
    hidden_size: 4,
    intermediate_size: 6,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    tie_word_embeddings: true,
  },
  "test",
);
const WEIGHTS = [...expectedWeights(CONFIG)].map(([name, shape]) => ({
  name,
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i / 3),
}));
const readJson = async (...path: string[]) =>
  JSON.parse(await readFile(join(folder, ...path), "utf8")) as Record<string, unknown>;

test("a model folder reads back, rounded once, with its tokenizer and generation settings", async () => {
  const { rope_parameters, dtype, ...old } = configJsonFor(CONFIG);
  assert.ok(rope_parameters !== undefined && dtype !== undefined);
  await writeModelFolder(join(folder, "model"), {
    configJson: { ...old, _name_or_path: "somewhere", quantization_config: null, custom: [1] },
    weights: WEIGHTS.map((weight) => ({ ...weight, data: () => weight.data })),
    dtype: "BF16",
    tokenizerFiles: new Map([["tokenizer.json", new TextEncoder().encode("{}")]]),
    generationConfig: { eos_token_id: 1 },
  });
  const names = ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json"];
  assert.deepEqual((await readdir(join(folder, "model"))).toSorted(), names);
  const config = await readJson("model", "config.json");
  assert.deepEqual([config["torch_dtype"], config["dtype"], config["custom"]], ["bfloat16", "bfloat16", [1]]);
  assert.deepEqual(config["rope_parameters"], { rope_type: "default", rope_theta: 10_000 });
  assert.equal("_name_or_path" in config || "quantization_config" in config, false);
  const body = await loadBody(join(folder, "model"));
  assert.deepEqual([body.config, body.dtype, body.generationConfig], [CONFIG, "BF16", { eos_token_id: 1 }]);
  assert.equal(body.weights.get("model.norm.weight")?.data[1], 0.333984375);

  const again = { configJson: old, weights: WEIGHTS, dtype: "F32", tokenizerFiles: new Map() } as const;
  await assert.rejects(writeModelFolder(join(folder, "model"), again), failsWith("exists", /model exists already/));
});

test("a failure while writing leaves nothing", async () => {
  const weights = [
    {
      name: "model.norm.weight",
      shape: [4],
      data: (): Float32Array => {
        throw new Error("stop");
      },
    },
  ];
  const model = { configJson: configJsonFor(CONFIG), weights, dtype: "F32", tokenizerFiles: new Map() } as const;
  await assert.rejects(writeModelFolder(join(folder, "broken"), model), /stop/);
  assert.equal(
    (await readdir(folder)).some((name) => name.startsWith("broken")),
    false,
  );
});

test("an adapter has PEFT's names and settings", async () => {
  const name = "model.layers.0.self_attn.q_proj";
  const adapter = {
    baseModel: "../parent",
    tensors: [
      { name: `${name}.lora_A.weight`, shape: [2, 4], data: new Float32Array(8).fill(1) },
      { name: `${name}.lora_B.weight`, shape: [4, 2], data: new Float32Array(8).fill(2) },
    ],
    rank: 2,
    alpha: 4,
    targetModules: ["q_proj"],
    rslora: true,
  };
  await writePeftAdapter(join(folder, "adapter"), adapter);
  const file = await openSafetensors(join(folder, "adapter", "adapter_model.safetensors"));
  assert.deepEqual(
    [...file.tensors.keys()],
    [`base_model.model.${name}.lora_A.weight`, `base_model.model.${name}.lora_B.weight`],
  );
  assert.deepEqual(file.tensors.get(`base_model.model.${name}.lora_B.weight`)?.shape, [4, 2]);
  await file.close();
  const config = await readJson("adapter", "adapter_config.json");
  const { peft_type, r, lora_alpha, use_rslora, target_modules, base_model_name_or_path } = config;
  assert.deepEqual(
    { peft_type, r, lora_alpha, use_rslora, target_modules, base_model_name_or_path },
    {
      peft_type: "LORA",
      r: 2,
      lora_alpha: 4,
      use_rslora: true,
      target_modules: ["q_proj"],
      base_model_name_or_path: "../parent",
    },
  );
  await assert.rejects(writePeftAdapter(join(folder, "other"), { ...adapter, rank: 3 }), /not of rank 3/);
  await assert.rejects(writePeftAdapter(join(folder, "other"), { ...adapter, targetModules: ["v_proj"] }), /no target/);
});

test("merging adds scale times B A", () => {
  const weight = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const a = { shape: [2, 3], data: Float32Array.of(1, 0, 1, 0, 2, 0) };
  const b = { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) };
  // B A = [[1, 4, 1], [3, 8, 3]]
  assert.deepEqual(mergeLora(weight, a, b, 0.5), Float32Array.of(1.5, 4, 3.5, 5.5, 9, 7.5));
  assert.deepEqual(weight.data, Float32Array.of(1, 2, 3, 4, 5, 6));
  assert.throws(() => mergeLora(weight, b, a, 1), /does not fit/);
});
