/** Cuts a stream of records into chunks: small ones of a small file, so that some can be held out and others trained on. */

/** A chunk has about this part of its file. */
const PARTS = 50;
/** Bytes that a chunk has at least, where its file has them: a smaller one says little when it is measured. */
const SMALLEST = 512;
/** Bytes that a chunk has at most, but for a single record that is larger. */
const LARGEST = 32 << 10;
const MOST_RECORDS = 64;

export interface Chunk {
  /** One record a line, a line break after each. */
  readonly text: Buffer;
  /** Numbers of the first and the last record in their file, from 1. */
  readonly first: number;
  readonly last: number;
}

interface Line {
  readonly number: number;
  readonly bytes: Buffer;
}

/**
 * Collects the lines of a file in order. Memory: the chunks, and as many lines as tell whether the file is large.
 *
 * @returns `add` takes a record's line, without a line break, and its number in the file; `end` gives all chunks
 */
export function createChunks(): { add(line: string, number: number): void; end(): Chunk[] } {
  const chunks: Chunk[] = [];
  let lines: Line[] = [];
  let held = 0;
  let isLarge = false;
  const cut = (size: number): void => {
    let from = 0;
    let bytes = 0;
    for (const [i, line] of lines.entries()) {
      const isFull = bytes >= size || i - from === MOST_RECORDS || bytes + line.bytes.length > LARGEST;
      if (i > from && isFull) {
        chunks.push(joined(lines.slice(from, i)));
        [from, bytes] = [i, 0];
      }
      bytes += line.bytes.length;
    }
    if (from < lines.length) chunks.push(joined(lines.slice(from)));
    [lines, held] = [[], 0];
  };
  return {
    add(line, number) {
      const bytes = Buffer.from(`${line}\n`);
      lines.push({ number, bytes });
      held += bytes.length;
      if (held < PARTS * LARGEST) return;
      isLarge = true;
      cut(LARGEST);
    },
    end() {
      cut(isLarge ? LARGEST : Math.max(SMALLEST, held / PARTS));
      return chunks;
    },
  };
}

function joined(lines: readonly Line[]): Chunk {
  const text = Buffer.concat(lines.map(({ bytes }) => bytes));
  return { text, first: lines[0]!.number, last: lines.at(-1)!.number };
}
