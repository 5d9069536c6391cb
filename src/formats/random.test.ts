import assert from "node:assert/strict";
import { test } from "node:test";
import { hash32, normal, permutation, uniform } from "./random.ts";

test("the counter hash keeps its values: runs recorded with them must replay", () => {
  assert.deepEqual(
    [hash32(0, "", 0, 0), hash32(1, "shuffle", 2, 3), hash32(2 ** 40 + 1, "shuffle", 2, 3), hash32(1, "lora", 2, 3)],
    [1290337585, 3396395141, 2863984883, 1407846723],
  );
});

test("every argument counts, its upper half too", () => {
  const values = [
    hash32(7, "x", 1, 2),
    hash32(8, "x", 1, 2),
    hash32(7 + 2 ** 32, "x", 1, 2),
    hash32(7, "y", 1, 2),
    hash32(7, "xx", 1, 2),
    hash32(7, "x", 2, 1),
    hash32(7, "x", 1 + 2 ** 32, 2),
    hash32(7, "x", 1, 3),
    hash32(7, "x", 1, 2 + 2 ** 32),
  ];
  assert.equal(new Set(values).size, values.length);
});

test("uniform and normal have the moments of their distributions", () => {
  const n = 100_000;
  let u = 0;
  let uu = 0;
  let z = 0;
  let zz = 0;
  let lag = 0;
  for (let i = 0; i < n; i++) {
    const x = uniform(3, "test", 0, i);
    assert.ok(x >= 0 && x < 1);
    u += x;
    uu += x * x;
    const y = normal(3, "test", 0, i);
    z += y;
    zz += y * y;
    lag += y * normal(3, "test", 0, i + 1);
  }
  assert.ok(Math.abs(u / n - 0.5) < 0.005);
  assert.ok(Math.abs(uu / n - 1 / 3) < 0.005);
  assert.ok(Math.abs(z / n) < 0.015);
  assert.ok(Math.abs(zz / n - 1) < 0.02);
  assert.ok(Math.abs(lag / n) < 0.015);
});

test("a permutation holds every index once and differs by epoch and seed", () => {
  const first = permutation(1, "shuffle", 0, 1000);
  assert.deepEqual(
    [...first].sort((a, b) => a - b),
    Array.from({ length: 1000 }, (_, i) => i),
  );
  assert.deepEqual(first, permutation(1, "shuffle", 0, 1000));
  assert.notDeepEqual(first, permutation(1, "shuffle", 1, 1000));
  assert.notDeepEqual(first, permutation(2, "shuffle", 0, 1000));
});
