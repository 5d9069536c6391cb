/** What was checked and how it came out; and tables for the terminal. */

export interface Check {
  /** A step's name, or a seed's. */
  readonly of: string;
  readonly check: string;
  readonly found: string;
  readonly wanted: string;
  readonly ok: boolean;
}

export class Checks {
  readonly rows: Check[] = [];
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** Notes a check and says at once how it came out. */
  add(of: string, check: string, found: string, wanted: string, ok: boolean): void {
    this.rows.push({ of, check, found, wanted, ok });
    this.#say(`  ${ok ? "ok    " : "FAILED"} ${check}: ${found}${wanted === "" ? "" : ` (wanted: ${wanted})`}`);
  }

  get failed(): readonly Check[] {
    return this.rows.filter(({ ok }) => !ok);
  }
}

/** Columns as wide as their widest cell; the first one to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[], toTheLeft = 1): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const pad = (cell: string, i: number): string =>
    i < toTheLeft ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!);
  return rows.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}

/** 0.1234 -> "+12.34 %". */
export function percent(value: number, digits = 2): string {
  return `${value > 0 ? "+" : ""}${(100 * value).toFixed(digits)} %`;
}
