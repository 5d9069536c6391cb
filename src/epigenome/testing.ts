/** Genes and a body for tests. */
import { createHash } from "node:crypto";
import type { Gene } from "../genome/manifest.ts";
import type { ModelConfig } from "../models/config.ts";

/** A gene of repository `repo` with 100 bytes of prose, unlike every other by its path, but for what is given. */
export function gene(of: Partial<Gene> & { path: string }): Gene {
  const hash = createHash("sha256").update(of.path).digest("hex");
  const textBytes = of.textBytes ?? 100;
  return {
    repository: "repo",
    commit: "0".repeat(40),
    blob: hash.slice(0, 40),
    sha256: hash,
    bytes: textBytes,
    textSha256: hash,
    textOffset: 0,
    textBytes,
    transforms: [],
    kind: "prose",
    language: "Markdown",
    licence: "unknown",
    repositoryLicence: "unknown",
    tokens: null,
    firstCommit: null,
    lastCommit: null,
    changes: null,
    quality: { lineLength: 40, alphabetic: 0.8, repetition: 0 },
    masked: {},
    duplicateClass: null,
    duplicateKind: null,
    representative: true,
    flags: [],
    ...of,
  };
}

/** A body of one layer with the larva's vocabulary. */
export const tinyLlama: ModelConfig = {
  modelType: "llama",
  vocabularySize: 4096,
  hiddenSize: 16,
  intermediateSize: 24,
  layers: 1,
  heads: 2,
  keyValueHeads: 1,
  headSize: 8,
  normEpsilon: 1e-5,
  maxPositions: 512,
  tied: true,
  rope: { theta: 10_000, scaling: null },
  attentionBias: false,
  mlpBias: false,
};
