/** `marks.jsonl`: the marks of groups from each evaluation on, with the measurements that led to them. */

import { z } from "zod";
import { UserError } from "../../errors.ts";
import { openDecisionLog } from "../decision-log.ts";
import type { DecisionLog } from "../decision-log.ts";

const factor = z.number().min(0).max(1);

const groupSchema = z.strictObject({
  group: z.string(),
  /** diet x stress, at least the lowest mark; 0 once it is stopped. */
  mark: factor,
  diet: factor,
  stress: factor,
  stopped: z.boolean(),
  /** Why the mark is another one than in the line before. */
  reasons: z.array(z.enum(["diet", "stress", "environment"])).readonly(),
  /** Held-out bits per byte now, and how far they fell since the line before; null where none of its files is held out. */
  heldOut: z.number().nullable(),
  gain: z.number().nullable(),
  /** Predictions trained since the line before, and the seconds that took. */
  tokens: z.number().nonnegative(),
  seconds: z.number().nonnegative(),
  /** Between its gradient and that of the retention text; null where it was not measured. */
  cosine: z.strictObject({ mean: z.number(), error: z.number() }).nullable(),
  /** Sequences that its pass under way has not come to. */
  unread: z.int().nonnegative(),
});

const lineSchema = z.strictObject({
  /** The marks hold from this optimiser step on (from 0). */
  step: z.int().nonnegative(),
  /** Seconds of all optimiser steps before it. */
  stepSeconds: z.number().nonnegative(),
  /** Sequences of the corpus that there is time for; null where no time is set, or not known yet. */
  left: z.number().nullable(),
  /** What measuring gradients took for this line. */
  cost: z.strictObject({ sequences: z.int().nonnegative(), seconds: z.number().nonnegative() }),
  groups: z.array(groupSchema).readonly(),
});

export type GroupMark = z.infer<typeof groupSchema>;
export type MarksLine = z.infer<typeof lineSchema>;

/**
 * Opens the log at `path`, which need not be there yet.
 *
 * @throws UserError `damaged` where it is of other groups
 */
export async function openMarksLog(path: string, groups: readonly string[]): Promise<DecisionLog<MarksLine>> {
  const log = await openDecisionLog(path, lineSchema);
  const isOfGroups = ({ groups: own }: MarksLine): boolean =>
    own.length === groups.length && own.every(({ group }, i) => group === groups[i]);
  if (log.decisions.every(isOfGroups)) return log;
  throw new UserError("damaged", `${path} holds marks of other groups of files`, {
    hint: "resume with the genome and the settings that the run was started with",
  });
}

/** A mark that changed. */
export interface MarkChange {
  readonly step: number;
  readonly group: string;
  readonly from: number;
  readonly to: number;
  readonly reasons: GroupMark["reasons"];
}

/** What changed in each line; all marks are 1 before the first. */
export function changesIn(lines: readonly MarksLine[]): MarkChange[] {
  return lines.flatMap(({ step, groups }, k) =>
    groups.flatMap(({ group, mark: to, reasons }, i) => {
      const from = lines[k - 1]?.groups[i]!.mark ?? 1;
      return from === to ? [] : [{ step, group, from, to, reasons }];
    }),
  );
}
