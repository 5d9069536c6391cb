/** Where a view is written: never over something that stands there. */
import { lstat } from "node:fs/promises";
import { UserError } from "../../errors.ts";
import { asUserError, atomicStream } from "../../formats/files.ts";

/**
 * Makes sure that nothing stands at `path`.
 *
 * @throws UserError "exists"
 */
export async function checkAbsent(path: string): Promise<void> {
  try {
    await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw asUserError(error, path);
  }
  throw new UserError("exists", `${path} exists already and is not overwritten`, {
    hint: "Choose another place or move it away.",
  });
}

const pieceBytes = 1 << 20;

/** Writes a stream to a new file, whole or not at all. Returns its size in bytes. */
export async function writeNewFile(path: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  await checkAbsent(path);
  let bytes = 0;
  await atomicStream(path, async (handle) => {
    for await (const piece of inPieces(chunks)) {
      await handle.writeFile(piece);
      bytes += piece.length;
    }
  });
  return bytes;
}

/** Joins small chunks, so that each piece is worth a write, and cuts large ones, so that none is copied whole. */
export async function* inPieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + pieceBytes - bytes);
      held.push(part);
      bytes += part.length;
      at += part.length;
      if (bytes < pieceBytes) continue;
      yield held.length === 1 ? part : Buffer.concat(held);
      held = [];
      bytes = 0;
    }
  }
  if (bytes > 0) yield Buffer.concat(held);
}
