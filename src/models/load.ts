/** Loads a body from a Hugging Face folder (safetensors, also sharded) or a GGUF file, every weight checked. */

import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { UserError } from "../errors.ts";
import { asUserError, readJson, sha256OfFile } from "../formats/files.ts";
import { openGguf } from "../formats/gguf.ts";
import type { GgufFile } from "../formats/gguf.ts";
import { openSafetensors } from "../formats/safetensors.ts";
import type { TensorFile } from "../formats/safetensors.ts";
import type { Body, WeightTensor } from "./body.ts";
import { readModelConfig } from "./config.ts";
import type { ModelConfig } from "./config.ts";
import { checkpointName, configFromGguf, restoreRowOrder } from "./gguf-body.ts";
import { expectedWeights } from "./weights.ts";

const CONFIG = "config.json";
const WEIGHTS = "model.safetensors";
const INDEX = "model.safetensors.index.json";
const GENERATION = "generation_config.json";
const MAX_SHARDS = 1000;
const MAX_NAMED = 3;
const DIFFERENT_FORMAT = /\.(bin|pt|pth|ckpt|h5|msgpack|onnx)$/i;

/** What a model file or folder is and where its parts are; no weight is read for it. */
export interface BodyFiles {
  readonly kind: "folder" | "gguf";
  readonly path: string;
  readonly config: ModelConfig;
  readonly configJson: Record<string, unknown>;
  /** The files that hold weights, sorted. */
  readonly weightFiles: readonly string[];
}

/** The same, with what its weights are stored as. */
export interface InspectedBody extends BodyFiles {
  /** As the files name them: F32, BF16, Q4_K ... */
  readonly storedTypes: readonly string[];
}

/** One weight as it stands in a file. */
interface Stored {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly bytes: number;
  read(): Promise<Float32Array>;
}

interface Opened {
  readonly stored: Map<string, Stored>;
  close(): Promise<void>;
}

/**
 * Reads a model's configuration alone: its weights need not be there.
 *
 * @param path a folder with config.json, or a .gguf file
 * @throws UserError "not-found", "damaged" or "unsupported"
 */
export async function readConfigOf(path: string): Promise<Pick<BodyFiles, "kind" | "config">> {
  if (await isFolder(path)) return { kind: "folder", config: (await readFolderConfig(path)).config };
  refuseOtherFormats(path);
  const file = await openGguf(path);
  try {
    return { kind: "gguf", config: (await configFromGguf(file)).config };
  } finally {
    await file.close();
  }
}

/**
 * Reads a model's configuration and checks that its weights are there in full, without reading them.
 *
 * @param path a folder with config.json and model.safetensors (or its index), or a .gguf file
 * @throws UserError "not-found", "damaged", "unsupported" or "mismatch", naming file, tensor and value
 */
export async function inspectBody(path: string): Promise<InspectedBody> {
  return withFiles(path, async (files, { stored }) => {
    checkWeights(files, stored);
    return { ...files, storedTypes: [...new Set(stored.values().map(({ dtype }) => dtype))].toSorted() };
  });
}

/**
 * Loads a model into memory. Beside the weights in f32, one tensor is held at a time.
 *
 * @param path a folder with config.json and model.safetensors (or its index), or a .gguf file
 * @throws UserError "not-found", "damaged", "unsupported" or "mismatch", naming file, tensor and value
 */
export async function loadBody(path: string): Promise<Body> {
  return withFiles(path, async (files, { stored }) => {
    checkWeights(files, stored);
    const weights = new Map<string, WeightTensor>();
    for (const [name, shape] of expectedWeights(files.config)) {
      weights.set(name, { name, shape, data: await stored.get(name)!.read() });
    }
    const folder = files.kind === "folder" ? path : undefined;
    const hashed = folder === undefined ? files.weightFiles : [join(folder, CONFIG), ...files.weightFiles];
    return {
      config: files.config,
      configJson: files.configJson,
      weights,
      dtype: commonType(stored),
      source: { kind: files.kind, path, sha256: await hashFiles(hashed) },
      generationConfig: folder === undefined ? undefined : await readGenerationConfig(join(folder, GENERATION)),
    };
  });
}

/**
 * One hash for several files: SHA-256 over a line "SHA-256 of the bytes, two spaces, file name, newline" of each,
 * sorted by name, as `sha256sum` prints them.
 */
export async function hashFiles(paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths.toSorted((a, b) => (basename(a) < basename(b) ? -1 : 1))) {
    hash.update(`${await sha256OfFile(path)}  ${basename(path)}\n`);
  }
  return hash.digest("hex");
}

async function withFiles<T>(path: string, use: (files: BodyFiles, opened: Opened) => Promise<T>): Promise<T> {
  const folder = await isFolder(path);
  if (!folder) refuseOtherFormats(path);
  const { files, opened } = folder ? await openFolder(path) : await openGgufBody(path);
  try {
    return await use(files, opened);
  } finally {
    await opened.close();
  }
}

function refuseOtherFormats(path: string): void {
  if (!DIFFERENT_FORMAT.test(path)) return;
  throw new UserError("unsupported", `${path} is in a format that is not read`, {
    hint: "give a Hugging Face folder with safetensors, or a .gguf file",
  });
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    const known = asUserError(error, path);
    if (!(known instanceof UserError) || known.code !== "not-found") throw known;
    throw new UserError("not-found", `${path}: no such model`, {
      hint: "give a Hugging Face folder or a .gguf file",
      cause: error,
    });
  }
}

async function readFolderConfig(folder: string): Promise<{ config: ModelConfig; configJson: unknown }> {
  const path = join(folder, CONFIG);
  if (!(await exists(path))) {
    throw new UserError("not-found", `${folder} has no ${CONFIG}`, { hint: "give a Hugging Face model folder" });
  }
  const configJson = await readJson(path);
  return { config: readModelConfig(configJson, path), configJson };
}

async function openFolder(folder: string): Promise<{ files: BodyFiles; opened: Opened }> {
  const { config, configJson } = await readFolderConfig(folder);
  const weightFiles = await findWeightFiles(folder);
  const open: TensorFile[] = [];
  const close = async (): Promise<void> => {
    for (const file of open) await file.close();
  };
  try {
    const stored = new Map<string, Stored>();
    for (const path of weightFiles) {
      const file = await openSafetensors(path);
      open.push(file);
      for (const { name, shape, dtype, bytes } of file.tensors.values()) {
        if (stored.has(name)) {
          throw new UserError("damaged", `${folder}: the tensor "${name}" stands in two files`, {
            hint: "copy or download the folder again",
          });
        }
        stored.set(name, { shape, dtype, bytes, read: () => file.readF32(name) });
      }
    }
    const files = {
      kind: "folder",
      path: folder,
      config,
      configJson: configJson as Record<string, unknown>,
      weightFiles,
    } as const;
    return { files, opened: { stored, close } };
  } catch (error) {
    await close();
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** model.safetensors, or the shards that the index names; a shard must lie in the folder itself. */
async function findWeightFiles(folder: string): Promise<string[]> {
  const whole = join(folder, WEIGHTS);
  if (await exists(whole)) return [whole];
  const index = join(folder, INDEX);
  if (!(await exists(index))) {
    throw new UserError("not-found", `${folder} has neither ${WEIGHTS} nor ${INDEX}`, {
      hint: "save the model with safe_serialization=True",
    });
  }
  const json = await readJson(index);
  const map = typeof json === "object" && json !== null ? (json as Record<string, unknown>)["weight_map"] : undefined;
  const names = typeof map === "object" && map !== null ? [...new Set<unknown>(Object.values(map))] : [];
  const wrong = names.find(
    (name) => typeof name !== "string" || basename(name) !== name || !name.endsWith(".safetensors"),
  );
  if (names.length === 0 || names.length > MAX_SHARDS || wrong !== undefined) {
    const what = wrong === undefined ? `names ${names.length} files` : `names the file ${JSON.stringify(wrong)}`;
    throw new UserError("damaged", `${index} ${what}`, { hint: "copy or download the folder again" });
  }
  return (names as string[]).toSorted().map((name) => join(folder, name));
}

async function readGenerationConfig(path: string): Promise<Record<string, unknown> | undefined> {
  if (!(await exists(path))) return undefined;
  const json = await readJson(path);
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  throw new UserError("damaged", `${path} is not a JSON object`, { hint: "copy or download the folder again" });
}

async function openGgufBody(path: string): Promise<{ files: BodyFiles; opened: Opened }> {
  const file = await openGguf(path);
  try {
    const { config, configJson } = await configFromGguf(file);
    const stored = new Map<string, Stored>();
    for (const { name, shape, type, bytes } of file.tensors.values()) {
      const mapped = checkpointName(name);
      if (mapped === null) continue;
      stored.set(mapped ?? name, { shape, dtype: type, bytes, read: () => readGgufWeight(file, name, config) });
    }
    return {
      files: { kind: "gguf", path, config, configJson, weightFiles: [path] },
      opened: { stored, close: () => file.close() },
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readGgufWeight(file: GgufFile, name: string, config: ModelConfig): Promise<Float32Array> {
  const values = await file.readF32(name);
  // Only llama's converter permutes; qwen3's keeps the checkpoint's order.
  if (config.modelType !== "llama") return values;
  if (/\.attn_q\.(weight|bias)$/.test(name)) return restoreRowOrder(values, config.heads, config.headSize);
  if (/\.attn_k\.(weight|bias)$/.test(name)) return restoreRowOrder(values, config.keyValueHeads, config.headSize);
  return values;
}

/** Buffers that older checkpoints carry though they follow from the configuration. */
const DERIVED = /\.rotary_emb\.inv_freq$/;

function checkWeights({ path, config }: BodyFiles, stored: ReadonlyMap<string, Stored>): void {
  const expected = expectedWeights(config);
  const missing = [...expected.keys()].filter((name) => !stored.has(name));
  if (missing.length > 0) {
    const head = missing.length === 1 && missing[0] === "lm_head.weight";
    throw new UserError("mismatch", `${path} lacks ${named(missing)}`, {
      hint: head
        ? "if the head is the embedding, config.json must say tie_word_embeddings true"
        : "the weights do not belong to the configuration, or files are missing",
    });
  }
  // A tied model may still carry its head: the configuration decides, as in transformers.
  const surplus = [...stored.keys()].filter(
    (name) => !expected.has(name) && !DERIVED.test(name) && !(config.tied && name === "lm_head.weight"),
  );
  if (surplus.length > 0) {
    throw new UserError("mismatch", `${path} holds ${named(surplus)}, which this architecture does not have`, {
      hint: `check that the model is a plain ${config.modelType}`,
    });
  }
  for (const [name, shape] of expected) {
    const found = stored.get(name)!.shape;
    if (found.length === shape.length && found.every((length, axis) => length === shape[axis])) continue;
    throw new UserError(
      "mismatch",
      `${path}: "${name}" is [${found.join(", ")}], the configuration says [${shape.join(", ")}]`,
      {
        hint: "the weights do not belong to the configuration",
      },
    );
  }
}

function named(names: readonly string[]): string {
  const first = names.slice(0, MAX_NAMED).map((name) => `"${name}"`);
  const rest = names.length - first.length;
  return rest > 0 ? `${first.join(", ")} and ${rest} more` : first.join(", ");
}

/** The type most bytes are in; F32 as soon as anything is quantised, since no export returns to that. */
function commonType(stored: ReadonlyMap<string, Stored>): Body["dtype"] {
  const bytes = { F32: 0, F16: 0, BF16: 0, F64: 0 };
  for (const weight of stored.values()) {
    if (!Object.hasOwn(bytes, weight.dtype)) return "F32";
    bytes[weight.dtype as keyof typeof bytes] += weight.bytes;
  }
  if (bytes.F32 + bytes.F64 >= Math.max(bytes.F16, bytes.BF16)) return "F32";
  return bytes.F16 > bytes.BF16 ? "F16" : "BF16";
}
