/** The end of a model: final norm, head and loss, in chunks of rows, so that the logits of a batch never exist at once. */

import { allocate, createSession } from "../onnx/session.ts";
import { gradients } from "../tensor/gradient.ts";
import { Graph } from "../tensor/graph.ts";
import { linear } from "../tensor/matmul.ts";
import { crossEntropy, rmsNorm } from "../tensor/neural.ts";
import { extract } from "../tensor/program.ts";
import type { ModelConfig } from "./config.ts";

export interface HeadOptions {
  readonly threads?: number | undefined;
  /** Rows of the batches to come: chunks are never larger. */
  readonly rows: number;
  /** `full`: gradients of rows, norm and head; `rows`: of the rows only; `none`: losses only. */
  readonly gradient: "full" | "rows" | "none";
}

export interface HeadResult {
  /** Rows [C, hidden] of the gradient with respect to the head's input. */
  readonly dx: Float32Array;
  readonly dNorm: Float32Array | undefined;
  /** Gradient of the head's matrix [V, hidden] from this chunk. */
  readonly dHead: Float32Array | undefined;
}

export interface CompiledHead {
  /** Rows of a chunk. */
  readonly rows: number;
  /** The chunk to be filled before `run`: rows of the last block's output, labels, and weights (0 for unused rows). */
  readonly x: Float32Array;
  readonly labels: Int32Array;
  readonly weights: Float32Array;
  readonly nll: Float32Array;
  run(norm: Float32Array, head: Float32Array): Promise<HeadResult | undefined>;
  release(): Promise<void>;
}

/** Elements of a chunk's logits: enough rows for the product to be efficient, few enough to stay near the caches. */
const LOGITS_PER_CHUNK = 6 << 20;

export async function compileHead(config: ModelConfig, options: HeadOptions): Promise<CompiledHead> {
  const { hiddenSize: D, vocabularySize: V } = config;
  const fitting = Math.max(64, Math.floor(LOGITS_PER_CHUNK / V / 64) * 64);
  const rows = Math.min(options.rows, fitting);
  const graph = new Graph();
  const x = graph.input("x", [rows, D]);
  const norm = graph.input("norm", [D]);
  const head = graph.input("head", [V, D]);
  const labels = graph.input("labels", [rows, 1], "i32");
  const nll = crossEntropy(linear(rmsNorm(x, norm, config.normEpsilon), head), labels);
  const outputs = new Map([["nll", nll]]);
  if (options.gradient !== "none") {
    const weights = graph.input("weights", [rows, 1]);
    const targets = options.gradient === "full" ? [x, norm, head] : [x];
    const names = ["dx", "dNorm", "dHead"];
    for (const [i, gradient] of gradients([nll], [weights], targets).entries()) outputs.set(names[i]!, gradient!);
  }
  const session = await createSession(extract(outputs), {
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    name: "head",
  });
  const feeds = {
    x: new Float32Array(rows * D),
    labels: new Int32Array(rows),
    weights: new Float32Array(rows),
  };
  const into = Object.fromEntries([...outputs].map(([name, value]) => [name, allocate(value) as Float32Array]));
  return {
    rows,
    ...feeds,
    nll: into["nll"]!,
    run: async (normWeight, headWeight) => {
      const inputs = { x: feeds.x, labels: feeds.labels, norm: normWeight, head: headWeight };
      await session.run(options.gradient === "none" ? inputs : { ...inputs, weights: feeds.weights }, into);
      return options.gradient === "none" ? undefined : { dx: into["dx"]!, dNorm: into["dNorm"], dHead: into["dHead"] };
    },
    release: () => session.release(),
  };
}
