/** Matrix products: one op for rank 2 (with an optional addend) and for batches. */

import { invariant } from "../errors.ts";
import type { OpRecord, Shape, Value } from "./graph.ts";
import { applyOne, f32, sizeOf } from "./graph.ts";

export interface MatmulOptions {
  /** Transposes the last two axes of the left operand. Default false. */
  readonly transposeA?: boolean;
  /** Transposes the last two axes of the right operand. Default false. */
  readonly transposeB?: boolean;
  /** Factor of the product. Default 1. */
  readonly alpha?: number;
}

const lastTwo = (shape: Shape, transposed: boolean | undefined): [number, number] => {
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
  return transposed ? [columns, rows] : [rows, columns];
};

/** alpha op(a) op(b) (+ c): a [.., M, K], b [.., K, N], equal leading axes; the addend c [M, N] only at rank 2. */
export const matmulOp: OpRecord = {
  name: "matmul",
  infer: ([a, b, c], { transposeA, transposeB }: MatmulOptions) => {
    const [M, K] = lastTwo(a!.shape, transposeA);
    const [inner, N] = lastTwo(b!.shape, transposeB);
    const batch = a!.shape.slice(0, -2);
    invariant(
      K === inner && batch.join() === b!.shape.slice(0, -2).join() && a!.shape.length >= 2,
      `matmul of [${a!.shape.join(", ")}] and [${b!.shape.join(", ")}] does not fit`,
    );
    invariant(!c || (batch.length === 0 && c.shape.join() === `${M},${N}`), "matmul's addend has another shape");
    return f32([...batch, M, N]);
  },
  gradient: (node, [dy], wanted) => {
    if (!dy) return [];
    const [a, b] = node.inputs as [Value, Value];
    const { transposeA = false, transposeB = false, alpha = 1 } = node.attributes as MatmulOptions;
    const da = () =>
      transposeA
        ? matmul(b, dy, { transposeA: transposeB, transposeB: true, alpha })
        : matmul(dy, b, { transposeB: !transposeB, alpha });
    const db = () =>
      transposeB
        ? matmul(dy, a, { transposeA: true, transposeB: transposeA, alpha })
        : matmul(a, dy, { transposeA: !transposeA, alpha });
    return [wanted[0] ? da() : undefined, wanted[1] ? db() : undefined, wanted[2] ? dy : undefined];
  },
  onnx: (node, emit) => {
    const { transposeA = false, transposeB = false, alpha = 1 } = node.attributes as MatmulOptions;
    const inputs = node.inputs.map(emit.name);
    const outputs = node.outputs.map(emit.name);
    const flags = { transA: BigInt(transposeA), transB: BigInt(transposeB), alpha };
    if (node.inputs[0]!.shape.length === 2) emit.node("Gemm", inputs, outputs, flags);
    else emit.node("FusedMatMul", inputs, outputs, flags, "com.microsoft");
  },
  evaluate: ([a, b, c], node) => {
    const { transposeA, transposeB, alpha = 1 } = node.attributes as MatmulOptions;
    const [M, K] = lastTwo(a!.shape, transposeA);
    const [, N] = lastTwo(b!.shape, transposeB);
    const shape = node.outputs[0]!.shape;
    const data = new Float64Array(sizeOf(shape));
    for (let batch = 0, count = sizeOf(shape.slice(0, -2)); batch < count; batch++) {
      for (let m = 0; m < M; m++) {
        for (let n = 0; n < N; n++) {
          let sum = 0;
          for (let k = 0; k < K; k++) {
            sum +=
              a!.data[batch * M * K + (transposeA ? k * M + m : m * K + k)]! *
              b!.data[batch * K * N + (transposeB ? n * K + k : k * N + n)]!;
          }
          data[(batch * M + m) * N + n] = alpha * sum + (c ? c.data[m * N + n]! : 0);
        }
      }
    }
    return [{ shape, data }];
  },
  cheap: false,
  cases: [
    { inputs: [{ shape: [3, 4] }, { shape: [4, 5] }] },
    { inputs: [{ shape: [4, 3] }, { shape: [4, 5] }], attributes: { transposeA: true } },
    { inputs: [{ shape: [3, 4] }, { shape: [5, 4] }], attributes: { transposeB: true, alpha: 0.5 } },
    { inputs: [{ shape: [4, 3] }, { shape: [5, 4] }], attributes: { transposeA: true, transposeB: true } },
    { inputs: [{ shape: [3, 4] }, { shape: [4, 5] }, { shape: [3, 5] }], attributes: { alpha: 2 } },
    { inputs: [{ shape: [2, 3, 3, 4] }, { shape: [2, 3, 5, 4] }], attributes: { transposeB: true, alpha: 0.25 } },
    { inputs: [{ shape: [2, 4, 3] }, { shape: [2, 4, 5] }], attributes: { transposeA: true } },
  ],
};

/** Product of matrices, or of batches of matrices; see `matmulOp`. */
export function matmul(a: Value, b: Value, options: MatmulOptions & { addend?: Value } = {}): Value {
  const { addend, ...attributes } = options;
  return applyOne(matmulOp, addend ? [a, b, addend] : [a, b], attributes);
}

/** x [N, in] times a weight kept as in checkpoints, [out, in]: x w^T. */
export const linear = (x: Value, w: Value): Value => matmul(x, w, { transposeB: true });

/**
 * Linear layer with a low-rank adapter (LoRA, arXiv 2106.09685): x (w + s B A)^T with x [N, in], w [out, in], A [r, in],
 * B [out, r]. The sum of the weights is formed before the product, so that the large product is one and the result is
 * that of the merged weight; its gradient stays low-rank: dB = s dy^T (x A^T), dA = s (dy B)^T x.
 */
export const loraLinearOp: OpRecord = {
  name: "loraLinear",
  infer: ([x, w, a, b]) => {
    const [out, inner] = w!.shape;
    invariant(
      x!.shape[1] === inner && a!.shape[1] === inner && b!.shape[0] === out && a!.shape[0] === b!.shape[1],
      "loraLinear takes x [N, in], w [out, in], A [r, in], B [out, r]",
    );
    return f32([x!.shape[0]!, out!]);
  },
  expand: ([x, w, a, b], { by }) => [linear(x!, matmul(b!, a!, { alpha: by, addend: w! }))],
  gradient: (node, [dy], wanted) => {
    if (!dy) return [];
    const [x, w, a, b] = node.inputs as [Value, Value, Value, Value];
    const by: number = node.attributes.by;
    const dxa = wanted[2] ? matmul(dy, b) : undefined; // [N, r]
    return [
      wanted[0] ? matmul(dy, matmul(b, a, { alpha: by, addend: w })) : undefined,
      wanted[1] ? matmul(dy, x, { transposeA: true }) : undefined,
      dxa && matmul(dxa, x, { transposeA: true, alpha: by }),
      wanted[3] ? matmul(dy, linear(x, a), { transposeA: true, alpha: by }) : undefined,
    ];
  },
  cheap: false,
  cases: [
    { inputs: [{ shape: [5, 6] }, { shape: [4, 6] }, { shape: [2, 6] }, { shape: [4, 2] }], attributes: { by: 0.7 } },
  ],
};

/** See `loraLinearOp`; `by` is alpha / r, or alpha / sqrt(r) for rsLoRA (arXiv 2312.03732). */
export const loraLinear = (x: Value, w: Value, a: Value, b: Value, by: number): Value =>
  applyOne(loraLinearOp, [x, w, a, b], { by });
