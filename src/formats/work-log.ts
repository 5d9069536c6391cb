/** A log of finished pieces of one long work, so that a process that takes it up again repeats none of them. */

import { createHash } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { asUserError, atomicWrite, canonicalJson } from "./files.ts";

export interface WorkLog<T> {
  /** What is finished, by number. */
  readonly done: ReadonlyMap<number, T>;
  /** Seconds that all processes have worked on it. */
  seconds(): number;
  /** Appends a finished piece. */
  add(piece: number, item: T): Promise<void>;
  close(): Promise<void>;
}

interface Line<T> {
  readonly piece: number;
  readonly seconds: number;
  readonly item: T;
}

/**
 * Opens or creates the log at `path`. A torn last line is dropped, and so is everything where the work is another one.
 *
 * @param work all that decides what the pieces are; as canonical JSON it must be equal
 */
export async function openWorkLog<T>(path: string, work: object): Promise<WorkLog<T>> {
  const began = performance.now();
  const key = createHash("sha256").update(canonicalJson(work)).digest("hex");
  const [head, ...rest] = (await readFile(path, "utf8").catch(() => "")).split("\n").map(parse);
  const lines: Line<T>[] = [];
  if ((head as { work?: unknown } | undefined)?.work === key) {
    for (const line of rest) {
      if (line === undefined) break;
      lines.push(line as Line<T>);
    }
  }
  await atomicWrite(path, [{ work: key }, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(""));
  const file = await open(path, "a");
  const before = lines.at(-1)?.seconds ?? 0;
  const seconds = (): number => before + (performance.now() - began) / 1000;
  const done = new Map(lines.map(({ piece, item }) => [piece, item]));
  return {
    done,
    seconds,
    async add(piece, item) {
      try {
        await file.writeFile(`${JSON.stringify({ piece, seconds: seconds(), item })}\n`);
      } catch (error) {
        throw asUserError(error, path);
      }
      done.set(piece, item);
    },
    close: () => file.close(),
  };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
