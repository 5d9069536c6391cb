/** A genome as one text per repository, in a folder. */
import { createHash } from "node:crypto";
import { open, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { atomicFolder } from "../../formats/files.ts";
import { readManifest } from "../manifest.ts";
import { byRepository } from "../text/by-repository.ts";
import { writeSafeText } from "../text/safe.ts";
import type { TextPiece } from "../text/pieces.ts";
import type { Exported } from "./export-text.ts";
import { readGenomePieces } from "./genome-pieces.ts";
import type { Watched } from "./genome-pieces.ts";
import { inPieces } from "./output.ts";
import { createFileNames } from "./repository-texts.ts";

/**
 * Writes each repository to a file of its own, in the safe format, with a SHA256SUMS that lists them in the order in
 * which they make up genome.txt.
 *
 * @throws UserError "exists" where `out` is there already; "damaged"; "not-found"
 */
export async function exportFiles(dir: string, out: string, watched: Watched): Promise<Exported> {
  const manifest = await readManifest(dir);
  const sums: string[] = [];
  let bytes = 0;
  await atomicFolder(out, async (folder) => {
    for await (const { name, chunks } of repositoryTexts(readGenomePieces(dir, manifest, watched))) {
      const handle = await open(join(folder, name), "wx");
      try {
        const text = await writeHashed(handle, chunks);
        bytes += text.bytes;
        sums.push(`${text.sha256}  ${name}\n`);
      } finally {
        await handle.close();
      }
    }
    await writeFile(join(folder, "SHA256SUMS"), sums.join(""));
  });
  return { out, bytes, files: sums.length + 1 };
}

/** The text of each repository with the name of its file. Each must be read to its end before the next is asked for. */
export async function* repositoryTexts(
  pieces: AsyncIterable<TextPiece>,
): AsyncGenerator<{ name: string; chunks: AsyncIterable<Uint8Array> }, void, void> {
  const nameOf = createFileNames();
  for await (const repository of byRepository(pieces)) {
    yield { name: nameOf(Buffer.from(repository.name).toString()), chunks: writeSafeText(repository.pieces) };
  }
}

async function writeHashed(
  handle: FileHandle,
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of inPieces(chunks)) {
    hash.update(chunk);
    bytes += chunk.length;
    await handle.writeFile(chunk);
  }
  return { bytes, sha256: hash.digest("hex") };
}
