/** Muon for matrices (Newton-Schulz orthogonalised momentum), AdamW for everything else. */

import { invariant } from "../../errors.ts";
import type { Parameter } from "../../models/step.ts";
import { createAdamW, type AdamWOptions } from "./adamw.ts";
import { isTrained, type Optimiser, type StateTensor } from "./optimiser.ts";

/**
 * Brings a row-major [rows, cols] matrix near the closest semi-orthogonal one: `newtonSchulz` below, or a compiled
 * graph of the same. It may overwrite its argument; the result may be a buffer that the next call reuses.
 */
export type Orthogonalise = (matrix: Float32Array, rows: number, cols: number) => Promise<Float32Array>;

export interface MuonOptions extends AdamWOptions {
  readonly orthogonalise: Orthogonalise;
  /** Decay of the momentum; default 0.95. */
  readonly momentum?: number;
}

/** Coefficients of the quintic iteration (kellerjordan.github.io/posts/muon). */
export const NEWTON_SCHULZ = { a: 3.4445, b: -4.775, c: 2.0315, iterations: 5, epsilon: 1e-7 } as const;

/**
 * Muon: momentum b <- mu b + (1 - mu) g, Nesterov direction (1 - mu) g + mu b, orthogonalised; the update is scaled by
 * 0.2 sqrt(max(rows, cols)), so that its root mean square is that of AdamW and one learning rate and weight decay serve
 * both (arXiv 2502.16982). State: `<parameter>.momentum`, and AdamW's for the rest.
 */
export function createMuon(parameters: readonly Parameter[], options: MuonOptions): Optimiser {
  const { orthogonalise, momentum = 0.95, ...adam } = options;
  const rest = createAdamW(
    parameters.filter(({ kind }) => kind !== "matrix"),
    adam,
  );
  const weightDecay = rest.settings["weightDecay"]!;
  const slots = parameters
    .filter((parameter) => parameter.kind === "matrix" && isTrained(parameter))
    .map((parameter) => {
      const [rows, cols] = parameter.shape;
      invariant(
        parameter.shape.length === 2,
        `Muon wants matrices, "${parameter.name}" is [${parameter.shape.join()}]`,
      );
      return { parameter, rows: rows!, cols: cols!, buffer: new Float32Array(parameter.data.length) };
    });
  const own: readonly StateTensor[] = slots.map(({ parameter: { name, shape }, buffer }) => ({
    name: `${name}.momentum`,
    shape,
    data: buffer,
  }));
  const tensors = [...own, ...rest.state()];
  return {
    name: "muon",
    settings: { ...rest.settings, momentum, ...NEWTON_SCHULZ },
    get steps() {
      return rest.steps;
    },
    async step(learningRate, gradientScale) {
      for (const { parameter, rows, cols, buffer } of slots) {
        const direction = nesterov(buffer, parameter.gradient, momentum, gradientScale);
        const orthogonal = await orthogonalise(direction, rows, cols);
        const own = learningRate * (parameter.rate ?? 1);
        const keep = 1 - own * weightDecay;
        apply(parameter.data, orthogonal, keep, own * 0.2 * Math.sqrt(Math.max(rows, cols)));
      }
      await rest.step(learningRate, gradientScale);
    },
    state: () => tensors,
    resumeAt: (steps) => rest.resumeAt(steps),
  };
}

function nesterov(buffer: Float32Array, gradient: Float32Array, momentum: number, scale: number): Float32Array {
  const n = buffer.length;
  const direction = new Float32Array(n);
  const gain = (1 - momentum) * scale;
  for (let i = 0; i < n; i++) {
    const g = gain * gradient[i]!;
    const b = momentum * buffer[i]! + g;
    buffer[i] = b;
    direction[i] = g + momentum * b;
  }
  return direction;
}

function apply(data: Float32Array, direction: Float32Array, keep: number, rate: number): void {
  invariant(data.length === direction.length, `update of ${direction.length} values for ${data.length}`);
  const n = data.length;
  for (let i = 0; i < n; i++) data[i] = keep * data[i]! - rate * direction[i]!;
}

/**
 * Five Newton-Schulz steps X <- a X + (b A + c A A) X with A = X X^T, from X / |X|, on the shorter side. The plain
 * reference, in f64 sums: use a compiled one where matrices are large.
 */
export const newtonSchulz: Orthogonalise = (matrix, rows, cols) => {
  const { a, b, c, iterations, epsilon } = NEWTON_SCHULZ;
  const tall = rows > cols;
  const [r, k] = tall ? [cols, rows] : [rows, cols];
  let x = tall ? transpose(matrix, rows, cols) : matrix.slice();
  let sum = 0;
  for (const value of x) sum += value * value;
  const scale = 1 / Math.max(Math.sqrt(sum), epsilon);
  x = x.map((value) => value * scale);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const gram = multiply(x, transpose(x, r, k), r, k, r); // [r, r]
    const square = multiply(gram, gram, r, r, r);
    const polynomial = gram.map((value, i) => b * value + c * square[i]!);
    const moved = multiply(polynomial, x, r, r, k); // [r, k]
    x = x.map((value, i) => a * value + moved[i]!);
  }
  return Promise.resolve(tall ? transpose(x, r, k) : x);
};

function transpose(x: Float32Array, rows: number, cols: number): Float32Array {
  const out = new Float32Array(x.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) out[j * rows + i] = x[i * cols + j]!;
  return out;
}

/** [m, k] times [k, n]. */
function multiply(x: Float32Array, y: Float32Array, m: number, k: number, n: number): Float32Array {
  const out = new Float32Array(m * n);
  const row = new Float64Array(n);
  for (let i = 0; i < m; i++) {
    row.fill(0);
    for (let p = 0; p < k; p++) {
      const value = x[i * k + p]!;
      for (let j = 0; j < n; j++) row[j] = row[j]! + value * y[p * n + j]!;
    }
    out.set(row, i * n);
  }
  return out;
}
