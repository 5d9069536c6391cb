/** Which genes are expressed: the fixed exclusions, then the rules of a blueprint. The genome itself is never altered. */
import { createHash } from "node:crypto";
import picomatch from "picomatch";
import { UserError } from "../errors.ts";
import type { Gene } from "../genome/manifest.ts";

/** A rule on the files whose `repository/path` matches the glob. */
export interface SelectRule {
  readonly match: string;
  /** At most this part of the trained bytes, 0 to 1; 0 leaves the files out, 1 sets no limit. */
  readonly share: number;
}

/** Why a gene is not trained on. */
export type SilentReason =
  | "empty"
  | "duplicate"
  | "lock"
  | "minified"
  | "generated"
  | "vendored"
  | "backup"
  | "large data"
  | "rule"
  | "share"
  | "retention text"
  | "replay text"
  | "held out"
  | "copy of a held-out file";

export interface SilentGene {
  readonly gene: Gene;
  readonly reason: SilentReason;
}

export interface Selection {
  /** In the order of the genome. */
  readonly trained: readonly Gene[];
  readonly silent: readonly SilentGene[];
  /** Globs of the rules that match no file of the genome. */
  readonly idle: readonly string[];
}

/** Data and fixtures above this many bytes are silent where no rule matches them. */
const MAX_DATA_BYTES = 64 * 1024;
const SILENT_KINDS = ["lock", "minified", "generated", "vendored", "backup"] as const;
const FIXTURES = /(^|\/)(__)?(fixtures?|testdata|snapshots?)(__)?\//i;

/**
 * Decides gene by gene. Empty files, all but one of a duplicate class, lock files, minified, generated, vendored and
 * backup files are always silent; data and fixtures above 64 KB are, unless a rule matches them. Of several rules that
 * match, the last one counts. Where a rule's share is exceeded, files are taken in
 * an order given by the hash of seed and blob while there is room for them.
 *
 * @throws UserError `empty` or `invalid` when nothing is left to train on.
 */
export function selectGenes(genes: readonly Gene[], rules: readonly SelectRule[], seed: number): Selection {
  const { decisions, idle } = decide(genes, rules);
  const silent = new Map<Gene, SilentReason>();
  const capped = rules.map((): Gene[] => []);
  let free = 0;
  genes.forEach((gene, i) => {
    const { reason, rule } = decisions[i]!;
    if (reason) silent.set(gene, reason);
    else if (rule !== undefined && rules[rule]!.share < 1) capped[rule]!.push(gene);
    else free += gene.textBytes;
  });
  for (const gene of overShare(capped, rules, free, seed)) silent.set(gene, "share");
  const trained = genes.filter((gene) => !silent.has(gene));
  if (trained.length === 0) refuseEmpty(genes.length, silent);
  return { trained, silent: genes.flatMap((gene) => silentGene(gene, silent.get(gene))), idle };
}

function silentGene(gene: Gene, reason: SilentReason | undefined): SilentGene[] {
  return reason ? [{ gene, reason }] : [];
}

function refuseEmpty(files: number, silent: ReadonlyMap<Gene, SilentReason>): never {
  const counts = new Map<SilentReason, number>();
  for (const reason of silent.values()) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const reasons = [...counts].map(([reason, count]) => `${reason}: ${count}`).join(", ");
  throw new UserError(
    "empty",
    `none of the ${files} files of the genome is left to train on (${reasons || "no file"})`,
    {
      hint: "give other repositories, or rules under select: in the blueprint",
    },
  );
}

interface Decision {
  readonly reason?: SilentReason;
  /** Index of the rule that decided. */
  readonly rule?: number;
}

function decide(genes: readonly Gene[], rules: readonly SelectRule[]): { decisions: Decision[]; idle: string[] } {
  const matchers = rules.map((rule) => picomatch(rule.match, { dot: true }));
  const matched = new Set<number>();
  const decisions = genes.map((gene): Decision => {
    const name = `${gene.repository}/${gene.path}`;
    let rule: number | undefined;
    matchers.forEach((matches, i) => {
      if (!matches(name)) return;
      matched.add(i);
      rule = i;
    });
    if (gene.textBytes === 0 || gene.bytes === 0) return { reason: "empty" };
    const kind = SILENT_KINDS.find((of) => of === gene.kind);
    if (kind) return { reason: kind };
    if (rule !== undefined) return rules[rule]!.share === 0 ? { reason: "rule", rule } : { rule };
    return isLargeData(gene) ? { reason: "large data" } : {};
  });
  const standing = oneOfEachClass(genes, decisions);
  genes.forEach((gene, i) => {
    const stands = gene.duplicateClass === null || standing.get(gene.duplicateClass) === gene;
    if (!stands && !decisions[i]!.reason) decisions[i] = { reason: "duplicate" };
  });
  return { decisions, idle: rules.flatMap((rule, i) => (matched.has(i) ? [] : [rule.match])) };
}

/** Of each duplicate class its representative, or where that is silent the first member that is not. */
function oneOfEachClass(genes: readonly Gene[], decisions: readonly Decision[]): Map<string, Gene> {
  const standing = new Map<string, Gene>();
  genes.forEach((gene, i) => {
    if (gene.duplicateClass === null || decisions[i]!.reason) return;
    if (gene.representative || !standing.has(gene.duplicateClass)) standing.set(gene.duplicateClass, gene);
  });
  return standing;
}

function isLargeData(gene: Gene): boolean {
  return gene.textBytes > MAX_DATA_BYTES && (gene.kind === "data" || FIXTURES.test(gene.path));
}

/** The genes to leave out so that each rule's part of the bytes that remain is at most its share. */
function overShare(
  groups: readonly (readonly Gene[])[],
  rules: readonly SelectRule[],
  free: number,
  seed: number,
): Set<Gene> {
  const allowed = allowances(
    groups.map(bytesOf),
    rules.map((rule) => rule.share),
    free,
  );
  const out = new Set<Gene>();
  const kept = groups.map((genes, i) => {
    let room = allowed[i]!;
    return byHash(genes, seed, "select").filter((gene) => {
      if (gene.textBytes > room) out.add(gene);
      else room -= gene.textBytes;
      return !out.has(gene);
    });
  });
  // Whole files fall short of an allowance, which makes the total smaller and the other parts larger.
  for (;;) {
    const total = free + kept.reduce((sum, genes) => sum + bytesOf(genes), 0);
    const over = kept.findIndex((genes, i) => bytesOf(genes) > rules[i]!.share * total);
    if (over < 0) break;
    out.add(kept[over]!.pop()!);
  }
  return refuseNothing(groups, kept, rules, free, out);
}

function refuseNothing(
  groups: readonly (readonly Gene[])[],
  kept: readonly (readonly Gene[])[],
  rules: readonly SelectRule[],
  free: number,
  out: Set<Gene>,
): Set<Gene> {
  if (free > 0 || out.size === 0 || kept.some((genes) => genes.length > 0)) return out;
  const names = rules.filter((_, i) => groups[i]!.length > 0).map(({ match, share }) => `${match}: ${share}`);
  throw new UserError(
    "invalid",
    `select: nothing is left to train on, the shares add up to less than 1 (${names.join(", ")})`,
    {
      hint: "a share is a part of all trained bytes: give the main files share 1",
    },
  );
}

/** The largest bytes of each group such that none exceeds its share of the total they make with `free`. */
function allowances(sizes: readonly number[], shares: readonly number[], free: number): number[] {
  const bound = new Set<number>();
  for (;;) {
    const unbound = sizes.reduce((sum, size, i) => (bound.has(i) ? sum : sum + size), free);
    const rest = 1 - shares.reduce((sum, share, i) => (bound.has(i) ? sum + share : sum), 0);
    const total = bound.size === 0 ? unbound : rest > 0 ? unbound / rest : Infinity;
    const over = sizes.findIndex((size, i) => !bound.has(i) && size > shares[i]! * total);
    if (over < 0) return sizes.map((size, i) => (bound.has(i) ? Math.min(size, shares[i]! * total) : size));
    bound.add(over);
  }
}

/** Bytes of text. */
export function bytesOf(genes: readonly Gene[]): number {
  return genes.reduce((sum, gene) => sum + gene.textBytes, 0);
}

/** Genes in the order of SHA-256(seed, purpose, blob, repository, path): the choice of one does not depend on the others. */
export function byHash(genes: readonly Gene[], seed: number, purpose: string): Gene[] {
  return genes
    .map((gene) => ({ gene, key: hashKey(seed, purpose, gene) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ gene }) => gene);
}

function hashKey(seed: number, purpose: string, gene: Gene): string {
  const blob = createHash("sha256").update(`${seed}\n${purpose}\n${gene.blob}`).digest("hex");
  return `${blob} ${gene.repository}/${gene.path}`; // the names part files of one blob only
}
