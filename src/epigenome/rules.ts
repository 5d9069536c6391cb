/** Rules of the epigenome: which genes a rule speaks of, and what it says of them. */
import picomatch from "picomatch";
import type { Gene } from "../genome/manifest.ts";
import type { FramingName } from "./framings/framings.ts";
import type { Emphasis } from "./token-classes.ts";

/** One or several of what a gene may be. */
type OneOrMore<T> = T | readonly T[];

/** What a gene must be, in every part that is given. */
export interface Match {
  /** Glob over the repository's name. */
  readonly repository?: string | undefined;
  /** Glob over the path in the repository. */
  readonly path?: string | undefined;
  readonly kind?: OneOrMore<Gene["kind"]> | undefined;
  readonly language?: OneOrMore<string> | undefined;
  /** SPDX id or expression of the file, or of its repository where the file says nothing. */
  readonly licence?: OneOrMore<string> | undefined;
  readonly flag?: OneOrMore<string> | undefined;
  readonly duplicate?: OneOrMore<NonNullable<Gene["duplicateKind"]>> | undefined;
  /** Of the text. */
  readonly bytes?: { readonly atLeast?: number | undefined; readonly below?: number | undefined } | undefined;
  /** Date of the last change, ISO 8601; a gene without one does not match. */
  readonly changed?: { readonly since?: string | undefined; readonly before?: string | undefined } | undefined;
}

/** What is said of a gene; what a rule leaves out is as the rules before it said. */
export interface Marks {
  /** Part of the matching bytes that is expressed, 0 to 1: whole files, chosen by hash. */
  readonly mark?: number | undefined;
  /** At most this part of all trained bytes comes from the matching files, 0 to 1. */
  readonly share?: number | undefined;
  /** How often a file is trained on in one pass, at least 1; a fraction is the part of the files that come once more. */
  readonly repeat?: number | undefined;
  /** Weight of its tokens in the loss. */
  readonly loss?: number | undefined;
  /** Factors of that weight by class of token. */
  readonly emphasis?: Emphasis | undefined;
  readonly framing?: FramingName | undefined;
  /** The stage that trains on it; without, every stage does. */
  readonly stage?: string | undefined;
}

export interface Rule extends Marks {
  /** For tables and reasons; the glob, or what is matched, where it is left out. */
  readonly name?: string | undefined;
  /** A glob over `repository/path`, or parts that must all hold. */
  readonly match: string | Match;
}

const largeData = "large data";

/**
 * What small bodies do not get, unless a rule after these says otherwise: what no one wrote by hand, copies kept of
 * something else, logs, large tables. Of synthetic dialogue no more than what leaves the rest most of the room.
 */
export const defaultRules: readonly Rule[] = [
  ...(["lock", "minified", "generated", "vendored", "backup", "log"] as const).map((kind) => ({
    name: kind,
    match: { kind },
    mark: 0,
  })),
  { name: largeData, match: { flag: "fixture-over-64KB" }, mark: 0 },
  { name: "dialogue", match: { kind: "dialogue" }, share: 0.3 },
];

/** The flag of genes that come from data files beside the repositories, for rules to name. */
export const OWN_DATA = "own-data";

/** Whether a gene comes from a data file beside the repositories. */
export function isOwnData({ flags }: Pick<Gene, "flags">): boolean {
  return flags.includes(OWN_DATA);
}

/**
 * Data that a user gives is trained on record by record, as much of it as of anything else. This comes after the default
 * rules, and also where everything is expressed.
 */
export const dataRule: Rule = { name: "own data", match: { flag: OWN_DATA }, share: 1, framing: "records" };

/** How a rule is called. */
export function ruleName({ name, match }: Rule): string {
  return name ?? (typeof match === "string" ? match : JSON.stringify(match));
}

/** Makes the function that tells whether a rule speaks of a gene. */
export function matcher({ match }: Rule): (gene: Gene) => boolean {
  if (typeof match === "string") {
    const glob = picomatch(match, { dot: true });
    return ({ repository, path }) => glob(`${repository}/${path}`);
  }
  const tests: ((gene: Gene) => boolean)[] = [];
  const { repository, path, bytes, changed } = match;
  if (repository !== undefined) {
    const glob = picomatch(repository, { dot: true });
    tests.push((gene) => glob(gene.repository));
  }
  if (path !== undefined) {
    const glob = picomatch(path, { dot: true });
    tests.push((gene) => glob(gene.path));
  }
  const among = <T>(wanted: OneOrMore<T> | undefined, of: (gene: Gene) => readonly (T | null)[]): void => {
    if (wanted === undefined) return;
    const set = new Set<T | null>([wanted].flat() as T[]);
    tests.push((gene) => of(gene).some((value) => set.has(value)));
  };
  among(match.kind, (gene) => [gene.kind]);
  among(match.language, (gene) => [gene.language]);
  among(match.licence, (gene) => [gene.licence === "unknown" ? gene.repositoryLicence : gene.licence]);
  among(match.flag, (gene) => gene.flags);
  among(match.duplicate, (gene) => [gene.duplicateKind]);
  if (bytes !== undefined) {
    const { atLeast = 0, below = Infinity } = bytes;
    tests.push(({ textBytes }) => textBytes >= atLeast && textBytes < below);
  }
  if (changed !== undefined) {
    const since = changed.since === undefined ? -Infinity : Date.parse(changed.since);
    const before = changed.before === undefined ? Infinity : Date.parse(changed.before);
    tests.push(({ lastCommit }) => {
      const date = lastCommit === null ? Number.NaN : Date.parse(lastCommit);
      return date >= since && date < before;
    });
  }
  return (gene) => tests.every((holds) => holds(gene));
}

/** The field that a rule decided, and the rule. */
export type Decided = { readonly [K in keyof Marks]?: Rule };

/** What the rules say of a gene. */
export interface Dose {
  readonly mark: number;
  readonly share: number;
  readonly repeat: number;
  readonly loss: number;
  /** Null: all tokens have the same weight. */
  readonly emphasis: Emphasis | null;
  readonly framing: FramingName;
  /** Null: every stage. */
  readonly stage: string | null;
  /** Which rule decided what; nothing for what no rule speaks of. */
  readonly by: Decided;
}

/** What rules may say of a gene, in the order of tables. */
export const doseFields = ["mark", "share", "repeat", "loss", "emphasis", "framing", "stage"] as const;

/** Makes the function that gives each gene its dose: in every field the last rule that speaks of it counts. */
export function dosing(rules: readonly Rule[]): (gene: Gene) => Dose {
  const matchers = rules.map(matcher);
  return (gene) => {
    const by: { -readonly [K in keyof Marks]?: Rule } = {};
    matchers.forEach((matches, i) => {
      if (!matches(gene)) return;
      for (const field of doseFields) if (rules[i]![field] !== undefined) by[field] = rules[i]!;
    });
    return {
      mark: by.mark?.mark ?? 1,
      share: by.share?.share ?? 1,
      repeat: by.repeat?.repeat ?? 1,
      loss: by.loss?.loss ?? 1,
      emphasis: by.emphasis?.emphasis ?? null,
      framing: by.framing?.framing ?? "text",
      stage: by.stage?.stage ?? null,
      by,
    };
  };
}

/** The names of rules that match no gene. */
export function idleRules(rules: readonly Rule[], genes: readonly Gene[]): string[] {
  return rules.filter((rule) => !genes.some(matcher(rule))).map(ruleName);
}
