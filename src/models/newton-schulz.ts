/** Newton-Schulz orthogonalisation as compiled programs, one per matrix shape; what Muon spends its time on. */

import type { Session } from "../onnx/session.ts";
import { createSession } from "../onnx/session.ts";
import { add, scale } from "../tensor/elementwise.ts";
import { Graph } from "../tensor/graph.ts";
import { matmul } from "../tensor/matmul.ts";
import { extract } from "../tensor/program.ts";

export interface NewtonSchulzOptions {
  /** Coefficients of x <- a x + (b (x x^T) + c (x x^T)^2) x. */
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly iterations: number;
  /** Least norm that a matrix is divided by. */
  readonly epsilon: number;
  /** Threads of a run. Default: all the machine has. */
  readonly threads?: number;
}

export interface NewtonSchulz {
  /**
   * Orthogonalises a matrix [rows, cols], which it first divides by its Euclidean norm, in place; the result is reused by
   * the next call of its shape.
   */
  run(matrix: Float32Array, rows: number, cols: number): Promise<Float32Array>;
  release(): Promise<void>;
}

/** Owns native sessions: release it. */
export function createNewtonSchulz(options: NewtonSchulzOptions): NewtonSchulz {
  const sessions = new Map<string, { session: Session; result: Float32Array }>();
  const compile = async (rows: number, cols: number) => {
    const graph = new Graph();
    let x = graph.input("x", [rows, cols]);
    // The smaller side is multiplied out: x x^T for wide matrices, x^T x for tall ones.
    const tall = rows > cols;
    for (let i = 0; i < options.iterations; i++) {
      const square = tall ? matmul(x, x, { transposeA: true }) : matmul(x, x, { transposeB: true });
      const polynomial = add(scale(square, options.b), matmul(square, square, { alpha: options.c }));
      const product = tall ? matmul(x, polynomial) : matmul(polynomial, x);
      x = add(scale(x, options.a), product);
    }
    const program = extract(new Map([["y", x]]));
    const session = await createSession(program, {
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      name: "newton-schulz",
    });
    return { session, result: new Float32Array(rows * cols) };
  };
  return {
    run: async (matrix, rows, cols) => {
      const key = `${rows}x${cols}`;
      const compiled = sessions.get(key) ?? (await compile(rows, cols));
      sessions.set(key, compiled);
      let sum = 0;
      for (let i = 0; i < matrix.length; i++) sum += matrix[i]! * matrix[i]!;
      const norm = Math.max(Math.sqrt(sum), options.epsilon);
      for (let i = 0; i < matrix.length; i++) matrix[i]! /= norm;
      await compiled.session.run({ x: matrix }, { y: compiled.result });
      return compiled.result;
    },
    release: async () => {
      for (const { session } of sessions.values()) await session.release();
    },
  };
}
