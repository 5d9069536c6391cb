/** The compiled block of a model: forward and backward sessions that serve every layer, and what they keep between. */

import { invariant } from "../errors.ts";
import type { Arrays, Session, TensorData } from "../onnx/session.ts";
import { allocate, createSession } from "../onnx/session.ts";
import { gradients } from "../tensor/gradient.ts";
import type { Shape, Value } from "../tensor/graph.ts";
import type { Saving } from "../tensor/program.ts";
import { extract, valuesToSave } from "../tensor/program.ts";
import type { LoraOptions } from "./adapter.ts";
import { buildBlock, selfAttention } from "./block.ts";
import type { ModelConfig } from "./config.ts";
import type { LayerWeights } from "./layer-weights.ts";

export interface BlockOptions {
  readonly B: number;
  readonly T: number;
  readonly threads?: number | undefined;
  readonly lora?: LoraOptions | undefined;
  /** Names (without the layer's prefix) of what gets a gradient, beside the block's input. */
  readonly trainable: readonly string[];
  /** False: forward only. */
  readonly backward: boolean;
  readonly saving: Saving;
}

export interface CompiledBlock {
  /** Names of trainable weights, in the order of their gradients. */
  readonly trainable: readonly string[];
  /** Room for what one layer's forward pass keeps for its backward pass. */
  allocateSaved(): Record<string, TensorData>;
  forward(x: Float32Array, shared: Arrays, weights: LayerWeights, y: Float32Array, saved: Arrays): Promise<void>;
  /** Writes the gradient of x into `dx` and those of the trainable weights into `into`. */
  backward(
    x: Float32Array,
    dy: Float32Array,
    shared: Arrays,
    weights: LayerWeights,
    saved: Arrays,
    dx: Float32Array,
    into: Readonly<Record<string, Float32Array>>,
  ): Promise<void>;
  release(): Promise<void>;
}

/** Compiles the block of `config` once for all layers. */
export async function compileBlock(
  config: ModelConfig,
  weightShapes: ReadonlyMap<string, Shape>,
  options: BlockOptions,
): Promise<CompiledBlock> {
  const { B, T, threads, trainable } = options;
  const surroundings = { B, T, positions: T, attend: selfAttention(config, B, T) };
  const { graph, x, y, weights } = buildBlock(config, weightShapes, surroundings, options.lora);
  const sessionOptions = threads === undefined ? {} : { threads };
  const saved = new Map<Value, string>();
  let backward: Session | undefined;
  if (options.backward) {
    const count = graph.nodes.length;
    const dy = graph.input("dy", y.shape);
    const computed = gradients([y], [dy], [x, ...trainable.map((name) => weights.get(name)!)]);
    const outputs = new Map([x, ...trainable].map((_, i) => [i === 0 ? "dx" : `d:${trainable[i - 1]}`, computed[i]!]));
    for (const [name, gradient] of outputs) invariant(gradient, `${name} does not depend on the block's weights`);
    for (const value of valuesToSave(count, graph, [...outputs.values()], options.saving))
      saved.set(value, `s:${value.id}`);
    backward = await createSession(extract(outputs, saved), { ...sessionOptions, name: "block-backward" });
  }
  const kept = [...saved].map(([value, name]) => [name, value] as const);
  const forwardProgram = extract(new Map([["y", y], ...kept]));
  const forward = await createSession(forwardProgram, { ...sessionOptions, name: "block-forward" });
  const backwardInputs = new Set(backward?.program.inputs.map((value) => value.name!));
  const forwardInputs = new Set(forwardProgram.inputs.map((value) => value.name!));
  const feed = (wanted: ReadonlySet<string>, ...sources: Arrays[]): Arrays => {
    const feeds: Record<string, TensorData> = {};
    for (const source of sources)
      for (const [name, data] of Object.entries(source)) if (wanted.has(name)) feeds[name] = data;
    return feeds;
  };
  return {
    trainable,
    allocateSaved: () => Object.fromEntries(kept.map(([name, value]) => [name, allocate(value)])),
    forward: (input, shared, layer, output, keep) =>
      forward.run(feed(forwardInputs, shared, layer, { x: input }), { y: output, ...keep }),
    backward: async (input, dy, shared, layer, keep, dx, into) => {
      invariant(backward, "the block was compiled without a backward pass");
      const outputs: Record<string, Float32Array> = { dx };
      for (const name of trainable) outputs[`d:${name}`] = into[name]!;
      await backward.run(feed(backwardInputs, shared, layer, keep, { x: input, dy }), outputs);
    },
    release: async () => {
      await forward.release();
      await backward?.release();
    },
  };
}
