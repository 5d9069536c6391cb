/** ONNX model files: typed data to protobuf bytes (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). Writing only. */

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

export type OnnxElement = "f32" | "i32" | "i64";

export interface OnnxTensor {
  readonly name: string;
  readonly element: OnnxElement;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export interface OnnxValue {
  readonly name: string;
  readonly element: OnnxElement;
  readonly shape: readonly number[];
}

export interface OnnxNode {
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** number: float attribute; bigint: int attribute; bigints: ints attribute. */
  readonly attributes: Readonly<Record<string, number | bigint | readonly bigint[]>>;
}

export interface OnnxModel {
  readonly name: string;
  /** Operator set versions by domain. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly constants: readonly OnnxTensor[];
  readonly nodes: readonly OnnxNode[];
}

const irVersion = 10;
const elementCode = { f32: 1, i32: 6, i64: 7 } as const satisfies Record<OnnxElement, number>;
const attributeCode = { float: 1, int: 2, ints: 7 } as const;

const field = (writer: BinaryWriter, number: number, write: (inner: BinaryWriter) => void): void => {
  writer.tag(number, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
};
const text = (writer: BinaryWriter, number: number, value: string): void => {
  writer.tag(number, WireType.LengthDelimited).string(value);
};
const int = (writer: BinaryWriter, number: number, value: number | bigint): void => {
  writer.tag(number, WireType.Varint).int64(typeof value === "bigint" ? value.toString() : value);
};

function writeNode(writer: BinaryWriter, node: OnnxNode): void {
  for (const name of node.inputs) text(writer, 1, name);
  for (const name of node.outputs) text(writer, 2, name);
  text(writer, 4, node.type);
  for (const [name, value] of Object.entries(node.attributes)) {
    field(writer, 5, (attribute) => {
      text(attribute, 1, name);
      if (typeof value === "number") attribute.tag(2, WireType.Bit32).float(value);
      else if (typeof value === "bigint") int(attribute, 3, value);
      else for (const item of value) int(attribute, 8, item);
      const type =
        typeof value === "number"
          ? attributeCode.float
          : typeof value === "bigint"
            ? attributeCode.int
            : attributeCode.ints;
      int(attribute, 20, type);
    });
  }
  if (node.domain) text(writer, 7, node.domain);
}

function writeTensor(writer: BinaryWriter, tensor: OnnxTensor): void {
  for (const extent of tensor.shape) int(writer, 1, extent);
  int(writer, 2, elementCode[tensor.element]);
  text(writer, 8, tensor.name);
  const raw = {
    f32: () => new Float32Array(tensor.data).buffer,
    i32: () => new Int32Array(tensor.data).buffer,
    i64: () => new BigInt64Array(tensor.data.map(BigInt)).buffer,
  }[tensor.element]();
  writer.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(raw));
}

function writeValue(writer: BinaryWriter, value: OnnxValue): void {
  text(writer, 1, value.name);
  field(writer, 2, (type) => {
    field(type, 1, (tensor) => {
      int(tensor, 1, elementCode[value.element]);
      field(tensor, 2, (shape) => {
        for (const extent of value.shape) field(shape, 1, (dimension) => int(dimension, 1, extent));
      });
    });
  });
}

/** Bytes of a model file. */
export function encodeOnnxModel(model: OnnxModel): Uint8Array {
  const writer = new BinaryWriter();
  int(writer, 1, irVersion);
  text(writer, 2, "symbiotic-chrysalis");
  field(writer, 7, (graph) => {
    for (const node of model.nodes) field(graph, 1, (inner) => writeNode(inner, node));
    text(graph, 2, model.name);
    for (const tensor of model.constants) field(graph, 5, (inner) => writeTensor(inner, tensor));
    for (const value of model.inputs) field(graph, 11, (inner) => writeValue(inner, value));
    for (const value of model.outputs) field(graph, 12, (inner) => writeValue(inner, value));
  });
  for (const [domain, version] of Object.entries(model.opsets)) {
    field(writer, 8, (opset) => {
      if (domain) text(opset, 1, domain);
      int(opset, 2, version);
    });
  }
  return writer.finish();
}
