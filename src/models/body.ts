/** A model in memory: its normalised configuration and its weights in f32, whatever file they came from. */

import type { ModelConfig } from "./config.ts";

export interface WeightTensor {
  /** As in the Hugging Face checkpoint. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface Body {
  readonly config: ModelConfig;
  /** config.json as read, or as made from GGUF metadata; exports carry it on. */
  readonly configJson: Record<string, unknown>;
  /** By name, in the order of `expectedWeights`; a tied head has no "lm_head.weight". */
  readonly weights: Map<string, WeightTensor>;
  /** What the file held (quantised GGUF: "F32"): the type an export returns to. */
  readonly dtype: "F32" | "F16" | "BF16";
  readonly source: {
    readonly kind: "folder" | "gguf";
    readonly path: string;
    /** Of the weight files and config.json: see `hashFiles`. */
    readonly sha256: string;
  };
  /** generation_config.json as read, if there is one. */
  readonly generationConfig: Record<string, unknown> | undefined;
}
