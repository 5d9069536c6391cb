/** The graph: typed values and nodes with static shapes, built by calling ops. It knows nothing of how ops are executed. */

import { invariant } from "../errors.ts";

export type DType = "f32" | "i32" | "i64";
export type Shape = readonly number[];

/** What is known of a value before it is computed. */
export interface Type {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** A value of a graph: an input, or one output of a node. */
export interface Value extends Type {
  readonly graph: Graph;
  /** Unique within its graph; also its order of creation. */
  readonly id: number;
  /** The node that computes it; undefined for an input of the graph. */
  readonly node: Node | undefined;
  /** Name of a graph input. */
  readonly name: string | undefined;
}

// oxlint-disable-next-line typescript/no-explicit-any -- attributes are typed by each op; the graph only carries them
export type Attributes = any;

/** One application of an op. */
export interface Node {
  readonly op: OpRecord;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
}

/** A tensor of the reference evaluation: numbers in float64, whatever the value's type. */
export interface ReferenceTensor {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** A float, an int or a list of ints. */
export type OnnxAttribute = number | bigint | readonly bigint[];

/** What an op's ONNX form may ask of the emitter; implemented in onnx/. */
export interface OnnxEmitter {
  /** ONNX name of a value. */
  name(value: Value): string;
  /** A fresh name for an intermediate result. */
  temporary(): string;
  /** Name of a constant tensor. */
  constant(dtype: DType, shape: Shape, data: readonly number[]): string;
  /** Appends a node; empty strings stand for absent optional inputs and outputs. */
  node(
    type: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    domain?: "" | "com.microsoft",
  ): void;
}

/** One input of a test case: normal random numbers, or integers below `below`. */
export interface CaseInput {
  readonly shape: Shape;
  readonly dtype?: DType;
  /** Exclusive upper bound of random integers. */
  readonly below?: number;
  /** Keeps float inputs at least this far from zero and positive. */
  readonly positive?: boolean;
}

export interface OpCase {
  readonly inputs: readonly CaseInput[];
  readonly attributes?: Attributes;
}

/**
 * All that is known of one op. An op is either primitive (`onnx` and `evaluate`) or composite (`expand` into others);
 * either kind may have a gradient, written in ops.
 */
export interface OpRecord {
  readonly name: string;
  /** Shape and type rule; throws on inputs that do not fit. */
  readonly infer: (inputs: readonly Type[], attributes: Attributes) => readonly Type[];
  /**
   * Gradients of the inputs from those of the outputs; undefined where none flows. `wanted[i]` is false where the
   * caller has no use for the gradient of input i.
   */
  readonly gradient?: (
    node: Node,
    gradients: readonly (Value | undefined)[],
    wanted: readonly boolean[],
  ) => readonly (Value | undefined)[];
  readonly onnx?: (node: Node, emit: OnnxEmitter) => void;
  readonly evaluate?: (inputs: readonly ReferenceTensor[], node: Node) => readonly ReferenceTensor[];
  readonly expand?: (inputs: readonly Value[], attributes: Attributes) => readonly Value[];
  /** True where computing again in the backward pass costs less than keeping the result. */
  readonly cheap: boolean;
  readonly cases: readonly OpCase[];
}

/** A graph under construction: inputs and nodes in an order that computes them. */
export class Graph {
  readonly inputs: Value[] = [];
  readonly nodes: Node[] = [];
  #count = 0;

  /** Declares an input of the graph. */
  input(name: string, shape: Shape, dtype: DType = "f32"): Value {
    invariant(!this.inputs.some((value) => value.name === name), `two graph inputs are named ${name}`);
    const value = this.#value({ dtype, shape }, undefined, name);
    this.inputs.push(value);
    return value;
  }

  /** Applies an op: checks its rule, appends a node, gives its outputs. */
  apply(op: OpRecord, inputs: readonly Value[], attributes: Attributes = {}): readonly Value[] {
    for (const input of inputs) invariant(input.graph === this, `${op.name} mixes values of two graphs`);
    const types = op.infer(inputs, attributes);
    const outputs: Value[] = [];
    const node: Node = { op, inputs, attributes, outputs };
    for (const type of types) outputs.push(this.#value(type, node, undefined));
    this.nodes.push(node);
    return outputs;
  }

  #value(type: Type, node: Node | undefined, name: string | undefined): Value {
    for (const extent of type.shape) {
      invariant(Number.isSafeInteger(extent) && extent > 0, `shape [${type.shape.join(", ")}] has an extent below 1`);
    }
    return { graph: this, id: this.#count++, dtype: type.dtype, shape: type.shape, node, name };
  }
}

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/** Row-major strides of a shape, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = Array.from<number>({ length: shape.length });
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** The common shape of two operands under NumPy's broadcasting rule. */
export function broadcastShapes(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const x = a[axis - rank + a.length] ?? 1;
    const y = b[axis - rank + b.length] ?? 1;
    invariant(x === y || x === 1 || y === 1, `shapes [${a.join(", ")}] and [${b.join(", ")}] do not broadcast`);
    return Math.max(x, y);
  });
}

/** A single float32 output type. */
export function f32(shape: Shape): readonly Type[] {
  return [{ dtype: "f32", shape }];
}

/** Applies an op and gives its first output. */
export function applyOne(op: OpRecord, inputs: readonly Value[], attributes: object = {}): Value {
  return inputs[0]!.graph.apply(op, inputs, attributes)[0]!;
}
