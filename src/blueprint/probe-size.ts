/** How much a probe does: a function of the shapes alone, so that what it finds of a text is the same on every machine. */
import type { ModelConfig } from "../models/config.ts";
import { estimate } from "./estimate.ts";
import type { Settings } from "./plan.ts";

/** Operations of the timed steps and of the scoring: two to six seconds each on two AVX2 cores. */
const STEP_FLOPS = 2.5e11;
const SCORE_FLOPS = 5e11;
/** The first step warms up; more than this many tell no more. */
const FEWEST_STEPS = 3;
const MOST_STEPS = 8;
/** Windows that are tried, longest first: shorter ones cost large bodies less and are a little less like training. */
const SHORTER = [256, 128] as const;
const MOST_TOKENS_OF_REPOSITORY = 2048;
const FEWEST_TOKENS_OF_REPOSITORY = 128;
const MOST_TOKENS = 16_384;

export interface ProbeSize {
  readonly B: number;
  readonly T: number;
  readonly steps: number;
  /** Operations of a trained token at this T, and at the plan's. */
  readonly flopsPerToken: number;
  readonly flopsPerPlannedToken: number;
  readonly tokensOfRepository: number;
  /** Repositories that are scored at most. */
  readonly repositories: number;
}

/** Sizes a probe for a body under a plan's settings. */
export function probeSize(
  config: ModelConfig,
  {
    method,
    lora,
    optimizer,
    microBatch,
    sequence,
  }: Pick<Settings, "method" | "lora" | "optimizer" | "microBatch" | "sequence">,
  repositories: number,
): ProbeSize {
  const needsAt = (B: number, T: number) =>
    estimate(config, {
      method,
      lora: lora ?? undefined,
      optimizer,
      B,
      T,
      corpusTokens: 0,
      genomeBytes: 0,
      copiesParent: false,
    });
  const shapes = [
    [microBatch, sequence] as const,
    [1, sequence] as const,
    ...SHORTER.filter((T) => T < sequence).map((T) => [1, T] as const),
  ];
  const stepFlops = ([B, T]: readonly [number, number]): number => B * T * needsAt(B, T).flopsPerToken;
  const [B, T] = shapes.find((shape) => FEWEST_STEPS * stepFlops(shape) <= STEP_FLOPS) ?? shapes.at(-1)!;
  const steps = Math.floor(STEP_FLOPS / stepFlops([B, T]));
  const { flopsPerToken, flopsPerScoredToken } = needsAt(B, T);
  const scored = Math.min(MOST_TOKENS, SCORE_FLOPS / flopsPerScoredToken);
  const each = Math.round(scored / Math.max(1, repositories));
  const tokensOfRepository = Math.max(FEWEST_TOKENS_OF_REPOSITORY, Math.min(MOST_TOKENS_OF_REPOSITORY, each));
  return {
    B,
    T,
    steps: Math.max(FEWEST_STEPS, Math.min(MOST_STEPS, steps)),
    flopsPerToken,
    flopsPerPlannedToken: needsAt(microBatch, sequence).flopsPerToken,
    tokensOfRepository,
    repositories: Math.max(1, Math.min(repositories, Math.floor(scored / tokensOfRepository))),
  };
}
