/** Ops of transformers: softmax, RMS norm, rotary positions, cross-entropy, attention. */

import { invariant } from "../errors.ts";
import type { OpRecord, Value } from "./graph.ts";
import { applyOne, f32 } from "./graph.ts";
import { add, log, maxLast, mul, scale, sub, sumTo } from "./elementwise.ts";
import { addAt, concat, pad, pick, reshape, slice, transpose } from "./layout.ts";
import { matmul } from "./matmul.ts";

const rowsOf = (x: Value): readonly number[] => [...x.shape.slice(0, -1), 1];

/** Softmax along the last axis. */
export const softmaxOp: OpRecord = {
  name: "softmax",
  infer: ([x]) => f32(x!.shape),
  gradient: (node, [dy]) => {
    const y = node.outputs[0]!;
    return [dy && mul(y, sub(dy, sumTo(mul(dy, y), rowsOf(y))))];
  },
  onnx: (node, emit) => emit.node("Softmax", node.inputs.map(emit.name), node.outputs.map(emit.name), { axis: -1n }),
  evaluate: ([x]) => {
    const width = x!.shape.at(-1)!;
    const data = new Float64Array(x!.data.length);
    for (let start = 0; start < data.length; start += width) {
      const row = x!.data.subarray(start, start + width);
      const max = row.reduce((a, b) => Math.max(a, b), -Infinity);
      const sum = row.reduce((total, value) => total + Math.exp(value - max), 0);
      for (let i = 0; i < width; i++) data[start + i] = Math.exp(row[i]! - max) / sum;
    }
    return [{ shape: x!.shape, data }];
  },
  cheap: false,
  cases: [{ inputs: [{ shape: [3, 5] }] }, { inputs: [{ shape: [2, 2, 3, 4] }] }],
};

/** RMS norm (arXiv 1910.07467) over the last axis: x [N, D], w [D] -> y [N, D] and the inverse deviation r [N, 1]. */
export const rmsNormOp: OpRecord = {
  name: "rmsNorm",
  infer: ([x, w]) => {
    invariant(
      x!.shape.length === 2 && w!.shape.length === 1 && w!.shape[0] === x!.shape[1],
      "rmsNorm takes [N, D] and [D]",
    );
    return [
      { dtype: "f32", shape: x!.shape },
      { dtype: "f32", shape: [x!.shape[0]!, 1] },
    ];
  },
  gradient: (node, [dy, dr], wanted) => {
    invariant(!dr, "the inverse deviation of rmsNorm carries no gradient");
    if (!dy) return [];
    const [x, w] = node.inputs as [Value, Value];
    const r = node.outputs[1]!;
    const gradientOfX = () => {
      const g = mul(dy, w);
      const dot = sumTo(mul(g, x), r.shape);
      const cube = scale(mul(mul(r, r), mul(r, dot)), 1 / x.shape[1]!);
      return sub(mul(g, r), mul(x, cube));
    };
    return [wanted[0] ? gradientOfX() : undefined, wanted[1] ? sumTo(mul(dy, mul(x, r)), w.shape) : undefined];
  },
  onnx: (node, emit) => {
    const [y, r] = node.outputs.map(emit.name);
    const inputs = node.inputs.map(emit.name);
    emit.node("SimplifiedLayerNormalization", inputs, [y!, r!], {
      axis: -1n,
      epsilon: node.attributes.epsilon,
      stash_type: 1n,
    });
  },
  evaluate: ([x, w], node) => {
    const D = x!.shape[1]!;
    const N = x!.shape[0]!;
    const y = new Float64Array(N * D);
    const r = new Float64Array(N);
    for (let n = 0; n < N; n++) {
      let sum = 0;
      for (let d = 0; d < D; d++) sum += x!.data[n * D + d]! ** 2;
      r[n] = 1 / Math.sqrt(sum / D + node.attributes.epsilon);
      for (let d = 0; d < D; d++) y[n * D + d] = x!.data[n * D + d]! * r[n]! * w!.data[d]!;
    }
    return [
      { shape: x!.shape, data: y },
      { shape: [N, 1], data: r },
    ];
  },
  cheap: true,
  cases: [{ inputs: [{ shape: [4, 6] }, { shape: [6] }], attributes: { epsilon: 1e-5 } }],
};

/**
 * Rotary positions (arXiv 2104.09864) in the half-split form of Hugging Face checkpoints: x [B, T, heads * D],
 * positions i64 [B, T], cosine and sine tables [positions, D / 2]. Attribute `inverse` rotates back, which is the gradient.
 */
export const ropeOp: OpRecord = {
  name: "rope",
  infer: ([x, positions, cosine, sine], { heads }) => {
    const D = x!.shape[2]! / heads;
    invariant(
      positions!.dtype === "i64" && positions!.shape.join() === x!.shape.slice(0, 2).join(),
      "rope takes i64 positions [B, T]",
    );
    invariant(
      cosine!.shape[1] === D / 2 && sine!.shape.join() === cosine!.shape.join(),
      "rope takes tables [P, D / 2]",
    );
    return f32(x!.shape);
  },
  gradient: (node, [dy]) => {
    const [, positions, cosine, sine] = node.inputs as [Value, Value, Value, Value];
    return [dy && rope(dy, positions, cosine, sine, { ...node.attributes, inverse: !node.attributes.inverse })];
  },
  onnx: (node, emit) => {
    const [x, positions, cosine, sine] = node.inputs.map(emit.name);
    let table = sine!;
    if (node.attributes.inverse) {
      table = emit.temporary();
      emit.node("Neg", [sine!], [table]);
    }
    const attributes = { interleaved: 0n, num_heads: BigInt(node.attributes.heads) };
    emit.node(
      "RotaryEmbedding",
      [x!, positions!, cosine!, table],
      [emit.name(node.outputs[0]!)],
      attributes,
      "com.microsoft",
    );
  },
  evaluate: ([x, positions, cosine, sine], node) => {
    const { heads, inverse } = node.attributes as RopeOptions;
    const [B, T, width] = x!.shape as [number, number, number];
    const D = width / heads;
    const half = D / 2;
    const data = new Float64Array(x!.data.length);
    for (let row = 0; row < B * T; row++) {
      for (let i = 0; i < heads * half; i++) {
        const first = row * width + Math.floor(i / half) * D + (i % half);
        const at = positions!.data[row]! * half + (i % half);
        const c = cosine!.data[at]!;
        const s = inverse ? -sine!.data[at]! : sine!.data[at]!;
        data[first] = x!.data[first]! * c - x!.data[first + half]! * s;
        data[first + half] = x!.data[first + half]! * c + x!.data[first]! * s;
      }
    }
    return [{ shape: x!.shape, data }];
  },
  cheap: true,
  cases: [false, true].map((inverse) => ({
    inputs: [
      { shape: [2, 3, 8] },
      { shape: [2, 3], dtype: "i64" as const, below: 5 },
      { shape: [5, 2] },
      { shape: [5, 2] },
    ],
    attributes: { heads: 2, inverse },
  })),
};

export interface RopeOptions {
  readonly heads: number;
  readonly inverse?: boolean;
}

export const rope = (x: Value, positions: Value, cosine: Value, sine: Value, options: RopeOptions): Value =>
  applyOne(ropeOp, [x, positions, cosine, sine], options);

/**
 * Negative log-likelihood of labels: logits [N, V], labels i32 [N, 1] -> nll [N, 1] and the probabilities [N, V].
 * log(sum(exp)) is taken as max(logits) - log(max(probabilities)): the largest probability never underflows.
 */
export const crossEntropyOp: OpRecord = {
  name: "crossEntropy",
  infer: ([logits, labels]) => {
    invariant(
      labels!.dtype === "i32" && labels!.shape.join() === `${logits!.shape[0]},1`,
      "crossEntropy takes i32 labels [N, 1]",
    );
    return [
      { dtype: "f32", shape: labels!.shape },
      { dtype: "f32", shape: logits!.shape },
    ];
  },
  expand: ([logits, labels]) => {
    const probabilities = softmax(logits!);
    const logSum = sub(maxLast(logits!), log(maxLast(probabilities)));
    return [sub(logSum, pick(logits!, labels!)), probabilities];
  },
  gradient: (node, [dnll]) => {
    if (!dnll) return [];
    const [, labels] = node.inputs as [Value, Value];
    const probabilities = node.outputs[1]!;
    return [addAt(mul(probabilities, dnll), labels, scale(dnll, -1))];
  },
  cheap: false,
  cases: [{ inputs: [{ shape: [4, 7] }, { shape: [4, 1], dtype: "i32", below: 7 }] }],
};

export interface AttentionOptions {
  readonly heads: number;
  readonly keyValueHeads: number;
  /** Factor of the scores, usually 1 / sqrt(head size). */
  readonly scale: number;
  /** Rows of a piece of causal attention; see `attentionOp`. Default: all rows in one piece. */
  readonly chunk?: number;
}

/** [B, T, heads * D] -> [B, groups, heads / groups * T, D]: query heads that share a key head lie in one matrix. */
function split(x: Value, heads: number, groups: number): Value {
  const [B, T, width] = x.shape as [number, number, number];
  const D = width / heads;
  return reshape(transpose(reshape(x, [B, T, heads, D]), [0, 2, 1, 3]), [B, groups, (heads / groups) * T, D]);
}

function join(x: Value, heads: number, T: number): Value {
  const B = x.shape[0]!;
  const D = x.shape[3]!;
  return reshape(transpose(reshape(x, [B, heads, T, D]), [0, 2, 1, 3]), [B, T, heads * D]);
}

/** One stretch of query rows with the keys it may see. */
interface Piece {
  readonly start: number;
  readonly end: number;
  /** Keys from 0 to here. */
  readonly keys: number;
}

/** Without `chunk` one piece sees all keys; with it, rows see no key behind their piece. */
function piecesOf(T: number, S: number, chunk: number | undefined): Piece[] {
  if (chunk === undefined) return [{ start: 0, end: T, keys: S }];
  const count = Math.ceil(T / chunk);
  return Array.from({ length: count }, (_, i) => {
    const end = Math.min(T, (i + 1) * chunk);
    return { start: i * chunk, end, keys: end };
  });
}

/** Queries, keys, values and attention weights of each piece. */
function attentionPieces([q, k, v, bias]: readonly Value[], options: AttentionOptions) {
  const { heads, keyValueHeads: groups } = options;
  const [B, T] = q!.shape as [number, number];
  const keys = split(k!, groups, groups); // [B, G, S, D]
  const values = split(v!, groups, groups);
  return piecesOf(T, k!.shape[1]!, options.chunk).map((piece) => {
    const rows = piece.end - piece.start;
    const queries = split(slice(q!, 1, piece.start, piece.end), heads, groups); // [B, G, H/G rows, D]
    const seen = { keys: slice(keys, 2, 0, piece.keys), values: slice(values, 2, 0, piece.keys) };
    const scores = matmul(queries, seen.keys, { transposeB: true, alpha: options.scale }); // [B, G, H/G rows, keys]
    const mask = slice(slice(bias!, 2, piece.start, piece.end), 3, 0, piece.keys);
    const biased = add(reshape(scores, [B, heads, rows, piece.keys]), mask);
    const weights = reshape(softmax(biased), [B, groups, (heads / groups) * rows, piece.keys]);
    return { piece, queries, ...seen, weights };
  });
}

/**
 * Grouped-query attention: q [B, T, H D], k and v [B, S, G D], bias [B, 1, T, S] added to the scores (0 or a large
 * negative number) -> [B, T, H D]. With `chunk` (only where S = T) rows are taken in pieces and keys behind a piece are
 * not computed at all: the bias must mask them. The gradient computes the weights again and uses sum(dP P) = sum(dO O)
 * (arXiv 2205.14135), so that nothing of size T x S is kept.
 */
export const attentionOp: OpRecord = {
  name: "attention",
  infer: ([q, k, v, bias], { heads, keyValueHeads, chunk }: AttentionOptions) => {
    const [B, T, width] = q!.shape;
    const [, S, small] = k!.shape;
    invariant(width! / heads === small! / keyValueHeads && heads % keyValueHeads === 0, "attention: head sizes differ");
    invariant(
      k!.shape.join() === v!.shape.join() && bias!.shape.join() === `${B},1,${T},${S}`,
      "attention: shapes do not fit",
    );
    invariant(chunk === undefined || S === T, "attention: chunks are for queries and keys of the same positions");
    return f32(q!.shape);
  },
  expand: (inputs, options) => {
    const outputs = attentionPieces(inputs, options).map(({ piece, weights, values }) =>
      join(matmul(weights, values), options.heads, piece.end - piece.start),
    );
    return [outputs.reduce((left, right) => concat(left, right, 1))];
  },
  gradient: (node, [dy]) => {
    if (!dy) return [];
    const options: AttentionOptions = node.attributes;
    const { heads, keyValueHeads: groups } = options;
    const S = node.inputs[1]!.shape[1]!;
    const parts = attentionPieces(node.inputs, options).map(({ piece, queries, keys, values, weights }) => {
      const rows = (x: Value): Value => split(slice(x, 1, piece.start, piece.end), heads, groups);
      const dOutput = rows(dy);
      const output = rows(node.outputs[0]!);
      const delta = sumTo(mul(dOutput, output), [...output.shape.slice(0, -1), 1]);
      const dScores = mul(weights, sub(matmul(dOutput, values, { transposeB: true }), delta));
      const whole = (x: Value): Value => pad(x, 2, 0, S - piece.keys);
      return {
        q: join(matmul(dScores, keys, { alpha: options.scale }), heads, piece.end - piece.start),
        k: whole(matmul(dScores, queries, { transposeA: true, alpha: options.scale })),
        v: whole(matmul(weights, dOutput, { transposeA: true })),
      };
    });
    return [
      parts.map(({ q }) => q).reduce((left, right) => concat(left, right, 1)),
      join(parts.map(({ k }) => k).reduce(add), groups, S),
      join(parts.map(({ v }) => v).reduce(add), groups, S),
      undefined,
    ];
  },
  cheap: false,
  cases: [
    {
      inputs: [{ shape: [2, 3, 8] }, { shape: [2, 3, 4] }, { shape: [2, 3, 4] }, { shape: [2, 1, 3, 3] }],
      attributes: { heads: 4, keyValueHeads: 2, scale: 0.7 },
    },
    {
      inputs: [{ shape: [1, 2, 6] }, { shape: [1, 5, 6] }, { shape: [1, 5, 6] }, { shape: [1, 1, 2, 5] }],
      attributes: { heads: 3, keyValueHeads: 3, scale: 1 },
    },
    {
      inputs: [{ shape: [2, 5, 8] }, { shape: [2, 5, 4] }, { shape: [2, 5, 4] }, { shape: [2, 1, 5, 5] }],
      attributes: { heads: 4, keyValueHeads: 2, scale: 0.7, chunk: 2 },
    },
  ],
};

export const softmax = (x: Value): Value => applyOne(softmaxOp, [x]);
/** See `rmsNormOp`; gives y only. */
export const rmsNorm = (x: Value, w: Value, epsilon: number): Value => applyOne(rmsNormOp, [x, w], { epsilon });
/** See `crossEntropyOp`; gives the nll [N, 1] only. */
export const crossEntropy = (logits: Value, labels: Value): Value => applyOne(crossEntropyOp, [logits, labels]);
/** See `attentionOp`. */
export const attention = (q: Value, k: Value, v: Value, bias: Value, options: AttentionOptions): Value =>
  applyOne(attentionOp, [q, k, v, bias], options);
