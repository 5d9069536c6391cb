/** The arithmetic of the acceptance run: bits per byte of one sort of file, its paired change, means over seeds. */

/** A held-out file of a report; `before` and `after` are its bits per byte. */
export interface FileFigure {
  readonly repository: string;
  readonly path: string;
  readonly bytes: number;
  readonly before: number;
  readonly after: number;
}

export interface Change {
  /** Total bits over total bytes. */
  readonly before: number;
  readonly after: number;
  /** after / before - 1. */
  readonly relative: number;
  /** after - before, in bits per byte. */
  readonly difference: number;
  /** Of `difference`: linearised, over files (Cochran, Sampling Techniques, 1977, section 6.3). NaN for one file. */
  readonly standardError: number;
}

export function isMarkdown({ path }: { readonly path: string }): boolean {
  return /\.(md|markdown)$/i.test(path);
}

/** The change over several files; each weighs by its bytes. */
export function changeOf(files: readonly FileFigure[]): Change {
  const bytes = sum(files.map((file) => file.bytes));
  const before = sum(files.map((file) => file.before * file.bytes)) / bytes;
  const after = sum(files.map((file) => file.after * file.bytes)) / bytes;
  const difference = after - before;
  const squares = sum(files.map((file) => (file.bytes * (file.after - file.before - difference)) ** 2));
  const n = files.length;
  return {
    before,
    after,
    relative: after / before - 1,
    difference,
    standardError: n < 2 ? Number.NaN : Math.sqrt((n / (n - 1)) * squares) / bytes,
  };
}

/** Mean and its standard error; the error of a single value is NaN. */
export function meanOf(values: readonly number[]): { mean: number; standardError: number } {
  const n = values.length;
  const mean = sum(values) / n;
  const squares = sum(values.map((value) => (value - mean) ** 2));
  return { mean, standardError: n < 2 ? Number.NaN : Math.sqrt(squares / (n - 1) / n) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
