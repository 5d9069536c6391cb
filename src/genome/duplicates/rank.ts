/** Which member of a duplicate class stands for it: the newest that is not a copy kept of something else. */

export interface Rank {
  /** Whether the gene is of the kind "backup". */
  readonly backup: boolean;
  /** Milliseconds since 1970; `-Infinity` where nothing tells a date. */
  readonly date: number;
  /** Bytes of the text. */
  readonly textBytes: number;
}

/**
 * The rank of a gene. A backup's date is the latest that its path names, since it can hardly be older than that; where
 * there is none, and for every other gene, it is that of the last commit.
 *
 * @param lastCommit ISO date, or null where history does not tell
 */
export function rankOf(gene: {
  readonly kind: string;
  readonly path: string;
  readonly lastCommit: string | null;
  readonly textBytes: number;
}): Rank {
  const backup = gene.kind === "backup";
  const committed = gene.lastCommit === null ? -Infinity : Date.parse(gene.lastCommit);
  return { backup, date: (backup ? dateInPath(gene.path) : undefined) ?? committed, textBytes: gene.textBytes };
}

/** Negative where `a` comes before `b`; of equal rank is what comes first in the genome. */
export function compareRanks(a: Rank, b: Rank): number {
  if (a.backup !== b.backup) return a.backup ? 1 : -1;
  if (a.date !== b.date) return b.date > a.date ? 1 : -1;
  return b.textBytes - a.textBytes;
}

/** The latest date in a path, such as 2025-11-01 or 20251101 (a time may follow), in milliseconds since 1970, UTC. */
export function dateInPath(path: string): number | undefined {
  const dates =
    /(?<!\d)((?:19|20)\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?=(?:[01]\d|2[0-3])(?:[0-5]\d){1,2}(?!\d)|(?!\d))/g;
  let latest: number | undefined;
  for (const [, year, , month, day] of path.matchAll(dates)) {
    const date = Date.UTC(Number(year), Number(month) - 1, Number(day));
    if (latest === undefined || date > latest) latest = date;
  }
  return latest;
}
