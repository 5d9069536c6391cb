/**
 * safetensors files, read by position and written as a stream. The header is checked whole before any tensor is read;
 * whoever made the file may have meant harm. Source: the format's description and reference reader,
 * github.com/huggingface/safetensors.
 */

import type { FileHandle } from "node:fs/promises";
import { invariant, UserError } from "../errors.ts";
import { atomicStream, openForReading, readExactly } from "./files.ts";
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from "./float.ts";

/** Longest header accepted, as in the reference reader. */
const MAX_HEADER_BYTES = 100_000_000;
const MAX_TENSORS = 200_000;
const MAX_DIMENSIONS = 32;
/** Values converted at a time: the working memory beside the result. */
const CHUNK_VALUES = 1 << 20;

const BYTES_PER_VALUE = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
} as const;

export type TensorType = keyof typeof BYTES_PER_VALUE;

export interface TensorInfo {
  readonly name: string;
  readonly dtype: TensorType;
  readonly shape: readonly number[];
  /** Bytes in the file. */
  readonly bytes: number;
}

/** An open file. Tensors stand in the order of their data. */
export interface TensorFile {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: ReadonlyMap<string, string>;
  /** The values of an F32, F16, BF16 or F64 tensor as f32; `UserError` ("unsupported") for other types. */
  readF32(name: string): Promise<Float32Array>;
  /** The tensor's bytes as they stand in the file (little-endian). */
  readBytes(name: string): Promise<Uint8Array>;
  close(): Promise<void>;
}

interface Placed extends TensorInfo {
  /** Position in the file. */
  readonly start: number;
}

interface Header {
  readonly tensors: Map<string, Placed>;
  readonly metadata: Map<string, string>;
}

/**
 * Opens a safetensors file and checks its header: lengths, types, shapes, and that the tensors' data fill the rest of
 * the file without gap or overlap.
 *
 * @throws UserError "not-found", "damaged" (also a truncated file) or "unsupported", naming file, tensor and value
 */
export async function openSafetensors(path: string): Promise<TensorFile> {
  const { handle, size } = await openForReading(path);
  try {
    const { tensors, metadata } = await readHeader(handle, size, path);
    const find = (name: string): Placed => {
      const tensor = tensors.get(name);
      if (tensor !== undefined) return tensor;
      throw new UserError("mismatch", `${path} has no tensor "${name}"`, { hint: "check that it is the right file" });
    };
    return {
      path,
      tensors,
      metadata,
      readF32: (name) => readAsF32(handle, find(name), path),
      readBytes: async (name) => {
        const tensor = find(name);
        const bytes = new Uint8Array(tensor.bytes);
        await readExactly(handle, bytes, tensor.start, path);
        return bytes;
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function damaged(path: string, what: string, cause?: unknown): UserError {
  return new UserError("damaged", `${path}: ${what}`, { hint: "copy or download the file again", cause });
}

async function readHeader(handle: FileHandle, size: number, path: string): Promise<Header> {
  if (size < 8) throw damaged(path, `not a safetensors file: ${size} bytes, at least 8 are needed`);
  const prefix = new Uint8Array(8);
  await readExactly(handle, prefix, 0, path);
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw damaged(
      path,
      `not a safetensors file: a header of ${length} bytes, at most ${MAX_HEADER_BYTES} are accepted`,
    );
  }
  const start = 8 + Number(length);
  if (start > size) throw damaged(path, `truncated: the header ends at byte ${start}, the file at ${size}`);
  const bytes = new Uint8Array(Number(length));
  await readExactly(handle, bytes, 8, path);
  let text: string;
  let json: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    json = JSON.parse(text);
  } catch (cause) {
    throw damaged(path, "the header is not valid JSON", cause);
  }
  if (!isObject(json)) throw damaged(path, "the header is not a JSON object");
  const twice = duplicateKey(text);
  if (twice !== undefined) throw damaged(path, `the header names "${shown(twice)}" twice`);
  const { __metadata__: extra, ...entries } = json;
  const names = Object.keys(entries);
  if (names.length > MAX_TENSORS) throw damaged(path, `${names.length} tensors, at most ${MAX_TENSORS} are accepted`);
  const placed = names.map((name) => checkTensor(name, entries[name], start, path));
  placed.sort((a, b) => a.start - b.start || a.bytes - b.bytes);
  let end = start;
  for (const tensor of placed) {
    if (tensor.start !== end) {
      const how = tensor.start < end ? "overlaps the one before it" : "leaves a gap before it";
      throw damaged(
        path,
        `tensor "${shown(tensor.name)}" starts at byte ${tensor.start} and ${how}, which ends at ${end}`,
      );
    }
    end += tensor.bytes;
  }
  if (end > size) throw damaged(path, `truncated: the tensors end at byte ${end}, the file at ${size}`);
  if (end < size) throw damaged(path, `${size - end} bytes follow the last tensor, which ends at byte ${end}`);
  return { tensors: new Map(placed.map((tensor) => [tensor.name, tensor])), metadata: checkMetadata(extra, path) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A name or value from the file, short enough for one line. */
function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function checkTensor(name: string, entry: unknown, dataStart: number, path: string): Placed {
  const label = `tensor "${shown(name)}"`;
  if (!isObject(entry)) throw damaged(path, `${label} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string") throw damaged(path, `${label} has no dtype`);
  if (!Object.hasOwn(BYTES_PER_VALUE, dtype)) {
    throw new UserError("unsupported", `${path}: ${label} has the unknown dtype "${shown(dtype)}"`, {
      hint: `known are ${Object.keys(BYTES_PER_VALUE).join(", ")}`,
    });
  }
  if (!Array.isArray(shape) || shape.length > MAX_DIMENSIONS || !shape.every(isCount)) {
    throw damaged(path, `${label} has the impossible shape ${shown(shape)}`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw damaged(path, `${label} has the impossible data_offsets ${shown(offsets)}`);
  }
  const [from, to] = offsets as [number, number];
  const bytes = shape.reduce((a, b) => a * b, BYTES_PER_VALUE[dtype as TensorType]);
  if (!Number.isSafeInteger(bytes) || bytes !== to - from) {
    throw damaged(path, `${label} of shape ${shown(shape)} and dtype ${dtype} cannot fill the bytes ${from} to ${to}`);
  }
  return { name, dtype: dtype as TensorType, shape, bytes, start: dataStart + from };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function checkMetadata(extra: unknown, path: string): Map<string, string> {
  if (extra === undefined) return new Map();
  if (!isObject(extra)) throw damaged(path, "__metadata__ is not an object");
  const entries = Object.entries(extra);
  const wrong = entries.find(([, value]) => typeof value !== "string");
  if (wrong !== undefined) throw damaged(path, `__metadata__ "${shown(wrong[0])}" is not a string`);
  return new Map(entries as [string, string][]);
}

/** The first key that the outermost object of valid JSON holds twice; JSON.parse would silently keep the last. */
function duplicateKey(json: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  let key = false;
  for (let i = 0; i < json.length; i += 1) {
    const character = json[i];
    if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    if (depth === 1 && (character === "{" || character === ",")) key = true;
    if (character !== '"') continue;
    const from = i;
    for (i += 1; json[i] !== '"'; i += 1) if (json[i] === "\\") i += 1;
    if (!key) continue;
    key = false;
    const name = JSON.parse(json.slice(from, i + 1)) as string;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

async function readAsF32(handle: FileHandle, tensor: Placed, path: string): Promise<Float32Array> {
  const width = BYTES_PER_VALUE[tensor.dtype];
  const values = new Float32Array(tensor.bytes / width);
  if (tensor.dtype === "F32") {
    await readExactly(handle, new Uint8Array(values.buffer), tensor.start, path);
    return values;
  }
  if (tensor.dtype !== "F16" && tensor.dtype !== "BF16" && tensor.dtype !== "F64") {
    throw new UserError("unsupported", `${path}: tensor "${tensor.name}" holds ${tensor.dtype}, not floating point`, {
      hint: "weights must be F32, F16, BF16 or F64",
    });
  }
  const chunk = new Uint8Array(Math.min(values.length, CHUNK_VALUES) * width);
  for (let done = 0; done < values.length; done += CHUNK_VALUES) {
    const count = Math.min(CHUNK_VALUES, values.length - done);
    const out = values.subarray(done, done + count);
    await readExactly(handle, chunk.subarray(0, count * width), tensor.start + done * width, path);
    if (tensor.dtype === "F64") out.set(new Float64Array(chunk.buffer, 0, count));
    else (tensor.dtype === "F16" ? f16ToF32 : bf16ToF32)(new Uint16Array(chunk.buffer, 0, count), out);
  }
  return values;
}

export interface TensorToWrite {
  readonly name: string;
  readonly dtype: "F32" | "F16" | "BF16";
  readonly shape: readonly number[];
  /** The values in f32, or how to make them when their turn comes (then they need not all be in memory at once). */
  readonly data: Float32Array | (() => Float32Array | Promise<Float32Array>);
}

/**
 * Writes a safetensors file, whole or not at all. Same tensors, same bytes: the data stand in the order given, those
 * of F32 before the 16-bit ones so that every tensor is aligned.
 *
 * @param options.metadata strings for the header's `__metadata__`
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  options: { readonly metadata?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const ordered = tensors.toSorted((a, b) => BYTES_PER_VALUE[b.dtype] - BYTES_PER_VALUE[a.dtype]);
  const header: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  if (options.metadata !== undefined) header["__metadata__"] = options.metadata;
  let offset = 0;
  for (const { name, dtype, shape } of ordered) {
    invariant(name !== "__metadata__" && !Object.hasOwn(header, name), `tensor "${name}" is written twice`);
    const end = offset + shape.reduce((a, b) => a * b, BYTES_PER_VALUE[dtype]);
    header[name] = { dtype, shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  // Spaces up to a multiple of 8 keep the data aligned for readers that map the file.
  const head = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  head.set(json, 8);
  await atomicStream(path, async (handle) => {
    await handle.writeFile(head);
    for (const tensor of ordered) await writeTensor(handle, tensor);
  });
}

async function writeTensor(handle: FileHandle, { name, dtype, shape, data }: TensorToWrite): Promise<void> {
  const values = typeof data === "function" ? await data() : data;
  const count = shape.reduce((a, b) => a * b, 1);
  invariant(values.length === count, `tensor "${name}" of shape [${shape.join(", ")}] has ${values.length} values`);
  for (let done = 0; done < count; done += CHUNK_VALUES) {
    const part = values.subarray(done, Math.min(done + CHUNK_VALUES, count));
    const encoded = dtype === "F32" ? part : dtype === "F16" ? f32ToF16(part) : f32ToBf16(part);
    await handle.writeFile(new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength));
  }
}
