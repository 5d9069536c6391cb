/** The second pass over the rows of a genome: finds the duplicate classes and writes each gene with its own. */
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { readExactly } from "../formats/files.ts";
import { linesOf } from "./audit/genes-file.ts";
import type { DuplicateColumns } from "./duplicates/columns.ts";
import { findDuplicates } from "./duplicates/find-duplicates.ts";
import type { DuplicateMark } from "./duplicates/find-duplicates.ts";
import type { DuplicateKind } from "./gene.ts";
import { unescapeBytes } from "./genome-text.ts";
import { TextWriter } from "./text-writer.ts";

/** Where the first pass leaves its rows. */
export const partialName = "genes.partial";
/** What ends a row of it: the part that the second pass replaces. */
const unmarked = ',"duplicateClass":null,"duplicateKind":null,"representative":true}';

/**
 * Turns the rows of `partialName` into genes.jsonl.
 *
 * @param columns the genes of these rows, whose texts stand in the folder's genome.txt
 * @returns its SHA-256, and the bytes of the texts that are not their class's representative, by class kind
 */
export async function markDuplicates(
  folder: string,
  columns: DuplicateColumns,
  onProgress: (done: number, total: number) => void,
): Promise<{ sha256: string; duplicateBytes: Record<DuplicateKind, number> }> {
  const path = join(folder, "genome.txt");
  const genome = await open(path);
  let mark: (item: number) => DuplicateMark;
  try {
    let room = Buffer.alloc(1 << 16);
    const text = async (item: number): Promise<Uint8Array> => {
      const { offset, bytes } = columns.place(item);
      if (bytes > room.length) room = Buffer.alloc(2 * bytes);
      const content = room.subarray(0, bytes);
      await readExactly(genome, content, offset, path);
      return unescapeBytes(content);
    };
    mark = await findDuplicates(columns, { text, onProgress, cacheBytes: 16 << 20 });
  } finally {
    await genome.close();
  }
  const duplicateBytes = { exact: 0, near: 0, template: 0 };
  const rows = await TextWriter.create(join(folder, "genes.jsonl"));
  let item = 0;
  try {
    for await (const row of linesOf(folder, partialName)) {
      const { duplicateClass, duplicateKind, representative } = mark(item);
      const marks = JSON.stringify({ duplicateClass, duplicateKind, representative });
      await rows.write(row.subarray(0, row.length - unmarked.length));
      await rows.write(`,${marks.slice(1)}\n`);
      if (duplicateKind !== null && !representative) duplicateBytes[duplicateKind] += columns.place(item).bytes;
      item++;
    }
  } catch (error) {
    await rows.abandon();
    throw error;
  }
  const sha256 = await rows.end();
  await rm(join(folder, partialName));
  return { sha256, duplicateBytes };
}
