/** Figures of a genome for programs and for people: what it is made of, what repeats most, how good its texts look. */
import { duplicateKinds } from "../gene.ts";
import type { DuplicateKind, Gene } from "../gene.ts";
import type { Genome } from "../manifest.ts";
import { countFlags, licenceOf, sumTallies, totalsOf } from "./summary.ts";
import type { Tally, Totals } from "./summary.ts";

const largestClasses = 20;
const membersShown = 5;

export interface Quantiles {
  readonly min: number;
  readonly p10: number;
  readonly p25: number;
  readonly median: number;
  readonly p75: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export interface DuplicateClass {
  readonly name: string;
  readonly kind: DuplicateKind;
  readonly genes: number;
  /** Bytes of the genes beside the representative. */
  readonly repeatedBytes: number;
  /** `repository/path` of the gene that stands for all. */
  readonly representative: string;
  /** The first few others. */
  readonly others: readonly string[];
}

export interface GenomeStats extends Totals {
  readonly imported: boolean;
  /** Of the texts as they stand in genome.txt. */
  readonly textBytes: number;
  readonly kinds: Readonly<Record<string, Totals>>;
  /** `null` as a key stands for genes of no known language. */
  readonly languages: Readonly<Record<string, Totals>>;
  readonly licences: Readonly<Record<string, Totals>>;
  readonly repositories: Readonly<Record<string, Totals>>;
  readonly duplicates: {
    readonly kinds: Readonly<Record<DuplicateKind, { classes: number; genes: number; repeatedBytes: number }>>;
    /** Those that repeat most bytes. */
    readonly largest: readonly DuplicateClass[];
  };
  /** Over the genes that are not empty; null where there is none. */
  readonly quality: Readonly<Record<keyof Gene["quality"], Quantiles>> | null;
  readonly masked: Tally;
  readonly flags: Tally;
  /** Files of the repositories that are not in the genome, by reason. */
  readonly skipped: Tally;
  /** Blobs that could not be had and were left out. */
  readonly damaged: number;
}

export function genomeStats({ manifest, genes }: Pick<Genome, "manifest" | "genes">): GenomeStats {
  return {
    imported: manifest.imported,
    ...totalsOf(genes),
    textBytes: genes.reduce((sum, { textBytes }) => sum + textBytes, 0),
    kinds: totalsBy(genes, ({ kind }) => kind),
    languages: totalsBy(genes, ({ language }) => language ?? "null"),
    licences: totalsBy(genes, licenceOf),
    repositories: totalsBy(genes, ({ repository }) => repository),
    duplicates: duplicateStats(genes),
    quality: qualityStats(genes.filter(({ bytes }) => bytes > 0)),
    masked: sumTallies(genes.map(({ masked }) => masked)),
    flags: countFlags(genes),
    skipped: sumTallies([manifest.counts.skipped]),
    damaged: manifest.damaged.length,
  };
}

/** Largest first. */
function totalsBy(genes: readonly Gene[], key: (gene: Gene) => string): Record<string, Totals> {
  const groups = [...Map.groupBy(genes, key)].map(([name, group]) => [name, totalsOf(group)] as const);
  return Object.fromEntries(groups.sort(([a, x], [b, y]) => y.bytes - x.bytes || (a < b ? -1 : 1)));
}

function duplicateStats(genes: readonly Gene[]): GenomeStats["duplicates"] {
  const marked = genes.filter(({ duplicateClass }) => duplicateClass !== null);
  const classes = [...Map.groupBy(marked, ({ duplicateClass }) => duplicateClass!)].map(([name, members]) =>
    duplicateClassOf(name, members),
  );
  const kinds = Object.fromEntries(
    duplicateKinds.map((kind) => {
      const own = classes.filter((one) => one.kind === kind);
      const sum = (of: (one: DuplicateClass) => number): number => own.reduce((total, one) => total + of(one), 0);
      return [
        kind,
        { classes: own.length, genes: sum((one) => one.genes), repeatedBytes: sum((one) => one.repeatedBytes) },
      ];
    }),
  ) as GenomeStats["duplicates"]["kinds"];
  classes.sort((a, b) => b.repeatedBytes - a.repeatedBytes || (a.name < b.name ? -1 : 1));
  return { kinds, largest: classes.slice(0, largestClasses) };
}

function duplicateClassOf(name: string, members: readonly Gene[]): DuplicateClass {
  const label = ({ repository, path }: Gene): string => `${repository}/${path}`;
  const representative = members.find((gene) => gene.representative) ?? members[0]!;
  const others = members.filter((gene) => gene !== representative);
  return {
    name,
    kind: representative.duplicateKind ?? "exact",
    genes: members.length,
    repeatedBytes: others.reduce((sum, { bytes }) => sum + bytes, 0),
    representative: label(representative),
    others: others.slice(0, membersShown).map(label),
  };
}

function qualityStats(genes: readonly Gene[]): GenomeStats["quality"] {
  if (genes.length === 0) return null;
  const of = (signal: keyof Gene["quality"]): Quantiles => quantiles(genes.map(({ quality }) => quality[signal]));
  return { lineLength: of("lineLength"), alphabetic: of("alphabetic"), repetition: of("repetition") };
}

/** By the nearest rank: each is a value that occurs. */
export function quantiles(values: readonly number[]): Quantiles {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
  return {
    min: at(0),
    p10: at(0.1),
    p25: at(0.25),
    median: at(0.5),
    p75: at(0.75),
    p90: at(0.9),
    p99: at(0.99),
    max: at(1),
  };
}
