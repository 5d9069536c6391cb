/** What a genome holds, folder by folder: sizes, tokens, repetition, kinds, licences, masks and flags. */
import type { Gene, LockedRepository } from "../gene.ts";

export type Tally = Readonly<Record<string, number>>;

/** Sums over genes. */
export interface Totals {
  readonly genes: number;
  /** Of the raw blobs. */
  readonly bytes: number;
  /** Null where some gene's tokens were not counted. */
  readonly tokens: number | null;
  /** Bytes of the genes that another one represents: what is there more than once. */
  readonly repeatedBytes: number;
}

export interface FolderSummary extends Totals {
  /** The last part of its path. */
  readonly name: string;
  /** Bytes by kind, the largest first. */
  readonly kinds: Tally;
  readonly folders: readonly FolderSummary[];
}

export interface RepositorySummary extends FolderSummary {
  readonly commit: string | null;
  readonly licence: string;
  /** Genes by their own licence, or their repository's where they state none; the most frequent first. */
  readonly licences: Tally;
  /** Pieces masked, by kind. */
  readonly masked: Tally;
  /** Genes by flag. */
  readonly flags: Tally;
}

/** The licence that holds for a gene: its own, or its repository's where it states none. */
export function licenceOf({ licence, repositoryLicence }: Gene): string {
  return licence === "unknown" ? repositoryLicence : licence;
}

export function totalsOf(genes: readonly Gene[]): Totals {
  let [bytes, repeatedBytes] = [0, 0];
  let tokens: number | null = genes.length === 0 ? null : 0;
  for (const gene of genes) {
    bytes += gene.bytes;
    if (!gene.representative) repeatedBytes += gene.bytes;
    tokens = tokens === null || gene.tokens === null ? null : tokens + gene.tokens;
  }
  return { genes: genes.length, bytes, tokens, repeatedBytes };
}

/** Sums over genes by a key, the largest first, equal ones by name. */
export function tally(genes: readonly Gene[], key: (gene: Gene) => string, of: (gene: Gene) => number): Tally {
  const sums = new Map<string, number>();
  for (const gene of genes) sums.set(key(gene), (sums.get(key(gene)) ?? 0) + of(gene));
  return ordered(sums);
}

/** Largest first, equal ones by name. */
export function ordered(sums: ReadonlyMap<string, number>): Tally {
  const entries = [...sums].sort(([nameA, a], [nameB, b]) => b - a || (nameA < nameB ? -1 : 1));
  return Object.fromEntries(entries);
}

/** Adds up tallies that genes carry. */
export function sumTallies(tallies: Iterable<Tally>): Tally {
  const sums = new Map<string, number>();
  for (const one of tallies)
    for (const [key, count] of Object.entries(one)) sums.set(key, (sums.get(key) ?? 0) + count);
  return ordered(sums);
}

/** Counts genes by flag. */
export function countFlags(genes: readonly Gene[]): Tally {
  return sumTallies(genes.map(({ flags }) => Object.fromEntries(flags.map((flag) => [flag, 1]))));
}

/**
 * Sums up a genome by repository, in the order of the genome.
 *
 * @param depth levels of folders below a repository that are told apart
 */
export function summarise(
  repositories: readonly LockedRepository[],
  genes: readonly Gene[],
  { depth }: { readonly depth: number },
): RepositorySummary[] {
  const byRepository = Map.groupBy(genes, ({ repository }) => repository);
  return repositories.map(({ name, commit, licence }) => {
    const own = byRepository.get(name) ?? [];
    return {
      ...folderSummary(name, own, 0, depth),
      commit,
      licence,
      licences: tally(own, licenceOf, () => 1),
      masked: sumTallies(own.map(({ masked }) => masked)),
      flags: countFlags(own),
    };
  });
}

/** `level` parts of each path lead to the folder. */
function folderSummary(name: string, genes: readonly Gene[], level: number, depth: number): FolderSummary {
  const below = level < depth ? Map.groupBy(genes, ({ path }) => partAt(path, level)) : new Map<undefined, Gene[]>();
  const folders = [...below].flatMap(([part, own]) =>
    part === undefined ? [] : [folderSummary(part, own, level + 1, depth)],
  );
  return {
    name,
    ...totalsOf(genes),
    kinds: tally(
      genes,
      ({ kind }) => kind,
      ({ bytes }) => bytes,
    ),
    folders: folders.sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1)),
  };
}

/** The folder of a path at a level; undefined where the file itself stands there. */
function partAt(path: string, level: number): string | undefined {
  const parts = path.split("/");
  return level < parts.length - 1 ? parts[level] : undefined;
}
