/** The events of a build with their times, for `events.jsonl`; progress within a step is left out. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { GenomeEvent } from "./events.ts";

/** Told many times while something goes on; a log wants its end only. */
const passing: ReadonlySet<GenomeEvent["type"]> = new Set(["repository-transfer", "comparing", "history"]);

export interface EventLog {
  readonly onEvent: (event: GenomeEvent) => void;
  /** Writes what was heard so far. */
  write(folder: string): Promise<void>;
}

/** Listens in front of `onEvent`. */
export function createEventLog(onEvent: (event: GenomeEvent) => void, clock: () => Date): EventLog {
  const lines: string[] = [];
  return {
    onEvent(event) {
      if (!passing.has(event.type)) lines.push(`${JSON.stringify({ time: clock().toISOString(), ...event })}\n`);
      onEvent(event);
    },
    write: (folder) => writeFile(join(folder, "events.jsonl"), lines.join("")),
  };
}
