/** Ops that move elements without computing: reshape, transpose, slice, concatenation, gathering. */

import { invariant } from "../errors.ts";
import type { OpRecord, Shape, Value } from "./graph.ts";
import { applyOne, f32, sizeOf, stridesOf } from "./graph.ts";

export const reshapeOp: OpRecord = {
  name: "reshape",
  infer: ([x], { to }) => {
    invariant(sizeOf(x!.shape) === sizeOf(to), `cannot reshape [${x!.shape.join(", ")}] to [${to.join(", ")}]`);
    return f32(to);
  },
  gradient: (node, [dy]) => [dy && reshape(dy, node.inputs[0]!.shape)],
  onnx: (node, emit) => {
    const to: Shape = node.attributes.to;
    emit.node(
      "Reshape",
      [emit.name(node.inputs[0]!), emit.constant("i64", [to.length], to)],
      [emit.name(node.outputs[0]!)],
    );
  },
  evaluate: ([x], node) => [{ shape: node.attributes.to, data: x!.data }],
  cheap: true,
  cases: [{ inputs: [{ shape: [3, 4] }], attributes: { to: [2, 6] } }],
};

/** Attribute `order`: axis i of the result is axis order[i] of the input. */
export const transposeOp: OpRecord = {
  name: "transpose",
  infer: ([x], { order }) => {
    invariant(
      order.toSorted((a: number, b: number) => a - b).every((axis: number, i: number) => axis === i),
      "transpose takes a permutation",
    );
    return f32(order.map((axis: number) => x!.shape[axis]!));
  },
  gradient: (node, [dy]) => {
    const order: readonly number[] = node.attributes.order;
    return [
      dy &&
        transpose(
          dy,
          order.map((_, axis) => order.indexOf(axis)),
        ),
    ];
  },
  onnx: (node, emit) =>
    emit.node("Transpose", [emit.name(node.inputs[0]!)], [emit.name(node.outputs[0]!)], {
      perm: node.attributes.order.map(BigInt),
    }),
  evaluate: ([x], node) => {
    const order: readonly number[] = node.attributes.order;
    const shape = node.outputs[0]!.shape;
    const from = stridesOf(x!.shape);
    const to = stridesOf(shape);
    const data = new Float64Array(x!.data.length);
    for (let i = 0; i < data.length; i++) {
      let index = 0;
      for (let axis = 0, rest = i; axis < shape.length; axis++) {
        index += Math.floor(rest / to[axis]!) * from[order[axis]!]!;
        rest %= to[axis]!;
      }
      data[i] = x!.data[index]!;
    }
    return [{ shape, data }];
  },
  cheap: true,
  cases: [
    { inputs: [{ shape: [2, 3, 4, 5] }], attributes: { order: [0, 2, 1, 3] } },
    { inputs: [{ shape: [2, 3] }], attributes: { order: [1, 0] } },
  ],
};

/** Elements along the last axis picked by an index per row: x [N, V], index i32 [N, 1] -> [N, 1]. */
export const pickOp: OpRecord = {
  name: "pick",
  infer: ([x, index]) => {
    invariant(
      x!.shape.length === 2 && index!.dtype === "i32" && index!.shape[0] === x!.shape[0],
      "pick takes [N, V] and i32 [N, 1]",
    );
    return f32(index!.shape);
  },
  onnx: (node, emit) =>
    emit.node("GatherElements", node.inputs.map(emit.name), node.outputs.map(emit.name), { axis: 1n }),
  evaluate: ([x, index]) => [
    { shape: index!.shape, data: index!.data.map((column, row) => x!.data[row * x!.shape[1]! + column]!) },
  ],
  cheap: true,
  cases: [{ inputs: [{ shape: [5, 7] }, { shape: [5, 1], dtype: "i32", below: 7 }] }],
};

/** Adds `delta` [N, 1] to one element of each row: x [N, V], index i32 [N, 1]. */
export const addAtOp: OpRecord = {
  name: "addAt",
  infer: ([x, index, delta]) => {
    invariant(index!.dtype === "i32" && delta!.shape[0] === x!.shape[0], "addAt takes [N, V], i32 [N, 1] and [N, 1]");
    return f32(x!.shape);
  },
  onnx: (node, emit) => {
    // The attribute reduction="add" would be a string; ScatterElements without it overwrites, so gather, add, scatter.
    const [x, index, delta] = node.inputs.map(emit.name);
    const old = emit.temporary();
    const sum = emit.temporary();
    emit.node("GatherElements", [x!, index!], [old], { axis: 1n });
    emit.node("Add", [old, delta!], [sum]);
    emit.node("ScatterElements", [x!, index!, sum], [emit.name(node.outputs[0]!)], { axis: 1n });
  },
  evaluate: ([x, index, delta]) => {
    const data = x!.data.slice();
    for (const [row, column] of index!.data.entries()) data[row * x!.shape[1]! + column]! += delta!.data[row]!;
    return [{ shape: x!.shape, data }];
  },
  cheap: true,
  cases: [{ inputs: [{ shape: [5, 7] }, { shape: [5, 1], dtype: "i32", below: 7 }, { shape: [5, 1] }] }],
};

/** Joins two tensors along an axis (attribute `axis`). */
export const concatOp: OpRecord = {
  name: "concat",
  infer: ([a, b], { axis }) => {
    invariant(
      a!.shape.length === b!.shape.length && a!.shape.every((extent, i) => i === axis || extent === b!.shape[i]),
      `cannot join [${a!.shape.join(", ")}] and [${b!.shape.join(", ")}] along axis ${axis}`,
    );
    return f32(a!.shape.map((extent, i) => (i === axis ? extent + b!.shape[i]! : extent)));
  },
  gradient: (node, [dy], wanted) => {
    if (!dy) return [undefined, undefined];
    const axis: number = node.attributes.axis;
    const first = node.inputs[0]!.shape[axis]!;
    return [
      wanted[0] ? slice(dy, axis, 0, first) : undefined,
      wanted[1] ? slice(dy, axis, first, dy.shape[axis]!) : undefined,
    ];
  },
  onnx: (node, emit) =>
    emit.node("Concat", node.inputs.map(emit.name), [emit.name(node.outputs[0]!)], {
      axis: BigInt(node.attributes.axis),
    }),
  evaluate: ([a, b], node) => {
    const axis: number = node.attributes.axis;
    const shape = node.outputs[0]!.shape;
    const data = new Float64Array(sizeOf(shape));
    const left = sizeOf(a!.shape.slice(axis));
    const right = sizeOf(b!.shape.slice(axis));
    for (let row = 0, rows = sizeOf(shape.slice(0, axis)); row < rows; row++) {
      data.set(a!.data.subarray(row * left, (row + 1) * left), row * (left + right));
      data.set(b!.data.subarray(row * right, (row + 1) * right), row * (left + right) + left);
    }
    return [{ shape, data }];
  },
  cheap: true,
  cases: [
    { inputs: [{ shape: [2, 3, 4] }, { shape: [2, 2, 4] }], attributes: { axis: 1 } },
    { inputs: [{ shape: [3, 4] }, { shape: [3, 1] }], attributes: { axis: 1 } },
  ],
};

/** Elements `start` (inclusive) to `end` (exclusive) along `axis`. */
export const sliceOp: OpRecord = {
  name: "slice",
  infer: ([x], { axis, start, end }) => {
    invariant(start >= 0 && end <= x!.shape[axis]! && start < end, `slice ${start}:${end} is outside axis ${axis}`);
    return f32(x!.shape.map((extent, i) => (i === axis ? end - start : extent)));
  },
  gradient: (node, [dy]) => {
    const { axis, start, end } = node.attributes;
    return [dy && pad(dy, axis, start, node.inputs[0]!.shape[axis]! - end)];
  },
  onnx: (node, emit) => {
    const { axis, start, end } = node.attributes;
    const vector = (value: number) => emit.constant("i64", [1], [value]);
    emit.node(
      "Slice",
      [emit.name(node.inputs[0]!), vector(start), vector(end), vector(axis)],
      [emit.name(node.outputs[0]!)],
    );
  },
  evaluate: ([x], node) => {
    const { axis, start, end } = node.attributes as { axis: number; start: number; end: number };
    const shape = node.outputs[0]!.shape;
    const inner = sizeOf(shape.slice(axis + 1));
    const from = x!.shape[axis]! * inner;
    const parts = (end - start) * inner;
    const data = new Float64Array(sizeOf(shape));
    for (let row = 0, rows = sizeOf(shape.slice(0, axis)); row < rows; row++) {
      data.set(x!.data.subarray(row * from + start * inner, row * from + end * inner), row * parts);
    }
    return [{ shape, data }];
  },
  cheap: true,
  cases: [{ inputs: [{ shape: [2, 5, 3] }], attributes: { axis: 1, start: 1, end: 4 } }],
};

/** Zeros before and after along `axis` (attributes `before`, `after`). */
export const padOp: OpRecord = {
  name: "pad",
  infer: ([x], { axis, before, after }) =>
    f32(x!.shape.map((extent, i) => (i === axis ? before + extent + after : extent))),
  gradient: (node, [dy]) => {
    const { axis, before } = node.attributes;
    return [dy && slice(dy, axis, before, before + node.inputs[0]!.shape[axis]!)];
  },
  onnx: (node, emit) => {
    const { axis, before, after } = node.attributes;
    const rank = node.inputs[0]!.shape.length;
    const amounts = Array.from({ length: 2 * rank }, (_, i) => (i === axis ? before : i === axis + rank ? after : 0));
    emit.node(
      "Pad",
      [emit.name(node.inputs[0]!), emit.constant("i64", [2 * rank], amounts)],
      [emit.name(node.outputs[0]!)],
    );
  },
  evaluate: ([x], node) => {
    const { axis, before } = node.attributes as { axis: number; before: number };
    const shape = node.outputs[0]!.shape;
    const inner = sizeOf(shape.slice(axis + 1));
    const from = x!.shape[axis]! * inner;
    const to = shape[axis]! * inner;
    const data = new Float64Array(sizeOf(shape));
    for (let row = 0, rows = sizeOf(shape.slice(0, axis)); row < rows; row++) {
      data.set(x!.data.subarray(row * from, (row + 1) * from), row * to + before * inner);
    }
    return [{ shape, data }];
  },
  cheap: true,
  cases: [{ inputs: [{ shape: [2, 3, 2] }], attributes: { axis: 1, before: 1, after: 2 } }],
};

export const reshape = (x: Value, to: Shape): Value => applyOne(reshapeOp, [x], { to });
export const transpose = (x: Value, order: readonly number[]): Value => applyOne(transposeOp, [x], { order });
export const pick = (x: Value, index: Value): Value => applyOne(pickOp, [x, index]);
export const addAt = (x: Value, index: Value, delta: Value): Value => applyOne(addAtOp, [x, index, delta]);
export const concat = (a: Value, b: Value, axis: number): Value => applyOne(concatOp, [a, b], { axis });
/** The input itself where nothing is cut off. */
export const slice = (x: Value, axis: number, start: number, end: number): Value =>
  start === 0 && end === x.shape[axis] ? x : applyOne(sliceOp, [x], { axis, start, end });
/** The input itself where there is nothing to add. */
export const pad = (x: Value, axis: number, before: number, after: number): Value =>
  before === 0 && after === 0 ? x : applyOne(padOp, [x], { axis, before, after });
