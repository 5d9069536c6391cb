/** The thread that reads genes for the pool: a batch comes, its readings go. */
import { Tinypool } from "tinypool";
import { createReader } from "./reader.ts";
import type { Blob, ReaderOptions, Reading } from "./reader.ts";

const reader = createReader(Tinypool.workerData as ReaderOptions);

export async function read(batch: readonly Blob[]): Promise<readonly Reading[]> {
  const readBlob = await reader;
  return batch.map(readBlob);
}
