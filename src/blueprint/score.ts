/**
 * How well a recipe suits a body, from 0 to 1: a weighted sum of four stated parts, each from the evidence that the
 * recipes themselves cite. It decides only among recipes that apply.
 */
import type { Kind } from "../genome/manifest.ts";
import { shareOfKind } from "./genome-facts.ts";
import { type Facts, readable, readableBytes } from "./judge.ts";
import type { Blueprint } from "./schema.ts";

export interface ScoreInputs {
  /** Tokens that the run will train, and what they train. */
  readonly tokens: number;
  readonly trainable: number;
  readonly memoryBytes: number;
}

export interface Part {
  /** 0 to 1. */
  readonly value: number;
  readonly weight: number;
  readonly reason: string;
}

export interface Score {
  /** Sum of weight times value, 0 to 1. */
  readonly total: number;
  readonly method: Part;
  readonly tokens: Part;
  readonly memory: Part;
  readonly purpose: Part;
}

/** What each part counts; they sum to 1. */
const WEIGHTS = { method: 0.4, tokens: 0.3, memory: 0.2, purpose: 0.1 } as const;

/**
 * Up to here full training is without reserve (measured on the shipped larva, docs/log.md), and from here to
 * `FULL_UP_TO` ever less so: it is offered below 1B, learns more and forgets more (arXiv 2405.09673).
 */
const SMALL = 50e6;
const FULL_UP_TO = 1e9;
/** A body of this size or less has no room for an adapter that would learn as much. */
const NO_ADAPTER = 5e6;
/**
 * Trained tokens per trainable parameter that are right: from what the shipped larva's recipe was measured with (500,000
 * tokens, 4.0 million parameters) to 50 million tokens on an adapter of rank 16 (4.9 million parameters on
 * SmolLM2-135M), up to which rank 16 to 64 is enough (thinkingmachines.ai/blog/lora).
 */
const ENOUGH_TOKENS = 0.1;
const MOST_TOKENS = 10;
/** Powers of ten beyond that range after which nothing is left of the part. */
const FADES_OVER = 2;
/** Memory is no matter up to this part of what is free: predictions are off by some. */
const AMPLE = 0.5;
/** What a recipe for no kind in particular, or a genome that is not known, gets for its purpose. */
const GENERAL = 0.5;

/** Scores a recipe for what is known of body, genome and machine. */
export function scoreRecipe(blueprint: Blueprint, facts: Facts, run: ScoreInputs): Score {
  const parts = {
    method: methodPart(blueprint.method, facts.parameters),
    tokens: tokensPart(run),
    memory: memoryPart(run.memoryBytes, facts.memoryBytes),
    purpose: purposePart(blueprint, facts),
  };
  const total = Object.values(parts).reduce((sum, { value, weight }) => sum + weight * value, 0);
  return { total, ...parts };
}

function methodPart(method: Blueprint["method"], parameters: number): Part {
  const weight = WEIGHTS.method;
  const size = `${readable(parameters)} parameters`;
  if (method === "full") {
    const value = 1 - between(parameters, SMALL, FULL_UP_TO);
    const reason =
      value === 1
        ? `full training suits ${size}: so small a body has no room for an adapter`
        : value === 0
          ? `full training is not for ${size}: it forgets more than it gains`
          : `full training of ${size} learns more than an adapter and forgets more`;
    return { value, weight, reason };
  }
  const value = between(parameters, NO_ADAPTER, SMALL);
  const reason =
    value === 1
      ? `an adapter suits ${size}: it has room enough and forgets less`
      : `an adapter in ${size} has little room to learn`;
  return { value, weight, reason };
}

function tokensPart({ tokens, trainable }: ScoreInputs): Part {
  const ratio = tokens / trainable;
  const off = ratio < ENOUGH_TOKENS ? Math.log10(ENOUGH_TOKENS / ratio) : Math.max(0, Math.log10(ratio / MOST_TOKENS));
  const judged =
    ratio < ENOUGH_TOKENS ? `few (${ENOUGH_TOKENS} are enough)` : ratio > MOST_TOKENS ? "more than fit in" : "enough";
  return {
    value: clamp(1 - off / FADES_OVER),
    weight: WEIGHTS.tokens,
    reason: `${readable(tokens)} tokens for ${readable(trainable)} trained parameters, ${Number(ratio.toPrecision(2))} each: ${judged}`,
  };
}

function memoryPart(needed: number, free: number): Part {
  const used = free === 0 ? Infinity : needed / free;
  const reason = `about ${readableBytes(needed)} of memory, ${readableBytes(free)} are free`;
  return { value: clamp((1 - used) / (1 - AMPLE)), weight: WEIGHTS.memory, reason };
}

function purposePart({ applies }: Blueprint, { genome }: Facts): Part {
  const weight = WEIGHTS.purpose;
  const kinds = Object.entries(applies?.genome?.kinds ?? {}).flatMap(([kind, range]) =>
    range?.atLeast === undefined ? [] : [kind as Kind],
  );
  if (kinds.length === 0) return { value: GENERAL, weight, reason: "for text of every kind" };
  const named = kinds.join(" and ");
  if (genome === undefined) return { value: GENERAL, weight, reason: `for ${named}, and the genome is not known` };
  const value = clamp(kinds.reduce((sum, kind) => sum + shareOfKind(genome, kind), 0));
  return { value, weight, reason: `for ${named}, ${Math.round(100 * value)} % of this genome` };
}

/** Where a value lies between two others, by orders of magnitude: 0 at the first, 1 at the second. */
function between(value: number, from: number, to: number): number {
  return clamp(Math.log(value / from) / Math.log(to / from));
}

const clamp = (value: number): number => Math.min(1, Math.max(0, value));
