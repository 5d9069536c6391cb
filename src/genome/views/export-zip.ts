/** A genome as one zip archive: the text of each repository, its genes, lock and manifest, and the reports there are. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Zip, ZipDeflate } from "fflate";
import { UserError } from "../../errors.ts";
import { readManifest } from "../manifest.ts";
import { repositoryTexts } from "./export-files.ts";
import type { Exported } from "./export-text.ts";
import { readFileBytes, readGenomePieces } from "./genome-pieces.ts";
import type { Watched } from "./genome-pieces.ts";
import { importEditsName } from "./import-edits.ts";
import { inPieces, writeNewFile } from "./output.ts";

const companions = [
  "manifest.json",
  "genome.lock.json",
  "integrity_report.json",
  "integration_report.json",
  "genes.jsonl",
  "history.jsonl",
  importEditsName,
] as const;

/** Archives beyond these need Zip64, which the library does not write. */
const mostBytes = 2 ** 32 - 2 ** 20;
const mostFiles = 65_535;
/** The zip format's own beginning of time, in local time as the format has it: archives of equal files are equal. */
const modified = new Date(1980, 0, 1);

/**
 * Writes a zip archive of `texts/NAME.txt`, the files beside genome.txt, and a SHA256SUMS of all of them. Equal genomes
 * give equal archives, the reports with times aside.
 *
 * @throws UserError "exists"; "unsupported" where the genome is too large for a zip archive; "damaged"; "not-found"
 */
export async function exportZip(dir: string, out: string, watched: Watched): Promise<Exported> {
  const manifest = await readManifest(dir);
  const names = companions.filter((name) => existsSync(join(dir, name)));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(dir, name))).size));
  const total = manifest.genomeBytes + sizes.reduce((sum, size) => sum + size, 0);
  const files = manifest.counts.repositories + names.length + 1;
  if (total > mostBytes || files > mostFiles) {
    throw new UserError("unsupported", `${dir} has ${total} bytes in ${files} files, too much for a zip archive`, {
      hint: "Export it with --format files or --format parquet.",
    });
  }
  const entries = async function* (): AsyncGenerator<{ name: string; chunks: AsyncIterable<Uint8Array> }> {
    const sums: string[] = [];
    const summed = async function* (name: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      const hash = createHash("sha256");
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
      sums.push(`${hash.digest("hex")}  ${name}\n`);
    };
    for (const [i, name] of names.entries()) {
      const { signal } = watched;
      yield { name, chunks: summed(name, readFileBytes(join(dir, name), sizes[i]!, { signal })) };
    }
    for await (const { name, chunks } of repositoryTexts(readGenomePieces(dir, manifest, watched))) {
      yield { name: `texts/${name}`, chunks: summed(`texts/${name}`, inPieces(chunks)) };
    }
    const list = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from(sums.join(""));
    };
    yield { name: "SHA256SUMS", chunks: list() };
  };
  return { out, bytes: await writeNewFile(out, zipped(entries())), files };
}

/** Compresses entries one after the other, as the bytes of an archive. */
async function* zipped(
  entries: AsyncIterable<{ name: string; chunks: AsyncIterable<Uint8Array> }>,
): AsyncGenerator<Uint8Array, void, void> {
  let ready: Uint8Array[] = [];
  let failure: Error | undefined;
  const zip = new Zip((error, data) => {
    if (error === null) ready.push(data);
    else failure ??= error;
  });
  const drain = function* (): Generator<Uint8Array> {
    if (failure !== undefined) throw failure;
    yield* ready;
    ready = [];
  };
  for await (const { name, chunks } of entries) {
    const entry = new ZipDeflate(name, { level: 6 });
    entry.mtime = modified;
    zip.add(entry);
    for await (const chunk of chunks) {
      entry.push(chunk);
      yield* drain();
    }
    entry.push(new Uint8Array(), true);
    yield* drain();
  }
  zip.end();
  yield* drain();
}
