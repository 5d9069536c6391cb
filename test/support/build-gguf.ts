/** Writes GGUF files for tests, field by field as docs/gguf.md of ggml has them, so that each can also be wrong. */

export type GgufTestValue =
  | { readonly type: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 10 | 11 | 12; readonly value: number | bigint }
  | { readonly type: 8; readonly value: string }
  | { readonly type: 9; readonly elementType: number; readonly value: readonly GgufTestValue[] };

export interface GgufTestTensor {
  readonly name: string;
  /** Outermost dimension first; it is written the other way round. */
  readonly shape: readonly number[];
  /** ggml's number of the type; 0 is F32. */
  readonly type: number;
  readonly data: Uint8Array;
  /** Offset in the data section; the next aligned one where left out. */
  readonly offset?: number;
}

export interface GgufTestFile {
  readonly version?: number;
  readonly alignment?: number;
  readonly metadata: Readonly<Record<string, GgufTestValue>>;
  readonly tensors: readonly GgufTestTensor[];
  readonly tensorCount?: bigint;
  readonly keyCount?: bigint;
}

export const u32 = (value: number): GgufTestValue => ({ type: 4, value });
export const f32 = (value: number): GgufTestValue => ({ type: 6, value });
export const string = (value: string): GgufTestValue => ({ type: 8, value });

/** A tensor of f32 values. */
export function f32Tensor(name: string, shape: readonly number[], values: Float32Array): GgufTestTensor {
  return { name, shape, type: 0, data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

export function buildGguf(file: GgufTestFile): Uint8Array {
  const alignment = file.alignment ?? 32;
  const parts: Uint8Array[] = [];
  let length = 0;
  const put = (bytes: Uint8Array): void => {
    parts.push(bytes);
    length += bytes.length;
  };
  const number = (bytes: number, write: (view: DataView) => void): void => {
    const view = new DataView(new ArrayBuffer(bytes));
    write(view);
    put(new Uint8Array(view.buffer));
  };
  const int32 = (value: number): void => number(4, (view) => view.setUint32(0, value, true));
  const int64 = (value: number | bigint): void => number(8, (view) => view.setBigInt64(0, BigInt(value), true));
  const text = (value: string): void => {
    const bytes = new TextEncoder().encode(value);
    int64(bytes.length);
    put(bytes);
  };
  const value = (entry: GgufTestValue): void => {
    switch (entry.type) {
      case 8:
        return text(entry.value);
      case 9:
        int32(entry.elementType);
        int64(entry.value.length);
        return entry.value.forEach(value);
      case 0:
      case 1:
      case 7:
        return number(1, (view) => view.setUint8(0, Number(entry.value)));
      case 2:
      case 3:
        return number(2, (view) => view.setUint16(0, Number(entry.value), true));
      case 4:
      case 5:
        return number(4, (view) => view.setUint32(0, Number(entry.value), true));
      case 6:
        return number(4, (view) => view.setFloat32(0, Number(entry.value), true));
      case 10:
      case 11:
        return int64(entry.value);
      case 12:
        return number(8, (view) => view.setFloat64(0, Number(entry.value), true));
    }
  };
  put(new TextEncoder().encode("GGUF"));
  int32(file.version ?? 3);
  int64(file.tensorCount ?? file.tensors.length);
  int64(file.keyCount ?? Object.keys(file.metadata).length);
  for (const [key, entry] of Object.entries(file.metadata)) {
    text(key);
    int32(entry.type);
    value(entry);
  }
  let end = 0;
  const placed: { offset: number; data: Uint8Array }[] = [];
  for (const tensor of file.tensors) {
    const offset = tensor.offset ?? Math.ceil(end / alignment) * alignment;
    text(tensor.name);
    int32(tensor.shape.length);
    for (const side of tensor.shape.toReversed()) int64(side);
    int32(tensor.type);
    int64(offset);
    placed.push({ offset, data: tensor.data });
    end = Math.max(end, offset + tensor.data.length);
  }
  const start = Math.ceil(length / alignment) * alignment;
  const whole = new Uint8Array(start + end);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  for (const { offset, data } of placed) whole.set(data, start + offset);
  return whole;
}
