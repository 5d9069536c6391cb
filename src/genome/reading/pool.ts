/** Reads genes on several threads: batches of blobs go out as they come, their readings come back in order. */
import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers/promises";
import { Tinypool } from "tinypool";
import { createReader } from "./reader.ts";
import type { Blob, ReaderOptions, Reading } from "./reader.ts";

/** A batch is worth a message: this many bytes or blobs. */
const batchBytes = 256 << 10;
const batchBlobs = 128;
/** Threads are started when this many blobs are to come; starting one takes as long as reading a few MiB. */
const manyBlobs = 64;
/** Bytes of blobs that may be under way at once. */
const underWayBytes = 5 << 20;
const mostThreads = 7;
/** Milliseconds that the calling thread reads without listening. */
const hearMs = 4;

export interface ReaderPool {
  /** Says that so many blobs will come, before they are at hand. */
  expect(blobs: number): void;
  /** The readings of blobs, one for each, in their order. */
  readAll<B extends Blob>(blobs: AsyncIterable<B>): AsyncGenerator<{ blob: B; reading: Reading }, void, void>;
  close(): Promise<void>;
}

/** A pool whose threads start when there is enough to read; the calling thread reads too, while they start or are busy. */
export async function createReaderPool(options: ReaderOptions): Promise<ReaderPool> {
  // V8 throws away all code for typed arrays when the first buffer of a thread is transferred: now there is none yet.
  new ArrayBuffer(0).transfer();
  const here = await createReader(options);
  let threads: Threads | undefined;
  let expected = 0;
  const waiting: { batch: readonly Blob[]; resolve: (readings: Promise<readonly Reading[]>) => void }[] = [];
  let isReadingHere = false;
  const readHere = async (batch: readonly Blob[]): Promise<readonly Reading[]> => {
    isReadingHere = true;
    try {
      const readings: Reading[] = [];
      let heard = -Infinity;
      for (const blob of batch) {
        // Else nobody would hear that a thread is free again, nor git's next words, and the threads would run out of work.
        if (performance.now() - heard > hearMs) {
          await setImmediate();
          heard = performance.now();
        }
        readings.push(here(blob));
      }
      return readings;
    } finally {
      isReadingHere = false;
    }
  };
  /** Begins what can be begun; whoever ends calls it again. */
  const begin = (): void => {
    while (waiting.length > 0) {
      const isFree = threads?.isFree() === true;
      if (!isFree && isReadingHere) return;
      const { batch, resolve } = waiting.shift()!;
      const readings = isFree ? threads!.read(batch) : readHere(batch);
      readings.then(begin, begin);
      resolve(readings);
    }
  };
  const read = (batch: readonly Blob[]): Promise<readonly Reading[]> =>
    new Promise((resolve) => {
      waiting.push({ batch, resolve });
      begin();
    });
  return {
    expect(blobs) {
      expected += blobs;
      if (expected >= manyBlobs) threads ??= startThreads(options, begin);
    },
    readAll: (blobs) => inOrder(blobs, read),
    close: async () => threads?.close(),
  };
}

/** Sends batches out ahead of what is taken, as far as the bytes under way allow. */
async function* inOrder<B extends Blob>(
  blobs: AsyncIterable<B>,
  read: (batch: readonly Blob[]) => Promise<readonly Reading[]>,
): AsyncGenerator<{ blob: B; reading: Reading }, void, void> {
  const underWay: { batch: readonly B[]; bytes: number; readings: Promise<readonly Reading[]> }[] = [];
  let total = 0;
  for await (const { batch, bytes } of inBatches(blobs)) {
    const readings = read(batch);
    readings.catch(() => {}); // Whoever takes it in its turn sees the failure.
    underWay.push({ batch, bytes, readings });
    total += bytes;
    while (total > underWayBytes) {
      const first = underWay.shift()!;
      total -= first.bytes;
      yield* paired(first.batch, await first.readings);
    }
  }
  for (const { batch, readings } of underWay) yield* paired(batch, await readings);
}

interface Threads {
  /** Whether a batch given now would soon be begun. */
  isFree(): boolean;
  read(batch: readonly Blob[]): Promise<readonly Reading[]>;
  close(): Promise<void>;
}

/** Starts a thread for every processor but the calling thread's own. */
function startThreads(options: ReaderOptions, onReady: () => void): Threads {
  const count = Math.min(Math.max(1, availableParallelism() - 1), mostThreads);
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const pool = new Tinypool({
    filename: new URL(`./worker.${extension}`, import.meta.url).href,
    name: "read",
    minThreads: count,
    maxThreads: count,
    workerData: options,
    // Young objects die young here; a large nursery per thread would only hold them longer.
    resourceLimits: { maxYoungGenerationSizeMb: 16 },
  });
  let isReady = false;
  const ready = (): void => {
    isReady = true;
    onReady();
  };
  Promise.all(Array.from({ length: count }, () => pool.run([]))).then(ready, ready); // Who reads sees a failure.
  return {
    isFree: () => isReady && pool.queueSize < 3 * count, // So much is waiting for it while this thread is busy itself.
    async read(batch) {
      const plain = batch.map(({ bytes, repository, path, known }): Blob => {
        const blob = { bytes, repository, path };
        return known === undefined ? blob : { ...blob, known };
      });
      const transferList = plain.map(({ bytes }) => bytes.buffer as ArrayBuffer);
      return (await pool.run(plain, { transferList })) as readonly Reading[];
    },
    close: () => pool.destroy(),
  };
}

function* paired<B>(batch: readonly B[], readings: readonly Reading[]): Generator<{ blob: B; reading: Reading }> {
  for (const [i, blob] of batch.entries()) yield { blob, reading: readings[i]! };
}

async function* inBatches<B extends Blob>(
  blobs: AsyncIterable<B>,
): AsyncGenerator<{ batch: B[]; bytes: number }, void, void> {
  let batch: B[] = [];
  let bytes = 0;
  for await (const blob of blobs) {
    batch.push(blob);
    bytes += blob.bytes.length;
    if (bytes < batchBytes && batch.length < batchBlobs) continue;
    yield { batch, bytes };
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield { batch, bytes };
}
