/** Scored documents summed up by repository, by kind, or by whatever else groups them. */
import { bitsPerByte, type DocumentScore } from "./bits-per-byte.ts";

export interface GroupScore {
  readonly group: string;
  readonly files: number;
  readonly bytes: number;
  readonly nats: number;
  readonly bitsPerByte: number;
}

/** Bits per byte of each group (its nats over its bytes), ordered by the group's name. */
export function scoreByGroup(
  scores: readonly DocumentScore[],
  groupOf: (score: DocumentScore, index: number) => string,
): GroupScore[] {
  const sums = new Map<string, { files: number; bytes: number; nats: number }>();
  scores.forEach((score, index) => {
    const group = groupOf(score, index);
    const sum = sums.get(group) ?? { files: 0, bytes: 0, nats: 0 };
    sums.set(group, { files: sum.files + 1, bytes: sum.bytes + score.bytes, nats: sum.nats + score.nats });
  });
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, sum]) => ({ group, ...sum, bitsPerByte: bitsPerByte(sum.nats, sum.bytes) }));
}

/**
 * Bits per byte, averaged over groups of one weight each: every repository with at least `minFiles` files (default 5) is
 * a group, all the others together are one more. Documents without a group belong to the latter.
 */
export function bitsPerByteMacro(scores: readonly DocumentScore[], options: { minFiles?: number } = {}): number {
  const minFiles = options.minFiles ?? 5;
  const files = new Map<string, number>();
  for (const { group } of scores) if (group !== undefined) files.set(group, (files.get(group) ?? 0) + 1);
  const large = (group: string | undefined): group is string =>
    group !== undefined && (files.get(group) ?? 0) >= minFiles;
  const groups = scoreByGroup(scores, ({ group }) => (large(group) ? `repository ${group}` : "others"));
  const measured = groups.filter((group) => group.bytes > 0);
  return measured.reduce((sum, group) => sum + group.bitsPerByte, 0) / Math.max(1, measured.length);
}
