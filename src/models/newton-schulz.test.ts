import assert from "node:assert/strict";
import { test } from "node:test";
import { normal } from "../formats/random.ts";
import { createNewtonSchulz } from "./newton-schulz.ts";

const settings = { a: 3.4445, b: -4.775, c: 2.0315, iterations: 5, epsilon: 1e-7, threads: 1 };

for (const [rows, cols] of [
  [6, 6],
  [12, 5],
  [5, 12],
] as const) {
  test(`singular values of a ${rows} x ${cols} matrix come near 1, its singular directions stay`, async () => {
    const matrix = Float32Array.from({ length: rows * cols }, (_, i) => normal(3, "matrix", rows, i));
    const given = matrix.slice();
    const solver = createNewtonSchulz(settings);
    const y = (await solver.run(matrix, rows, cols)).slice();
    await solver.release();
    const at = (x: Float32Array, i: number, j: number): number => (rows > cols ? x[j * cols + i]! : x[i * cols + j]!);
    const [small, large] = rows > cols ? [cols, rows] : [rows, cols];
    // Quadratic forms of y y^T lie between the squares of its least and greatest singular value: about 0.7 and 1.2.
    for (let trial = 0; trial < 20; trial++) {
      const u = Array.from({ length: small }, (_, i) => normal(trial, "direction", rows, i));
      const length = Math.hypot(...u);
      let form = 0;
      for (let j = 0; j < large; j++) form += (u.reduce((sum, ui, i) => sum + ui * at(y, i, j), 0) / length) ** 2;
      assert.ok(form > 0.3 && form < 1.6, `quadratic form ${form}`);
    }
    // x y^T = U S V^T V S' U^T is symmetric.
    const cross = (i: number, k: number): number => {
      let sum = 0;
      for (let j = 0; j < large; j++) sum += at(given, i, j) * at(y, k, j);
      return sum;
    };
    for (let i = 0; i < small; i++) for (let k = 0; k < i; k++) assert.ok(Math.abs(cross(i, k) - cross(k, i)) < 1e-3);
  });
}
