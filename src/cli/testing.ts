/** What tests of the command line share: the real command in a process of its own, and a model that is made in no time. */

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../formats/package-root.ts";
import type { ModelConfig } from "../models/config.ts";
import { initialiseBody } from "../models/initialise.ts";
import { writeModelFolder } from "../models/save.ts";
import { tokenizerFiles } from "../tokenizer/tokenizer-files.ts";
import { trainBpe } from "../tokenizer/train-bpe.ts";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `chrysalis ARGS` in the folder of the package, or another, without a terminal. */
export function chrysalis(
  args: readonly string[],
  options: { readonly input?: string; readonly env?: Readonly<NodeJS.ProcessEnv>; readonly cwd?: string } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(packageRoot(), "src/cli/main.ts"), ...args], {
      cwd: options.cwd ?? packageRoot(),
      env: { ...process.env, ...options.env },
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject).on("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.end(options.input ?? "");
  });
}

/** Calls `use` with a folder that is gone afterwards. */
export async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "chrysalis-cli-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes a random Llama of 64 positions with a tokenizer of its own to `path`. */
export async function writeTinyModel(path: string, options: { readonly chatTemplate?: string } = {}): Promise<void> {
  const separator = "<|endoftext|>";
  const vocabularySize = 280;
  const json = await trainBpe(["the sea and the shore and the sea and the ship"], {
    vocabularySize,
    specialTokens: [separator],
    minimumCount: 1,
  });
  const config: ModelConfig = {
    modelType: "llama",
    vocabularySize,
    hiddenSize: 16,
    intermediateSize: 24,
    layers: 1,
    heads: 2,
    keyValueHeads: 1,
    headSize: 8,
    normEpsilon: 1e-5,
    maxPositions: 64,
    tied: true,
    rope: { theta: 10_000, scaling: null },
    attentionBias: false,
    mlpBias: false,
  };
  const { configJson, weights } = initialiseBody(config, 1, {});
  const { chatTemplate } = options;
  await writeModelFolder(path, {
    configJson,
    weights: weights.values(),
    dtype: "F32",
    tokenizerFiles: tokenizerFiles(json, {
      bos: separator,
      eos: separator,
      ...(chatTemplate === undefined ? {} : { chatTemplate }),
    }),
  });
}
