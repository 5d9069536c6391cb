/** The text of a genome folder as a stream of pieces, hashed on its way, so that a genome of any size can be exported. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../errors.ts";
import { asUserError } from "../../formats/files.ts";
import type { GenomeManifest } from "../gene.ts";
import type { TextPiece } from "../text/pieces.ts";
import { readSafeText } from "../text/safe.ts";

export interface Watched {
  /** Called now and then with the bytes of genome.txt that were read, and all it has. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads genome.txt piece by piece.
 *
 * @throws UserError "damaged" at the latest after the last piece, where it is not the file that the manifest names: what
 *   was made of it until then must not be published before
 */
export async function* readGenomePieces(
  dir: string,
  manifest: GenomeManifest,
  watched: Watched = {},
): AsyncGenerator<TextPiece, void, void> {
  const path = join(dir, "genome.txt");
  const hash = createHash("sha256");
  yield* readSafeText(hashed(readFileBytes(path, manifest.genomeBytes, watched), hash), path);
  if (hash.digest("hex") !== manifest.files["genome.txt"]) {
    throw new UserError("damaged", `${path} is not the file that its manifest names`, {
      hint: "Build the genome again.",
    });
  }
}

/** The bytes of a file as they are read from the disk. */
export async function* readFileBytes(
  path: string,
  total: number,
  { onProgress, signal }: Watched,
): AsyncGenerator<Uint8Array, void, void> {
  let done = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      signal?.throwIfAborted();
      done += (chunk as Buffer).length;
      onProgress?.(done, total);
      yield chunk as Buffer;
    }
  } catch (error) {
    throw asUserError(error, path);
  }
}

/** Passes bytes on and hashes them. */
export async function* hashed(
  chunks: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}
