/** Counts by name. */

export type Tally = Record<string, number>;

/** Adds to one count, which begins at 0. */
export function add(tally: Tally, name: string, count: number): void {
  tally[name] = (tally[name] ?? 0) + count;
}
