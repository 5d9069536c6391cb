/** Decisions taken from measurements, written down before they are used, so that a resumed run repeats them. */

import { open, readFile } from "node:fs/promises";
import { z } from "zod";
import { atomicWrite } from "../formats/files.ts";

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

export interface Journal {
  readonly decisions: readonly Decision[];
  /** Appends and flushes to the disk; use the decision only after this resolves. */
  record(decision: Decision): Promise<void>;
}

/** Opens or creates the journal at `path`. A torn last line was never used: it is dropped. */
export async function openJournal(path: string): Promise<Journal> {
  const lines = (await readFile(path, "utf8").catch(() => "")).split("\n");
  const decisions: Decision[] = [];
  for (const line of lines) {
    const parsed = parse(line);
    if (parsed === undefined) break;
    decisions.push(parsed);
  }
  await atomicWrite(path, decisions.map((decision) => `${JSON.stringify(decision)}\n`).join(""));
  return {
    decisions,
    async record(decision) {
      const file = await open(path, "a");
      try {
        await file.writeFile(`${JSON.stringify(decision)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      decisions.push(decision);
    },
  };
}

function parse(line: string): Decision | undefined {
  try {
    return decisionSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
