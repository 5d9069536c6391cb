/** Which genes are expressed, and how much of each: rules, duplicates, shares, capacity. The genome is never altered. */
import { createHash } from "node:crypto";
import { UserError } from "../errors.ts";
import { uniform } from "../formats/random.ts";
import type { Gene } from "../genome/manifest.ts";
import { framingOf } from "./framings/framings.ts";
import { dosing, idleRules, ruleName } from "./rules.ts";
import type { Dose, Rule } from "./rules.ts";

/**
 * Why a gene is not trained on: one of these, or the name of the rule that silenced it.
 *
 * "mark": its rule expresses a part of its files, and not this one. "share": there was no more room in a rule's share.
 * "capacity": the body's trainable weights could not hold more, or the training would not come to see it.
 */
export type SilentReason =
  | "empty"
  | "duplicate"
  | "mark"
  | "share"
  | "capacity"
  | "retention text"
  | "replay text"
  | "held out"
  | "copy of a held-out file"
  | (string & {});

export interface SilentGene {
  readonly gene: Gene;
  readonly reason: SilentReason;
}

export interface SelectOptions {
  /** In order: what a later one says counts. */
  readonly rules: readonly Rule[];
  readonly seed: number;
  /** "one" (default): of each duplicate class one gene; "all": every member. */
  readonly duplicates?: "one" | "all" | undefined;
  /** Bytes of text that one pass may hold, repeats counted (default: no limit). */
  readonly capacity?: number | undefined;
  /** What the capacity takes away last may hold so many bytes whatever the capacity is: enough to hold files out of. */
  readonly keepAtLeast?: number | undefined;
  /** Whether the genes are those that marks below 1 have left, as part of the files they were applied to. */
  readonly isMarked?: boolean | undefined;
}

/** A gene with what the rules say of it. */
export interface ExpressedGene {
  readonly gene: Gene;
  readonly dose: Dose;
  /** How often it comes in one pass. */
  readonly copies: number;
}

export interface Selection {
  /** In the order of the genome. */
  readonly expressed: readonly ExpressedGene[];
  readonly silent: readonly SilentGene[];
  /** Names of the rules that match no file of the genome. */
  readonly idle: readonly string[];
}

/** What the capacity takes away first. */
const dispensable: ReadonlySet<Gene["kind"]> = new Set(["dialogue", "data", "log"]);

/**
 * Decides gene by gene. Empty files are silent, and so is what a rule gives mark 0; of each duplicate class one gene
 * stands, its representative if that is not silent. Of files with a mark below 1, with a share that is exceeded, or
 * beyond the capacity, those stay that come first in an order given by the hash of seed and blob.
 *
 * @throws UserError `empty` or `invalid` when nothing is left to train on.
 */
export function selectGenes(genes: readonly Gene[], options: SelectOptions): Selection {
  const { rules, seed } = options;
  const doseOf = dosing(rules);
  const silent = new Map<Gene, SilentReason>();
  let expressed: ExpressedGene[] = [];
  for (const gene of genes) {
    const dose = doseOf(gene);
    if (gene.textBytes === 0 || gene.bytes === 0) silent.set(gene, "empty");
    else if (dose.mark === 0) silent.set(gene, ruleName(dose.by.mark!));
    else if (dose.share === 0) silent.set(gene, ruleName(dose.by.share!));
    else expressed.push({ gene, dose, copies: copiesOf(gene, dose.repeat, seed) });
  }
  const drop = (out: ReadonlySet<Gene>, reason: SilentReason): void => {
    for (const gene of out) silent.set(gene, reason);
    expressed = expressed.filter(({ gene }) => !out.has(gene));
  };
  if (options.duplicates !== "all") drop(repeated(expressed), "duplicate");
  if (options.isMarked !== true) drop(overMarks(expressed, seed), "mark");
  drop(overShares(expressed, seed), "share");
  if (options.capacity !== undefined) {
    drop(overCapacity(expressed, { ...options, capacity: options.capacity }), "capacity");
  }
  if (expressed.length === 0) refuseEmpty(genes.length, silent);
  return {
    expressed,
    silent: genes.flatMap((gene) => (silent.has(gene) ? [{ gene, reason: silent.get(gene)! }] : [])),
    idle: idleRules(rules, genes),
  };
}

function refuseEmpty(files: number, silent: ReadonlyMap<Gene, SilentReason>): never {
  const counts = new Map<SilentReason, number>();
  for (const reason of silent.values()) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const reasons = [...counts].map(([reason, count]) => `${reason}: ${count}`).join(", ");
  throw new UserError(
    "empty",
    `none of the ${files} files of the genome is left to train on (${reasons || "no file"})`,
    {
      hint: "give other repositories, other rules under epigenome: in the blueprint, or --express all",
    },
  );
}

function copiesOf(gene: Gene, repeat: number, seed: number): number {
  const whole = Math.floor(repeat);
  return whole + (uniform(seed, `repeat ${hashedName(gene)}`, 0, 0) < repeat - whole ? 1 : 0);
}

/** The members of duplicate classes that do not stand for them. */
function repeated(expressed: readonly ExpressedGene[]): Set<Gene> {
  const standing = new Map<string, Gene>();
  for (const { gene } of expressed) {
    const { duplicateClass, representative } = gene;
    if (duplicateClass !== null && (representative || !standing.has(duplicateClass)))
      standing.set(duplicateClass, gene);
  }
  const out = expressed.filter(
    ({ gene }) => gene.duplicateClass !== null && standing.get(gene.duplicateClass) !== gene,
  );
  return new Set(out.map(({ gene }) => gene));
}

/** Of each rule's files those beyond its mark; what stays is as near to the mark as whole files come. */
function overMarks(expressed: readonly ExpressedGene[], seed: number): Set<Gene> {
  const out = new Set<Gene>();
  for (const [rule, files] of Map.groupBy(expressed, ({ dose }) => dose.by.mark)) {
    if (rule === undefined || rule.mark === 1) continue;
    const wanted = rule.mark! * dosedBytes(files);
    let bytes = 0;
    for (const file of inHashOrder(files, seed, "mark")) {
      const size = dosedBytes([file]);
      if (bytes + size - wanted > wanted - bytes) out.add(file.gene);
      else bytes += size;
    }
  }
  return out;
}

/** The genes to leave out so that each rule's part of the bytes that remain is at most its share. */
function overShares(expressed: readonly ExpressedGene[], seed: number): Set<Gene> {
  const isCapped = ({ dose }: ExpressedGene): boolean => dose.share < 1;
  const groups = [...Map.groupBy(expressed.filter(isCapped), ({ dose }) => dose.by.share!)];
  const free = dosedBytes(expressed.filter((file) => !isCapped(file)));
  const shares = groups.map(([rule]) => rule.share!);
  const allowed = allowances(
    groups.map(([, files]) => dosedBytes(files)),
    shares,
    free,
  );
  const out = new Set<Gene>();
  const kept = groups.map(([, files], i) => {
    let room = allowed[i]!;
    return inHashOrder(files, seed, "select").filter((file) => {
      const size = dosedBytes([file]);
      if (size > room) out.add(file.gene);
      else room -= size;
      return !out.has(file.gene);
    });
  });
  // Whole files fall short of an allowance, which makes the total smaller and the other parts larger.
  for (;;) {
    const total = free + kept.reduce((sum, files) => sum + dosedBytes(files), 0);
    const over = kept.findIndex((files, i) => dosedBytes(files) > shares[i]! * total);
    if (over < 0) break;
    out.add(kept[over]!.pop()!.gene);
  }
  if (free === 0 && out.size > 0 && kept.every((files) => files.length === 0)) {
    const names = groups.map(([rule]) => `${ruleName(rule)}: ${rule.share}`);
    throw new UserError(
      "invalid",
      `epigenome: nothing is left to train on, the shares add up to less than 1 (${names.join(", ")})`,
      { hint: "a share is a part of all trained bytes: give the main files share 1" },
    );
  }
  return out;
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

/**
 * What exceeds the capacity: dialogue, tables and logs first, then whatever comes last in the order of the hash. Where no file is
 * small enough, the smallest of those that would go last stays.
 */
function overCapacity(
  expressed: readonly ExpressedGene[],
  { capacity, keepAtLeast = 0, seed }: { capacity: number; keepAtLeast?: number | undefined; seed: number },
): Set<Gene> {
  const [most, least] = [false, true].map((wanted) =>
    inHashOrder(
      expressed.filter((file) => isDispensable(file) === wanted),
      seed,
      "capacity",
    ),
  ) as [ExpressedGene[], ExpressedGene[]];
  const out = new Set<Gene>();
  const fill = (files: readonly ExpressedGene[], room: number): number => {
    let left = room;
    for (const file of files) {
      const size = dosedBytes([file]);
      if (size > left) out.add(file.gene);
      else left -= size;
    }
    return room - left;
  };
  const used = fill(most, Math.max(capacity, keepAtLeast));
  fill(least, capacity - used);
  if (out.size === expressed.length) {
    const [smallest] = (most.length > 0 ? most : least).toSorted((a, b) => dosedBytes([a]) - dosedBytes([b]));
    if (smallest !== undefined) out.delete(smallest.gene);
  }
  return out;
}

/** A recipe that has a stage for a file, or asks it questions, wants it whatever its kind is. */
function isDispensable({ gene, dose }: ExpressedGene): boolean {
  return dispensable.has(gene.kind) && dose.stage === null && framingOf(dose.framing).asks !== true;
}

/** Whether a stage trains on a gene. */
export function isOfStage({ dose }: ExpressedGene, stage: string): boolean {
  return dose.stage === null || dose.stage === stage;
}

/** Bytes of text in one pass. */
export function dosedBytes(files: readonly ExpressedGene[]): number {
  return files.reduce((sum, { gene, copies }) => sum + gene.textBytes * copies, 0);
}

/** Bytes of text. */
export function bytesOf(genes: readonly Gene[]): number {
  return genes.reduce((sum, gene) => sum + gene.textBytes, 0);
}

function inHashOrder(files: readonly ExpressedGene[], seed: number, purpose: string): ExpressedGene[] {
  const byGene = new Map(files.map((file) => [file.gene, file]));
  return byHash([...byGene.keys()], seed, purpose).map((gene) => byGene.get(gene)!);
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

function hashedName({ repository, path, blob }: Gene): string {
  return `${blob} ${repository}/${path}`;
}
