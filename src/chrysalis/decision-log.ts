/** Lines of decisions on disk, each flushed before it is used, so that a resumed run finds what it had decided. */

import { open, readFile } from "node:fs/promises";
import type { z } from "zod";
import { asUserError, atomicWrite } from "../formats/files.ts";

export interface DecisionLog<T> {
  readonly decisions: readonly T[];
  /** Appends and flushes to the disk; use the decision only after this resolves. */
  record(decision: T): Promise<void>;
}

/** Opens the log at `path`, which need not be there yet. A torn last line was never used: it is dropped. */
export async function openDecisionLog<T>(path: string, schema: z.ZodType<T>): Promise<DecisionLog<T>> {
  const text = await readFile(path, "utf8").catch(() => "");
  const decisions: T[] = [];
  for (const line of text.split("\n")) {
    const parsed = parse(line, schema);
    if (parsed === undefined) break;
    decisions.push(parsed);
  }
  const whole = decisions.map((decision) => `${JSON.stringify(decision)}\n`).join("");
  if (whole !== text) await atomicWrite(path, whole);
  return {
    decisions,
    async record(decision) {
      try {
        const file = await open(path, "a");
        try {
          await file.writeFile(`${JSON.stringify(decision)}\n`);
          await file.sync();
        } finally {
          await file.close();
        }
      } catch (error) {
        throw asUserError(error, path);
      }
      decisions.push(decision);
    },
  };
}

function parse<T>(line: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
