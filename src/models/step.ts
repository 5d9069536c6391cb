/**
 * The compiled step: losses and gradients of packed batches. One forward and one backward program serve all layers, with
 * the weights as inputs; embedding rows are gathered and scattered here, where a loop over rows costs next to nothing.
 */

import { invariant } from "../errors.ts";
import type { TensorData } from "../onnx/session.ts";
import type { Shape } from "../tensor/graph.ts";
import { sizeOf } from "../tensor/graph.ts";
import type { Saving } from "../tensor/program.ts";
import type { LoraOptions } from "./adapter.ts";
import { initialA, isTarget } from "./adapter.ts";
import type { Batch } from "./batch.ts";
import { masked } from "./block.ts";
import { compileBlock } from "./blocks.ts";
import type { Body } from "./body.ts";
import { compileHead } from "./head.ts";
import type { CompiledHead } from "./head.ts";
import { EMBEDDING, FINAL_NORM, HEAD, layerPrefix, layerShapes, layerWeights, weightOf } from "./layer-weights.ts";
import { ropeTable } from "./rope-table.ts";

export interface Parameter {
  /** As in the checkpoint; adapters are `<module>.lora_A.weight` [r, in] and `<module>.lora_B.weight` [out, r]. */
  readonly name: string;
  readonly shape: Shape;
  /** Updated in place by an optimiser. */
  readonly data: Float32Array;
  /** Where `accumulate` adds to; empty for a frozen one. */
  readonly gradient: Float32Array;
  /** Factor of the learning rate; 0: frozen. Default 1. */
  readonly rate?: number;
  /** `head`: a head of its own, which decays like a matrix, though it is none for orthogonalising optimisers. */
  readonly kind: "matrix" | "head" | "embedding" | "norm" | "bias";
}

export interface StepOptions {
  /** Sequences of a batch. */
  readonly B: number;
  /** Positions of a sequence. */
  readonly T: number;
  readonly train: "none" | "full" | { readonly lora: LoraOptions };
  /** Factor of the learning rate of what trains the weight of this name; 0 freezes it. Default 1. */
  readonly rateOf?: (weight: string) => number;
  /** Default: all the machine has. */
  readonly threads?: number;
  /** What the forward pass keeps for the backward one. Default "dear". */
  readonly saving?: Saving;
}

/** Owns native sessions: release it. */
export interface Step {
  readonly B: number;
  readonly T: number;
  /** What is trained, in the order of the checkpoint, and what of it is frozen. */
  readonly parameters: readonly Parameter[];
  /**
   * Adds the gradient of sum(w nll) to the parameters' gradients and gives that sum, in nats, and sum(w). Dividing by the
   * whole step's weight is the caller's business: so that micro-batches of unequal weight add up exactly.
   */
  accumulate(batch: Batch): Promise<{ loss: number; weight: number }>;
  /** Negative log-likelihood in nats of each target, [B, T]; 0 where the weight is 0. */
  evaluate(batch: Batch): Promise<Float32Array>;
  release(): Promise<void>;
}

function kindOf(name: string, shape: Shape): Parameter["kind"] {
  if (name === EMBEDDING) return "embedding";
  if (name === HEAD) return "head";
  if (name.endsWith(".bias")) return "bias";
  return shape.length === 1 ? "norm" : "matrix";
}

/**
 * Compiles the training (or, with `train: "none"`, the scoring) of a body for batches of one shape. With LoRA the body's
 * weights stay frozen; with full training they are updated in place through `parameters`.
 */
export async function compileStep(body: Pick<Body, "config" | "weights">, options: StepOptions): Promise<Step> {
  const { B, T, train, threads } = options;
  const { config } = body;
  const D = config.hiddenSize;
  const N = B * T;
  const lora = typeof train === "object" ? train.lora : undefined;
  const blockShapes = layerShapes(config);

  const parameters = trainableParameters(body, blockShapes, options);
  const gradientOf = new Map(parameters.flatMap(({ name, gradient, rate }) => (rate === 0 ? [] : [[name, gradient]])));
  const layers = layerWeights(body, parameters, lora);
  // What is frozen in one layer may be trained in another: one backward program serves all.
  const inLayers = [...gradientOf.keys()].flatMap((name) => {
    const [, layer, inside] = /^model\.layers\.(\d+)\.(.+)$/.exec(name) ?? [];
    return inside === undefined ? [] : [{ layer: Number(layer), inside }];
  });
  const trainable = [...new Set(inLayers.map(({ inside }) => inside))];
  /** The lowest layer that gradients must reach; as many as there are layers where they need not reach any. */
  const lowest = gradientOf.has(EMBEDDING) ? 0 : Math.min(config.layers, ...inLayers.map(({ layer }) => layer));

  const block = await compileBlock(config, blockShapes, {
    B,
    T,
    threads,
    lora,
    trainable,
    backward: lowest < config.layers,
    saving: options.saving ?? "dear",
  });
  const scorer = await compileHead(config, { rows: N, threads, gradient: "none" });
  const ofHead = gradientOf.has(FINAL_NORM) || gradientOf.has(config.tied ? EMBEDDING : HEAD) ? "full" : "rows";
  const training = train === "none" ? undefined : await compileHead(config, { rows: N, threads, gradient: ofHead });

  const embedding = weightOf(body, EMBEDDING);
  const head = config.tied ? embedding : weightOf(body, HEAD);
  const norm = weightOf(body, FINAL_NORM);
  const dEmbedding = gradientOf.get(EMBEDDING);
  const dHead = config.tied ? dEmbedding : gradientOf.get(HEAD);
  const dNorm = gradientOf.get(FINAL_NORM);

  const shared = { ...ropeTable(config, T), positions: new BigInt64Array(N), bias: new Float32Array(B * T * T) };
  // Outputs of the blocks: training keeps them all, scoring needs two in turn.
  const depth = training ? config.layers + 1 : 2;
  const outputs = Array.from({ length: depth }, () => new Float32Array(N * D));
  const saved: Record<string, TensorData>[] = training ? layers.map(() => block.allocateSaved()) : [];
  const spare: Record<string, TensorData> = training ? (saved.at(-1) ?? {}) : {};
  const flow = [new Float32Array(training ? N * D : 0), new Float32Array(training ? N * D : 0)];
  const scratch = Object.fromEntries(trainable.map((name) => [name, new Float32Array(layers[0]![name]!.length)]));

  const begin = (batch: Batch): void => {
    invariant(batch.B === B && batch.T === T, `a batch of ${batch.B} x ${batch.T} was given to a step of ${B} x ${T}`);
    for (let i = 0; i < N; i++) shared.positions[i] = BigInt(batch.positions[i]!);
    fillMask(shared.bias, batch);
    const x = outputs[0]!;
    for (let i = 0; i < N; i++) {
      const id = batch.ids[i]!;
      x.set(embedding.subarray(id * D, id * D + D), i * D);
    }
  };

  /** Runs the head over the rows that carry weight and hands each chunk to `each`. */
  const throughHead = async (
    compiled: CompiledHead,
    x: Float32Array,
    batch: Batch,
    each: (rows: Int32Array, result: Awaited<ReturnType<CompiledHead["run"]>>) => void,
  ): Promise<void> => {
    const active = Int32Array.from(batch.weights.keys()).filter((row) => batch.weights[row] !== 0);
    for (let start = 0; start < active.length; start += compiled.rows) {
      const rows = active.subarray(start, start + compiled.rows);
      compiled.weights.fill(0);
      for (const [i, row] of rows.entries()) {
        compiled.x.set(x.subarray(row * D, row * D + D), i * D);
        compiled.labels[i] = batch.targets[row]!;
        compiled.weights[i] = batch.weights[row]!;
      }
      each(rows, await compiled.run(norm, head));
    }
  };

  return {
    B,
    T,
    parameters,
    accumulate: async (batch) => {
      invariant(training, "the step was compiled for scoring only");
      begin(batch);
      for (const [l, weights] of layers.entries())
        await block.forward(outputs[l]!, shared, weights, outputs[l + 1]!, saved[l]!);
      let loss = 0;
      let weight = 0;
      let dy = flow[0]!.fill(0);
      let dx = flow[1]!;
      await throughHead(training, outputs[config.layers]!, batch, (rows, result) => {
        for (const [i, row] of rows.entries()) {
          loss += batch.weights[row]! * training.nll[i]!;
          weight += batch.weights[row]!;
          dy.set(result!.dx.subarray(i * D, i * D + D), row * D);
        }
        if (dNorm) addTo(dNorm, result!.dNorm!);
        if (dHead) addTo(dHead, result!.dHead!);
      });
      for (let l = config.layers - 1; l >= lowest; l--) {
        await block.backward(outputs[l]!, dy, shared, layers[l]!, saved[l]!, dx, scratch);
        for (const name of trainable) {
          const gradient = gradientOf.get(layerPrefix(l) + name);
          if (gradient) addTo(gradient, scratch[name]!);
        }
        [dy, dx] = [dx, dy];
      }
      if (dEmbedding) for (let i = 0; i < N; i++) addRow(dEmbedding, batch.ids[i]! * D, dy, i * D, D);
      return { loss, weight };
    },
    evaluate: async (batch) => {
      begin(batch);
      let x = outputs[0]!;
      for (const [l, weights] of layers.entries()) {
        const y = outputs[(l + 1) % depth]!;
        await block.forward(x, shared, weights, y, spare);
        x = y;
      }
      const nll = new Float32Array(N);
      await throughHead(scorer, x, batch, (rows) => {
        for (const [i, row] of rows.entries()) nll[row] = scorer.nll[i]!;
      });
      return nll;
    },
    release: async () => {
      await block.release();
      await scorer.release();
      await training?.release();
    },
  };
}

function trainableParameters(
  body: Pick<Body, "config" | "weights">,
  blockShapes: ReadonlyMap<string, Shape>,
  { train, rateOf = () => 1 }: StepOptions,
): Parameter[] {
  if (train === "none") return [];
  const parameter = (name: string, shape: Shape, data: Float32Array, kind: Parameter["kind"], rate: number) => {
    return { name, shape, data, gradient: new Float32Array(rate === 0 ? 0 : data.length), kind, rate };
  };
  if (train === "full") {
    return [...body.weights.values()].map(({ name, shape, data }) =>
      parameter(name, shape, data, kindOf(name, shape), rateOf(name)),
    );
  }
  const { lora } = train;
  return Array.from({ length: body.config.layers }, (_, layer) => layerPrefix(layer)).flatMap((prefix) =>
    [...blockShapes].flatMap(([weight, shape]) => {
      const module = weight.replace(/\.weight$/, "");
      if (shape.length !== 2 || !isTarget(module, lora)) return [];
      const [outputs, inputs] = shape as [number, number];
      const [a, b] = [`${prefix}${module}.lora_A.weight`, `${prefix}${module}.lora_B.weight`];
      const rate = rateOf(prefix + weight);
      return [
        parameter(a, [lora.rank, inputs], initialA(a, lora.rank, inputs, lora.seed), "matrix", rate),
        parameter(b, [outputs, lora.rank], new Float32Array(sizeOf([outputs, lora.rank])), "matrix", rate),
      ];
    }),
  );
}

/** Additive mask [B, 1, T, T]: a position sees itself and what stands before it in its document. */
function fillMask(bias: Float32Array, { B, T, documents }: Batch): void {
  for (let b = 0; b < B; b++) {
    for (let t = 0; t < T; t++) {
      const row = (b * T + t) * T;
      const document = documents[b * T + t];
      let first = t;
      while (first > 0 && documents[b * T + first - 1] === document) first--;
      bias.fill(masked, row, row + first);
      bias.fill(0, row + first, row + t + 1);
      bias.fill(masked, row + t + 1, row + T);
    }
  }
}

function addTo(sum: Float32Array, term: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += term[i]!;
}

function addRow(sum: Float32Array, at: number, term: Float32Array, from: number, length: number): void {
  for (let i = 0; i < length; i++) sum[at + i]! += term[from + i]!;
}
