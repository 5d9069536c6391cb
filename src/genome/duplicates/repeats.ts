/** How much the duplicate classes of a genome repeat, from the rows of its genes. */
import type { DuplicateKind } from "../gene.ts";

interface MarkedGene {
  readonly textBytes: number;
  readonly duplicateClass: string | null;
  readonly duplicateKind: DuplicateKind | null;
  readonly representative: boolean;
}

/** A duplicate class with its members in the order of the genome. */
export interface DuplicateClass<G> {
  readonly name: string;
  readonly kind: DuplicateKind;
  readonly representative: G;
  readonly members: readonly G[];
  /** Bytes of the texts of all members. */
  readonly bytes: number;
  /** Bytes of all members but the representative. */
  readonly repeatedBytes: number;
}

/** The duplicate classes of genes, those that repeat most first. */
export function duplicateClasses<G extends MarkedGene>(genes: Iterable<G>): DuplicateClass<G>[] {
  const groups = Map.groupBy(genes, (gene) => gene.duplicateClass);
  groups.delete(null);
  return [...groups]
    .map(([name, members]): DuplicateClass<G> => {
      const representative = members.find((gene) => gene.representative) ?? members[0]!;
      const bytes = members.reduce((sum, gene) => sum + gene.textBytes, 0);
      const kind = representative.duplicateKind!;
      return { name: name!, kind, representative, members, bytes, repeatedBytes: bytes - representative.textBytes };
    })
    .sort((a, b) => b.repeatedBytes - a.repeatedBytes);
}

/** Bytes of the genes that do not stand for their class, by class kind. */
export function repeatedBytes(genes: Iterable<MarkedGene>): Record<DuplicateKind, number> {
  const sums = { exact: 0, near: 0, template: 0 };
  for (const gene of genes) {
    if (gene.duplicateKind !== null && !gene.representative) sums[gene.duplicateKind] += gene.textBytes;
  }
  return sums;
}
