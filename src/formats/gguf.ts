/**
 * GGUF files, versions 2 and 3, read by position. Everything before the tensor data is checked whole at opening;
 * whoever made the file may have meant harm. Source: docs/gguf.md of github.com/ggml-org/ggml.
 */

import type { FileHandle } from "node:fs/promises";
import { UserError } from "../errors.ts";
import { openForReading, readExactly } from "./files.ts";
import { ENCODINGS, TYPE_NAMES } from "./gguf-quantisation.ts";
import type { Encoding } from "./gguf-quantisation.ts";

const MAX_HEADER_BYTES = 256 << 20;
const MAX_TENSORS = 200_000;
const MAX_KEYS = 65_536;
const MAX_DIMENSIONS = 4;
const MAX_ARRAY_DEPTH = 4;
const MAX_ELEMENTS = 1 << 24;
const MAX_ALIGNMENT = 1 << 20;
const FIRST_READ = 4 << 20;
/** Values decoded at a time (a multiple of every block size): the working memory beside the result. */
const CHUNK_VALUES = 1 << 20;

/** 64-bit integers beyond 2^53 come as bigint. */
export type GgufValue = number | bigint | boolean | string | readonly GgufValue[];

export interface GgufTensor {
  readonly name: string;
  /** As ggml names it: "F32", "Q8_0", ... */
  readonly type: string;
  /** Outermost dimension first, as in a Hugging Face checkpoint (the file has it the other way round). */
  readonly shape: readonly number[];
  /** Bytes in the file. */
  readonly bytes: number;
}

export interface GgufFile {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** The tensor's values, dequantised where need be. */
  readF32(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

interface Placed extends GgufTensor {
  readonly encoding: Encoding;
  /** Position in the file. */
  readonly start: number;
}

interface Header {
  readonly metadata: Map<string, GgufValue>;
  readonly tensors: Map<string, Placed>;
}

/**
 * Opens a GGUF file and checks its header: lengths, types, shapes, and that every tensor lies inside the file apart
 * from the others.
 *
 * @throws UserError "not-found", "damaged" (also a truncated file) or "unsupported", naming file, tensor and value
 */
export async function openGguf(path: string): Promise<GgufFile> {
  const { handle, size } = await openForReading(path);
  try {
    const { metadata, tensors } = await readHeader(handle, size, path);
    return {
      path,
      metadata,
      tensors,
      readF32: (name) => {
        const tensor = tensors.get(name);
        if (tensor !== undefined) return readValues(handle, tensor, path);
        throw new UserError("mismatch", `${path} has no tensor "${name}"`, { hint: "check that it is the right file" });
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readValues(handle: FileHandle, tensor: Placed, path: string): Promise<Float32Array> {
  const { encoding } = tensor;
  const values = new Float32Array(tensor.shape.reduce((a, b) => a * b, 1));
  const bytesOf = (count: number): number => (count / encoding.values) * encoding.bytes;
  const chunk = new Uint8Array(bytesOf(Math.min(values.length, CHUNK_VALUES)));
  for (let done = 0; done < values.length; done += CHUNK_VALUES) {
    const out = values.subarray(done, done + CHUNK_VALUES);
    const part = chunk.subarray(0, bytesOf(out.length));
    await readExactly(handle, part, tensor.start + bytesOf(done), path);
    encoding.decode(part, out);
  }
  return values;
}

/** What a cursor throws when the bytes read so far do not suffice; more are read, or the file is truncated. */
const OUT_OF_BYTES = new Error("out of bytes");

async function readHeader(handle: FileHandle, size: number, path: string): Promise<Header> {
  for (let length = FIRST_READ; ; length *= 4) {
    const bytes = new Uint8Array(Math.min(length, size, MAX_HEADER_BYTES));
    await readExactly(handle, bytes, 0, path);
    try {
      return parseHeader(bytes, size, path);
    } catch (error) {
      if (error !== OUT_OF_BYTES) throw error;
      if (bytes.length === size) throw damaged(path, `truncated: the header goes on beyond the file's ${size} bytes`);
      if (bytes.length === MAX_HEADER_BYTES) {
        throw damaged(path, `a header of more than ${MAX_HEADER_BYTES} bytes is not accepted`);
      }
    }
  }
}

function damaged(path: string, what: string): UserError {
  return new UserError("damaged", `${path}: ${what}`, { hint: "copy or download the file again" });
}

function shown(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}...` : name);
}

interface Cursor {
  readonly view: DataView;
  position: number;
  readonly fileSize: number;
  readonly path: string;
}

function parseHeader(bytes: Uint8Array, fileSize: number, path: string): Header {
  const cursor: Cursor = { view: new DataView(bytes.buffer), position: 0, fileSize, path };
  if (fileSize < 24 || take(cursor, 4).getUint32(0, true) !== 0x46554747) throw damaged(path, "not a GGUF file");
  const version = take(cursor, 4).getUint32(0, true);
  if (version !== 2 && version !== 3) {
    const bigEndian = version === 0x02000000 || version === 0x03000000;
    throw new UserError("unsupported", `${path}: GGUF ${bigEndian ? "of big-endian machines" : `version ${version}`}`, {
      hint: "known are versions 2 and 3, little-endian",
    });
  }
  const tensorCount = count(cursor, MAX_TENSORS, "tensors");
  const keyCount = count(cursor, MAX_KEYS, "metadata keys");
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < keyCount; i += 1) {
    const key = text(cursor, "a metadata key");
    if (metadata.has(key)) throw damaged(path, `the metadata key ${shown(key)} stands there twice`);
    metadata.set(key, value(cursor, take(cursor, 4).getUint32(0, true), key, 0));
  }
  const alignment = metadata.get("general.alignment") ?? 32;
  if (typeof alignment !== "number" || alignment < 8 || alignment > MAX_ALIGNMENT || alignment % 8 !== 0) {
    throw damaged(path, `general.alignment ${String(alignment)} is impossible`);
  }
  const described = Array.from({ length: tensorCount }, () => tensor(cursor, alignment));
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  const tensors = new Map<string, Placed>();
  let end = dataStart;
  for (const entry of described.toSorted((a, b) => a.start - b.start || a.bytes - b.bytes)) {
    const start = dataStart + entry.start;
    if (tensors.has(entry.name)) throw damaged(path, `two tensors are named ${shown(entry.name)}`);
    if (start < end) throw damaged(path, `tensor ${shown(entry.name)} at byte ${start} overlaps the one before it`);
    end = start + entry.bytes;
    if (end > fileSize) {
      throw damaged(path, `truncated: tensor ${shown(entry.name)} ends at byte ${end}, the file at ${fileSize}`);
    }
    tensors.set(entry.name, { ...entry, start });
  }
  return { metadata, tensors };
}

/** The next `length` bytes. */
function take(cursor: Cursor, length: number): DataView {
  const { view, position } = cursor;
  if (length > view.byteLength - position) {
    // Lengths are the file's word: what could never fit is refused before more is read.
    if (length > cursor.fileSize - position) throw damaged(cursor.path, `truncated at byte ${cursor.fileSize}`);
    throw OUT_OF_BYTES;
  }
  cursor.position += length;
  return new DataView(view.buffer, position, length);
}

function count(cursor: Cursor, limit: number, what: string): number {
  const number = take(cursor, 8).getBigUint64(0, true);
  if (number > BigInt(limit)) throw damaged(cursor.path, `${number} ${what}, at most ${limit} are accepted`);
  return Number(number);
}

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

function text(cursor: Cursor, what: string): string {
  return UTF8.decode(take(cursor, count(cursor, MAX_HEADER_BYTES, `bytes in ${what}`)));
}

interface Scalar {
  readonly bytes: number;
  readonly read: (view: DataView) => GgufValue;
}

const STRING = 8;
const ARRAY = 9;
const SCALARS: ReadonlyMap<number, Scalar> = new Map<number, Scalar>([
  [0, { bytes: 1, read: (view) => view.getUint8(0) }],
  [1, { bytes: 1, read: (view) => view.getInt8(0) }],
  [2, { bytes: 2, read: (view) => view.getUint16(0, true) }],
  [3, { bytes: 2, read: (view) => view.getInt16(0, true) }],
  [4, { bytes: 4, read: (view) => view.getUint32(0, true) }],
  [5, { bytes: 4, read: (view) => view.getInt32(0, true) }],
  [6, { bytes: 4, read: (view) => view.getFloat32(0, true) }],
  [7, { bytes: 1, read: (view) => view.getUint8(0) !== 0 }],
  [10, { bytes: 8, read: (view) => integer(view.getBigUint64(0, true)) }],
  [11, { bytes: 8, read: (view) => integer(view.getBigInt64(0, true)) }],
  [12, { bytes: 8, read: (view) => view.getFloat64(0, true) }],
]);

function integer(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function value(cursor: Cursor, type: number, key: string, depth: number): GgufValue {
  if (type === STRING) return text(cursor, shown(key));
  const scalar = SCALARS.get(type);
  if (scalar !== undefined) return scalar.read(take(cursor, scalar.bytes));
  if (type !== ARRAY) throw damaged(cursor.path, `metadata ${shown(key)} has the unknown type ${type}`);
  if (depth === MAX_ARRAY_DEPTH) throw damaged(cursor.path, `metadata ${shown(key)} nests arrays too deeply`);
  const elementType = take(cursor, 4).getUint32(0, true);
  const smallest = SCALARS.get(elementType)?.bytes ?? (elementType === STRING ? 8 : 12);
  const length = count(cursor, MAX_ELEMENTS, `elements in ${shown(key)}`);
  if (length * smallest > cursor.fileSize - cursor.position)
    throw damaged(cursor.path, `truncated in metadata ${shown(key)}`);
  const elements: GgufValue[] = [];
  for (let i = 0; i < length; i += 1) elements.push(value(cursor, elementType, key, depth + 1));
  return elements;
}

/** A tensor's description; `start` still counts from the start of the data. */
function tensor(cursor: Cursor, alignment: number): Placed {
  const { path } = cursor;
  const name = text(cursor, "a tensor's name");
  const rank = take(cursor, 4).getUint32(0, true);
  if (rank > MAX_DIMENSIONS) {
    throw damaged(path, `tensor ${shown(name)} has ${rank} dimensions, at most ${MAX_DIMENSIONS} are accepted`);
  }
  const shape = Array.from({ length: rank }, () => count(cursor, 2 ** 48, `values along a side of ${shown(name)}`));
  const type = take(cursor, 4).getUint32(0, true);
  const start = count(cursor, 2 ** 50, `bytes before ${shown(name)}`);
  const encoding = ENCODINGS.get(type);
  if (encoding === undefined) {
    throw new UserError("unsupported", `${path}: tensor ${shown(name)} has the type ${TYPE_NAMES.get(type) ?? type}`, {
      hint: `known are ${[...ENCODINGS.values()].map((known) => known.name).join(", ")}`,
    });
  }
  const values = shape.reduce((a, b) => a * b, 1);
  if (!Number.isSafeInteger(values * 8)) {
    throw damaged(path, `tensor ${shown(name)} has the impossible shape [${shape.toReversed().join(", ")}]`);
  }
  if ((shape[0] ?? 1) % encoding.values !== 0) {
    throw damaged(
      path,
      `tensor ${shown(name)} has rows of ${shape[0]}, ${encoding.name} needs a multiple of ${encoding.values}`,
    );
  }
  if (start % alignment !== 0)
    throw damaged(path, `tensor ${shown(name)} starts at ${start}, not a multiple of ${alignment}`);
  const bytes = (values / encoding.values) * encoding.bytes;
  return { name, type: encoding.name, shape: shape.toReversed(), bytes, start, encoding };
}
