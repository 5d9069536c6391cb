/** Groups of files whose mark changes together: a repository's files of one kind, where there are enough of them. */

/** Fewer trained files than this are no group of their own. */
const MIN_FILES = 5;

interface File {
  readonly repository: string;
  readonly kind: string;
}

export interface Groups {
  /** `REPOSITORY KIND`; `* KIND` for what is pooled of a kind, `*` for all the rest. */
  readonly names: readonly string[];
  /** Index of the group that a file belongs to, trained or held out; undefined where nothing trained is in it. */
  of(file: File): number | undefined;
}

/**
 * Groups of repository and kind with at least five trained files. The rest is pooled by kind where that makes five files, and
 * what is left then is one group more.
 *
 * @param trained each file once
 */
export function groupsOf(trained: readonly File[]): Groups {
  const own = ({ repository, kind }: File): string => `${repository} ${kind}`;
  const pool = ({ kind }: File): string => `* ${kind}`;
  const counted = (files: readonly File[], nameOf: (file: File) => string): Set<string> =>
    new Set([...Map.groupBy(files, nameOf)].flatMap(([name, of]) => (of.length < MIN_FILES ? [] : [name])));
  const large = counted(trained, own);
  const pooled = counted(
    trained.filter((file) => !large.has(own(file))),
    pool,
  );
  const nameOf = (file: File): string => {
    if (large.has(own(file))) return own(file);
    return pooled.has(pool(file)) ? pool(file) : "*";
  };
  const names = [...new Set(trained.map(nameOf))].sort((a, b) => (a < b ? -1 : 1));
  const index = new Map(names.map((name, i) => [name, i]));
  return { names, of: (file) => index.get(nameOf(file)) };
}
