/** A softmax bigram model with exact gradients: the smallest real `Step`, for tests of the loop. */

import { uniform } from "../src/formats/random.ts";
import type { Batch } from "../src/models/batch.ts";
import type { Parameter, Step } from "../src/models/step.ts";

/** Sizes of the tests' model and micro-batches. */
export const BIGRAM = { vocabulary: 12, hidden: 6, B: 2, T: 16 } as const;

/**
 * logits = E[id] W^T + b with E [V, H] (embedding), W [V, H] (matrix) and b [V] (bias), seeded.
 * `onAccumulate` runs before each micro-batch.
 */
export function bigramStep(onAccumulate: () => void = () => {}): Step {
  const { vocabulary: V, hidden: H } = BIGRAM;
  const random = generator(7);
  const parameter = (name: string, shape: readonly number[], kind: Parameter["kind"]): Parameter => {
    const size = shape.reduce((a, b) => a * b, 1);
    const data = Float32Array.from({ length: size }, () => (kind === "bias" ? 0 : random() - 0.5));
    return { name, shape, kind, data, gradient: new Float32Array(size) };
  };
  const E = parameter("embedding.weight", [V, H], "embedding");
  const W = parameter("head.weight", [V, H], "matrix");
  const b = parameter("head.bias", [V], "bias");

  const probabilities = (id: number): Float64Array => {
    const out = new Float64Array(V);
    for (let v = 0; v < V; v++) {
      let logit = b.data[v]!;
      for (let h = 0; h < H; h++) logit += E.data[id * H + h]! * W.data[v * H + h]!;
      out[v] = logit;
    }
    const top = Math.max(...out);
    let sum = 0;
    for (let v = 0; v < V; v++) sum += out[v] = Math.exp(out[v]! - top);
    return out.map((value) => value / sum);
  };
  return {
    B: BIGRAM.B,
    T: BIGRAM.T,
    parameters: [E, W, b],
    accumulate(batch) {
      onAccumulate();
      let loss = 0;
      let weight = 0;
      batch.weights.forEach((w, i) => {
        if (w === 0) return;
        const id = batch.ids[i]!;
        const p = probabilities(id);
        loss -= w * Math.log(p[batch.targets[i]!]!);
        weight += w;
        for (let v = 0; v < V; v++) {
          const d = w * (p[v]! - (v === batch.targets[i] ? 1 : 0));
          b.gradient[v]! += d;
          for (let h = 0; h < H; h++) {
            W.gradient[v * H + h]! += d * E.data[id * H + h]!;
            E.gradient[id * H + h]! += d * W.data[v * H + h]!;
          }
        }
      });
      return Promise.resolve({ loss, weight });
    },
    evaluate(batch) {
      const nll = (w: number, i: number) => (w === 0 ? 0 : -Math.log(probabilities(batch.ids[i]!)[batch.targets[i]!]!));
      return Promise.resolve(Float32Array.from(batch.weights, nll));
    },
    release: () => Promise.resolve(),
  };
}

/** Micro-batches of a noisy cycle over the vocabulary, of uneven lengths: a pure function of (step, micro). */
export const bigramStream = {
  batch(step: number, micro: number): Batch {
    const { vocabulary: V, B, T } = BIGRAM;
    const random = generator(1 + step * 64 + micro);
    const ids = new Int32Array(B * T);
    const targets = new Int32Array(B * T);
    const weights = new Float32Array(B * T);
    const documents = new Int32Array(B * T).fill(-1);
    const positions = new Int32Array(B * T);
    for (let s = 0; s < B; s++) {
      const length = 1 + Math.floor(random() * T);
      let id = Math.floor(random() * V);
      for (let t = 0; t < length; t++) {
        const i = s * T + t;
        const next = random() < 0.8 ? (id + 1) % V : Math.floor(random() * V);
        ids[i] = id;
        targets[i] = next;
        weights[i] = 1;
        positions[i] = t;
        documents[i] = 0;
        id = next;
      }
    }
    return { B, T, ids, targets, weights, positions, documents };
  },
};

function generator(a: number): () => number {
  let b = 0;
  return () => uniform(7, "bigram", a, b++);
}
