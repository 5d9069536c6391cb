/** Decisions taken from measurements, written down before they are used, so that a resumed run repeats them. */

import { z } from "zod";
import { openDecisionLog } from "./decision-log.ts";
import type { DecisionLog } from "./decision-log.ts";

const decisionSchema = z.discriminatedUnion("kind", [
  /** The expected length of a run bounded by minutes, and hence how often it is evaluated. */
  z.strictObject({
    kind: z.literal("length"),
    step: z.int().nonnegative(),
    total: z.int().positive(),
    evaluateEvery: z.int().positive(),
  }),
  /** The decay begins with step `step`; the run ends after `total` steps. */
  z.strictObject({ kind: z.literal("decay"), step: z.int().nonnegative(), total: z.int().positive() }),
  /** From step `step` on, stage `stage` (from 0) is trained. */
  z.strictObject({ kind: z.literal("stage"), step: z.int().nonnegative(), stage: z.int().nonnegative() }),
  /** The same, earlier than planned: the forgetting budget was exceeded. */
  z.strictObject({ kind: z.literal("budget"), step: z.int().nonnegative(), total: z.int().positive() }),
  /** The time was over after `step` steps. */
  z.strictObject({ kind: z.literal("stop"), step: z.int().nonnegative() }),
]);

export type Decision = z.infer<typeof decisionSchema>;

export type Journal = DecisionLog<Decision>;

/** Opens the journal at `path`. */
export function openJournal(path: string): Promise<Journal> {
  return openDecisionLog(path, decisionSchema);
}
