/** `chrysalis doctor`: what this machine, its git and its runtime can do, measured and predicted; it changes nothing. */

import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { qwen3Small, smolLm2 } from "../blueprint/known-bodies.ts";
import { loadBlueprints } from "../blueprint/load.ts";
import { probeMachine } from "../blueprint/machine.ts";
import { outlookOf } from "../blueprint/outlook.ts";
import type { Outlook } from "../blueprint/outlook.ts";
import { UserError } from "../errors.ts";
import { packageRoot } from "../formats/package-root.ts";
import { createGit } from "../genome/git.ts";
import { readConfigOf } from "../models/load.ts";
import { formatBytes, formatCount, oneLine } from "./format.ts";
import { rowWidth, table } from "./genome-lines.ts";
import type { Progress } from "./progress.ts";
import { defineVerb } from "./verb.ts";

/** What is needed: of Node, to run TypeScript as it is; of git, the oldest that this was tried with. */
const NODE = [22, 18] as const;
const GIT = [2, 39] as const;

export const doctor = defineVerb({
  name: "doctor",
  summary: "Show what this machine can train, and whether git, Node and the runtime are as needed",
  usage: "[--seconds S]",
  positionals: [],
  flags: {
    seconds: {
      kind: "number",
      value: "S",
      above: 0,
      max: 60,
      default: 5,
      help: "Seconds to measure matrix products for",
    },
  },
  examples: [
    { command: "chrysalis doctor", does: "cores, memory, matrix rate, and what training would reach" },
    { command: "chrysalis doctor --json", does: "the same, for a program to read" },
  ],
  async run({ flags }, { cwd, env, signal, progress }) {
    const machine = await probeMachine(cwd);
    const git = await lookAtGit(env, signal);
    const runtime = await measureRuntime(machine.cores, flags.seconds, signal, progress);
    const larva = await readConfigOf(join(packageRoot(), "models", "larva"));
    const bodies = { "the shipped larva": larva.config, "SmolLM2-135M": smolLm2, "Qwen3-0.6B": qwen3Small };
    const outlook =
      runtime.matrixRate === null ? [] : outlookOf(bodies, await loadBlueprints(), machine, runtime.matrixRate);
    const node = { version: process.versions.node, ok: isAtLeast(process.versions.node, NODE) };
    const problems = [
      ...(node.ok ? [] : [`Node ${node.version} is too old: install ${NODE.join(".")} or newer`]),
      ...(git.problem === null ? [] : [git.problem]),
      ...(runtime.problem === null ? [] : [runtime.problem]),
    ];
    return {
      machine: {
        platform: process.platform,
        architecture: process.arch,
        processor: cpus()[0]?.model.trim() ?? null,
        ...machine,
        totalMemoryBytes: totalmem(),
      },
      matrixFlopsPerSecond: runtime.matrixRate,
      node,
      git: { version: git.version, refusesLazyFetch: git.refusesLazyFetch },
      onnxRuntime: runtime.info,
      outlook,
      problems,
    };
  },
  failed: ({ problems }) => problems.length > 0,
  human: ({ machine, matrixFlopsPerSecond, node, git, onnxRuntime, outlook, problems }, columns) =>
    [
      `machine   ${machine.processor ?? "a processor that is not named"}, ${machine.cores} cores to use, ${machine.platform} ${machine.architecture}`,
      `memory    ${formatBytes(machine.memoryBytes)} free of ${formatBytes(machine.totalMemoryBytes)}`,
      `disk      ${formatBytes(machine.diskBytes)} free here`,
      `node      ${node.version}`,
      `git       ${git.version === null ? "not found" : `${git.version}, ${lazyFetch(git.refusesLazyFetch)}`}`,
      `runtime   ${onnxRuntime === null ? "not found" : `ONNX Runtime ${onnxRuntime.version}, on the processor (its build knows ${onnxRuntime.backends.join(", ")})`}`,
      ...(matrixFlopsPerSecond === null
        ? []
        : [
            `products  ${formatCount(matrixFlopsPerSecond / 1e9)} GFLOP/s in f32, measured beside whatever else runs now`,
            "",
            ...outlookRows(outlook, columns),
          ]),
      "",
      ...(problems.length === 0
        ? ["Nothing is missing."]
        : problems.map((problem) => `Problem: ${oneLine(problem, 500)}.`)),
    ].join("\n"),
});

function lazyFetch(refuses: boolean | null): string {
  return refuses
    ? "partial clones of your own can be read"
    : "too old to read partial clones safely, which are refused (2.45 can)";
}

function outlookRows(outlook: readonly Outlook[], columns: number): string[] {
  return table(
    [
      { heading: "predicted for", align: "left" },
      { heading: "method", align: "left" },
      { heading: "tokens/s", align: "right" },
      { heading: "memory", align: "right" },
      { heading: "fits", align: "left" },
      { heading: "recipe chosen", align: "rest" },
    ],
    outlook.map(({ model, method, tokensPerSecond, memoryBytes, fits, recipe }) => [
      model,
      method,
      formatCount(tokensPerSecond),
      formatBytes(memoryBytes),
      fits ? "yes" : "no",
      recipe,
    ]),
    rowWidth(columns),
  );
}

interface GitState {
  readonly version: string | null;
  readonly refusesLazyFetch: boolean | null;
  readonly problem: string | null;
}

async function lookAtGit(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<GitState> {
  const git = createGit({ env, signal });
  try {
    const { stdout } = await git.run(["--version"]);
    const version = /\d+\.\d+[\d.]*/.exec(stdout.toString())?.[0].replace(/\.$/, "") ?? "of an unknown version";
    const problem = isAtLeast(version, GIT) ? null : `git ${version} is too old: install ${GIT.join(".")} or newer`;
    return { version, refusesLazyFetch: await git.refusesLazyFetch(), problem };
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== "no-git") throw error;
    return { version: null, refusesLazyFetch: null, problem: error.message };
  }
}

interface RuntimeState {
  readonly info: { readonly version: string; readonly backends: readonly string[] } | null;
  /** FLOP/s; null where nothing can be computed. */
  readonly matrixRate: number | null;
  readonly problem: string | null;
}

async function measureRuntime(
  cores: number,
  seconds: number,
  signal: AbortSignal,
  progress: Progress,
): Promise<RuntimeState> {
  try {
    // Loaded here, so that a runtime without its library is a finding rather than the end.
    const { runtimeInfo } = await import("../onnx/session.ts");
    const { probeMatrixRate } = await import("../onnx/matrix-rate.ts");
    const onProgress = (done: number): void => progress.update({ stage: "measuring", done, total: seconds });
    const matrixRate = await probeMatrixRate(cores, seconds, { onProgress, signal });
    progress.close();
    return { info: runtimeInfo(), matrixRate, problem: null };
  } catch (error) {
    if (signal.aborted) throw error;
    const message = error instanceof Error ? error.message : String(error);
    return {
      info: null,
      matrixRate: null,
      problem: `ONNX Runtime does not work: ${message}; install the packages again`,
    };
  }
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [first = 0, second = 0] = version.split(".").map(Number);
  return first > major || (first === major && second >= minor);
}
