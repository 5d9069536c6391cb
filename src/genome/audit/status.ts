/** The four answers of a check, and how many answers make one. */

/** What was not checked is SKIPPED, what could not be checked to its end is ERROR; neither is ever PASS. */
export const statuses = ["PASS", "FAIL", "ERROR", "SKIPPED"] as const;
export type Status = (typeof statuses)[number];

export type StatusCounts = Readonly<Record<Status, number>>;

/** The answer of several checks: the worst of them; SKIPPED only where all were. */
export function overallStatus(list: readonly Status[]): Status {
  return (["FAIL", "ERROR", "PASS"] as const).find((status) => list.includes(status)) ?? "SKIPPED";
}

export function countStatuses(list: readonly Status[]): StatusCounts {
  const counts = { PASS: 0, FAIL: 0, ERROR: 0, SKIPPED: 0 };
  for (const status of list) counts[status]++;
  return counts;
}
