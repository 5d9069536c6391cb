/** Elementwise ops with broadcasting, and the reduction that undoes it. */

import { invariant } from "../errors.ts";
import type { Node, OpRecord, ReferenceTensor, Shape, Value } from "./graph.ts";
import { applyOne, broadcastShapes, f32, sameShape, sizeOf, stridesOf } from "./graph.ts";

/** Index into a tensor of `shape` for each element of the broadcast shape `to`. */
function* broadcastIndices(shape: Shape, to: Shape): Generator<number> {
  const strides = stridesOf(shape);
  const offset = to.length - shape.length;
  const counters = to.map(() => 0);
  for (let i = 0, size = sizeOf(to); i < size; i++) {
    let index = 0;
    for (let axis = offset; axis < to.length; axis++) {
      if (shape[axis - offset]! > 1) index += counters[axis]! * strides[axis - offset]!;
    }
    yield index;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      if (++counters[axis]! < to[axis]!) break;
      counters[axis] = 0;
    }
  }
}

function evaluateBinary(apply: (x: number, y: number) => number): NonNullable<OpRecord["evaluate"]> {
  return ([a, b], node) => {
    const shape = node.outputs[0]!.shape;
    const data = new Float64Array(sizeOf(shape));
    const right = broadcastIndices(b!.shape, shape);
    let i = 0;
    for (const left of broadcastIndices(a!.shape, shape)) {
      data[i++] = apply(a!.data[left]!, b!.data[right.next().value!]!);
    }
    return [{ shape, data }];
  };
}

function binary(
  name: string,
  onnx: string,
  apply: (x: number, y: number) => number,
  gradient: NonNullable<OpRecord["gradient"]>,
): OpRecord {
  return {
    name,
    infer: ([a, b]) => {
      invariant(a!.dtype === "f32" && b!.dtype === "f32", `${name} takes f32 operands`);
      return f32(broadcastShapes(a!.shape, b!.shape));
    },
    gradient,
    onnx: (node, emit) => emit.node(onnx, node.inputs.map(emit.name), node.outputs.map(emit.name)),
    evaluate: evaluateBinary(apply),
    cheap: true,
    cases: [
      { inputs: [{ shape: [3, 4] }, { shape: [3, 4], positive: true }] },
      { inputs: [{ shape: [2, 3, 4] }, { shape: [4], positive: true }] },
      { inputs: [{ shape: [3, 1] }, { shape: [3, 4], positive: true }] },
    ],
  };
}

function unary(
  name: string,
  apply: (x: number) => number,
  onnx: NonNullable<OpRecord["onnx"]>,
  gradient: (node: Node, dy: Value) => Value,
  positive = false,
): OpRecord {
  return {
    name,
    infer: ([x]) => f32(x!.shape),
    gradient: (node, [dy]) => [dy && gradient(node, dy)],
    onnx,
    evaluate: ([x]) => [{ shape: x!.shape, data: x!.data.map(apply) }],
    cheap: true,
    cases: [{ inputs: [{ shape: [3, 5], positive }] }],
  };
}

const direct =
  (type: string): NonNullable<OpRecord["onnx"]> =>
  (node, emit) =>
    emit.node(type, node.inputs.map(emit.name), node.outputs.map(emit.name));

export const addOp = binary(
  "add",
  "Add",
  (x, y) => x + y,
  (node, [dy], wanted) => node.inputs.map((x, i) => (dy && wanted[i] ? sumTo(dy, x.shape) : undefined)),
);

export const subOp = binary(
  "sub",
  "Sub",
  (x, y) => x - y,
  (node, [dy], wanted) => [
    dy && wanted[0] ? sumTo(dy, node.inputs[0]!.shape) : undefined,
    dy && wanted[1] ? scale(sumTo(dy, node.inputs[1]!.shape), -1) : undefined,
  ],
);

export const mulOp = binary(
  "mul",
  "Mul",
  (x, y) => x * y,
  (node, [dy], wanted) =>
    node.inputs.map((x, i) => (dy && wanted[i] ? sumTo(mul(dy, node.inputs[1 - i]!), x.shape) : undefined)),
);

/** Multiplication by a constant of the graph's text (attribute `by`). */
export const scaleOp: OpRecord = {
  name: "scale",
  infer: ([x]) => f32(x!.shape),
  gradient: (node, [dy]) => [dy && scale(dy, node.attributes.by)],
  onnx: (node, emit) =>
    emit.node(
      "Mul",
      [emit.name(node.inputs[0]!), emit.constant("f32", [], [node.attributes.by])],
      [emit.name(node.outputs[0]!)],
    ),
  evaluate: ([x], node) => [{ shape: x!.shape, data: x!.data.map((value) => value * node.attributes.by) }],
  cheap: true,
  cases: [{ inputs: [{ shape: [3, 5] }], attributes: { by: -1.5 } }],
};

const sigmoidOf = (x: number): number => 1 / (1 + Math.exp(-x));

export const sigmoidOp = unary("sigmoid", sigmoidOf, direct("Sigmoid"), (node, dy) => {
  const y = node.outputs[0]!;
  return mul(dy, sub(y, mul(y, y)));
});

/** x sigmoid(x) (SiLU, arXiv 1702.03118); its derivative is s + y - s y with s = sigmoid(x). */
export const siluOp = unary(
  "silu",
  (x) => x * sigmoidOf(x),
  (node, emit) =>
    emit.node("QuickGelu", node.inputs.map(emit.name), node.outputs.map(emit.name), { alpha: 1 }, "com.microsoft"),
  (node, dy) => {
    const y = node.outputs[0]!;
    const s = sigmoid(node.inputs[0]!);
    return mul(dy, sub(add(s, y), mul(s, y)));
  },
);

export const logOp = unary("log", Math.log, direct("Log"), (node, dy) => mul(dy, reciprocal(node.inputs[0]!)), true);

export const reciprocalOp = unary(
  "reciprocal",
  (x) => 1 / x,
  direct("Reciprocal"),
  (node, dy) => scale(mul(dy, mul(node.outputs[0]!, node.outputs[0]!)), -1),
  true,
);

function reduceAxes(
  x: ReferenceTensor,
  to: Shape,
  combine: (a: number, b: number) => number,
  start: number,
): Float64Array {
  const data = new Float64Array(sizeOf(to)).fill(start);
  let i = 0;
  for (const index of broadcastIndices(to, x.shape)) data[index] = combine(data[index]!, x.data[i++]!);
  return data;
}

/** Sum over the axes where `to` has extent 1 or lacks the axis (attribute `to`: the resulting shape). */
export const sumToOp: OpRecord = {
  name: "sumTo",
  infer: ([x], { to }) => {
    invariant(sameShape(broadcastShapes(x!.shape, to), x!.shape), "sumTo takes a shape that broadcasts to its input");
    return f32(to);
  },
  gradient: (node, [dy]) => [dy && broadcastTo(dy, node.inputs[0]!.shape)],
  onnx: (node, emit) => {
    const from = node.inputs[0]!.shape;
    const to: Shape = node.attributes.to;
    const missing = from.length - to.length;
    const axes = from
      .map((_, axis) => axis)
      .filter((axis) => axis < missing || (to[axis - missing] === 1 && from[axis]! > 1));
    const kept = emit.temporary();
    emit.node("ReduceSum", [emit.name(node.inputs[0]!), emit.constant("i64", [axes.length], axes)], [kept], {
      keepdims: 1n,
    });
    emit.node("Reshape", [kept, emit.constant("i64", [to.length], to)], [emit.name(node.outputs[0]!)]);
  },
  evaluate: ([x], node) => [
    { shape: node.attributes.to, data: reduceAxes(x!, node.attributes.to, (a, b) => a + b, 0) },
  ],
  cheap: true,
  cases: [
    { inputs: [{ shape: [3, 4] }], attributes: { to: [4] } },
    { inputs: [{ shape: [2, 3, 4] }], attributes: { to: [2, 1, 4] } },
    { inputs: [{ shape: [3, 4] }], attributes: { to: [3, 1] } },
    { inputs: [{ shape: [3, 4] }], attributes: { to: [1] } },
  ],
};

/** Largest element along the last axis, which is kept with extent 1. For numerical safety only: no gradient. */
export const maxLastOp: OpRecord = {
  name: "maxLast",
  infer: ([x]) => f32([...x!.shape.slice(0, -1), 1]),
  onnx: (node, emit) =>
    emit.node(
      "ReduceMax",
      [emit.name(node.inputs[0]!), emit.constant("i64", [1], [-1])],
      [emit.name(node.outputs[0]!)],
      {
        keepdims: 1n,
      },
    ),
  evaluate: ([x], node) => [
    { shape: node.outputs[0]!.shape, data: reduceAxes(x!, node.outputs[0]!.shape, Math.max, -Infinity) },
  ],
  cheap: true,
  cases: [{ inputs: [{ shape: [3, 7] }] }],
};

/** Repeats along axes of extent 1 (attribute `to`: the resulting shape). */
export const broadcastToOp: OpRecord = {
  name: "broadcastTo",
  infer: ([x], { to }) => {
    invariant(sameShape(broadcastShapes(x!.shape, to), to), "broadcastTo takes a shape that its input broadcasts to");
    return f32(to);
  },
  gradient: (node, [dy]) => [dy && sumTo(dy, node.inputs[0]!.shape)],
  onnx: (node, emit) => {
    const to: Shape = node.attributes.to;
    emit.node(
      "Expand",
      [emit.name(node.inputs[0]!), emit.constant("i64", [to.length], to)],
      [emit.name(node.outputs[0]!)],
    );
  },
  evaluate: ([x], node) => {
    const to: Shape = node.attributes.to;
    return [{ shape: to, data: Float64Array.from(broadcastIndices(x!.shape, to), (index) => x!.data[index]!) }];
  },
  cheap: true,
  cases: [{ inputs: [{ shape: [3, 1] }], attributes: { to: [2, 3, 4] } }],
};

export const add = (a: Value, b: Value): Value => applyOne(addOp, [a, b]);
export const sub = (a: Value, b: Value): Value => applyOne(subOp, [a, b]);
export const mul = (a: Value, b: Value): Value => applyOne(mulOp, [a, b]);
export const scale = (x: Value, by: number): Value => applyOne(scaleOp, [x], { by });
export const sigmoid = (x: Value): Value => applyOne(sigmoidOp, [x]);
export const silu = (x: Value): Value => applyOne(siluOp, [x]);
export const log = (x: Value): Value => applyOne(logOp, [x]);
export const reciprocal = (x: Value): Value => applyOne(reciprocalOp, [x]);
export const maxLast = (x: Value): Value => applyOne(maxLastOp, [x]);
/** The input itself where there is nothing to sum. */
export const sumTo = (x: Value, to: Shape): Value => (sameShape(x.shape, to) ? x : applyOne(sumToOp, [x], { to }));
export const broadcastTo = (x: Value, to: Shape): Value =>
  sameShape(x.shape, to) ? x : applyOne(broadcastToOp, [x], { to });
