/** Evaluates the `applies` of a recipe: every part with the value it met, and how far a failed one is from holding. */
import type { Kind } from "../genome/manifest.ts";
import type { ModelType } from "../models/config.ts";
import type { Applies } from "./applies.ts";
import { type GenomeFacts, shareOfKind } from "./genome-facts.ts";

/** What predicates look at. */
export interface Facts {
  readonly architecture: ModelType;
  /** A tied head counts once. */
  readonly parameters: number;
  /** Positions that the body reads. */
  readonly context: number;
  /** Undefined where the genome is not known (yet): what is asked of it then counts as met, and says so. */
  readonly genome: GenomeFacts | undefined;
  /** Bytes of memory that are free. */
  readonly memoryBytes: number;
}

export interface Judgement {
  readonly applies: boolean;
  /** The parts that hold, or cannot be told, in words. */
  readonly reasons: readonly string[];
  /** The parts that fail, each with the value. */
  readonly failed: readonly string[];
  /** 0 where it applies; else how far off the failed parts are, in powers of e. */
  readonly distance: number;
}

interface Check {
  readonly holds: boolean;
  readonly text: string;
  readonly distance: number;
}

/** An architecture is not a matter of more or less: farther away than any size. */
const OTHER_ARCHITECTURE = 100;
/** Farther still: what only a user can decide is no near miss. */
const BY_NAME = 1000;

/** Judges a predicate; one that asks nothing is for every body. */
export function judge(applies: Applies | undefined, facts: Facts): Judgement {
  const checks = checksOf(applies ?? {}, facts);
  const failed = checks.filter(({ holds }) => !holds);
  const held = checks.filter(({ holds }) => holds).map(({ text }) => text);
  return {
    applies: failed.length === 0,
    reasons: checks.length === 0 ? ["for every body"] : held,
    failed: failed.map(({ text }) => text),
    distance: failed.reduce((sum, { distance }) => sum + distance, 0),
  };
}

function checksOf({ byName, architecture, parameters, context, genome, memory }: Applies, facts: Facts): Check[] {
  const checks: Check[] = [];
  if (byName) checks.push({ holds: false, text: "chosen by name only", distance: BY_NAME });
  if (architecture !== undefined) {
    const holds = architecture.includes(facts.architecture);
    const text = `architecture ${facts.architecture}, ${holds ? "one" : "none"} of ${architecture.join(", ")}`;
    checks.push({ holds, text, distance: holds ? 0 : OTHER_ARCHITECTURE });
  }
  if (parameters !== undefined) {
    checks.push(...inRange(facts.parameters, parameters, (value) => readable(value), " parameters"));
  }
  if (context !== undefined) {
    checks.push(...inRange(facts.context, context, (value) => value.toLocaleString("en"), " positions of context"));
  }
  if (genome !== undefined) checks.push(...genomeChecks(genome, facts.genome));
  if (memory !== undefined) {
    const holds = facts.memoryBytes >= memory.atLeast;
    const wanted = `at least ${readableBytes(memory.atLeast)} of memory free`;
    // A plan keeps its reasons: what happens to be free has no place in it unless it decides.
    const text = holds ? wanted : `${readableBytes(facts.memoryBytes)} of memory free, not ${wanted}`;
    checks.push({ holds, text, distance: logOff(facts.memoryBytes, memory) });
  }
  return checks;
}

function genomeChecks({ bytes, kinds }: NonNullable<Applies["genome"]>, genome: GenomeFacts | undefined): Check[] {
  const asked = Object.entries(kinds ?? {}) as [Kind, Range | undefined][];
  if (genome === undefined) {
    const parts = [...(bytes === undefined ? [] : ["size"]), ...asked.map(([kind]) => `share of ${kind}`)];
    return parts.length === 0
      ? []
      : [{ holds: true, text: `${parts.join(", ")} of the genome not known`, distance: 0 }];
  }
  return [
    ...(bytes === undefined ? [] : inRange(genome.bytes, bytes, readableBytes, " of distinct text")),
    ...asked.flatMap(([kind, range]) =>
      range === undefined ? [] : inRange(shareOfKind(genome, kind), range, percent, ` of the text is ${kind}`),
    ),
  ];
}

interface Range {
  readonly atLeast?: number | undefined;
  readonly below?: number | undefined;
}

function inRange(value: number, { atLeast, below }: Range, say: (value: number) => string, noun: string): Check[] {
  const checks: Check[] = [];
  const add = (holds: boolean, bound: string, range: Range): void => {
    const text = `${say(value)}${noun}, ${holds ? "" : "not "}${bound}`;
    checks.push({ holds, text, distance: holds ? 0 : logOff(value, range) });
  };
  if (atLeast !== undefined) add(value >= atLeast, `at least ${say(atLeast)}`, { atLeast });
  if (below !== undefined) add(value < below, `below ${say(below)}`, { below });
  return checks;
}

/** How many powers of e a value is outside a range; a share of nothing counts as one in a million. */
function logOff(value: number, { atLeast, below }: Range): number {
  const some = Math.max(1e-6, value);
  if (atLeast !== undefined && value < atLeast) return Math.log(atLeast / some);
  // A value on the border is outside too.
  return below !== undefined && value >= below ? Math.max(1e-6, Math.log(some / Math.max(1e-6, below))) : 0;
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;

/** 5.9 M, 1.2 B: as parameters are spoken of. */
export function readable(count: number): string {
  return withUnit(count, ["", " k", " M", " B", " T"]);
}

/** 5.9 MB, 1.2 GB. */
export function readableBytes(bytes: number): string {
  return withUnit(bytes, [" B", " KB", " MB", " GB", " TB"]);
}

function withUnit(value: number, units: readonly string[]): string {
  const thousands = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  return `${Number((value / 1000 ** thousands).toPrecision(3))}${units[thousands]}`;
}
