/** The second reading of a genome text: its pieces to the files of a genome folder, by the same pass as a build's. */
import { createHash } from "node:crypto";
import { isUtf8 } from "node:buffer";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../errors.ts";
import { canonicalJson } from "../../formats/files.ts";
import { packageVersion } from "../../formats/package-root.ts";
import { writeSums } from "../audit/sums.ts";
import { FirstPass } from "../first-pass.ts";
import { schemaVersion } from "../gene.ts";
import type { GenomeLock, GenomeManifest } from "../gene.ts";
import { escapeName, genePath } from "../genome-text.ts";
import { markDuplicates, partialName } from "../mark-duplicates.ts";
import type { ReadFile } from "../read-repository.ts";
import type { ReaderPool } from "../reading/pool.ts";
import { readingRules } from "../reading/reader.ts";
import type { Blob } from "../reading/reader.ts";
import { byRepository } from "../text/by-repository.ts";
import type { Edit } from "../text/edits.ts";
import { largestContent } from "../text/pieces.ts";
import type { ParsedFile, TextPiece } from "../text/pieces.ts";
import { TextWriter } from "../text-writer.ts";
import { writeManifest } from "../write.ts";
import { editRow, importEditsName, importedRow } from "./import-edits.ts";
import type { ImportedText } from "./import-edits.ts";

export interface WriteImportedOptions {
  readonly pool: ReaderPool;
  /** Of each repository, in order. */
  readonly licences: readonly string[];
  readonly genes: number;
  /** The text, where it may differ from what its pieces would be written as. */
  readonly edited: ImportedText | undefined;
  readonly onComparing: (done: number, total: number) => void;
  readonly signal: AbortSignal | undefined;
}

export interface WrittenImport {
  readonly genes: number;
  readonly bytes: number;
  readonly edits: number;
  /** What the edits insert: bytes that stand outside every file, or that are not UTF-8. */
  readonly editBytes: number;
}

/** What a build would be asked for that takes everything and changes nothing. */
const asked: GenomeManifest["options"] = {
  fileBytes: largestContent,
  repositoryBytes: Number.MAX_SAFE_INTEGER,
  extensions: "any",
  licences: "any",
  mask: false,
  history: false,
  tokenizer: null,
};
const withoutHistory = Promise.resolve({ get: () => ({ firstCommit: null, lastCommit: null, changes: null }) });

/** Writes all files of the genome into an empty folder. */
export async function writeImported(
  folder: string,
  pieces: AsyncIterable<TextPiece | Edit>,
  { pool, licences, genes, edited, onComparing, signal }: WriteImportedOptions,
): Promise<WrittenImport> {
  const writers: TextWriter[] = [];
  const create = async (name: string): Promise<TextWriter> => {
    const writer = await TextWriter.create(join(folder, name));
    writers.push(writer);
    return writer;
  };
  try {
    const genome = await create("genome.txt");
    pool.expect(genes);
    const rows = await create(partialName);
    const editRows = edited === undefined ? undefined : await create(importEditsName);
    let [edits, editBytes] = [0, 0];
    const onEdit = async (edit: Edit): Promise<void> => {
      edits++;
      editBytes += edit.insert.length;
      await editRows?.write(editRow(edit));
    };
    const pass = new FirstPass(genome, rows, { licences: asked.licences, onEvent: () => {}, signal });
    const names: string[] = [];
    for await (const repository of byRepository(withoutEdits(pieces, onEdit))) {
      const name = repositoryName(repository.name, repository.line);
      const licence = licences[names.length]!;
      const files = () => readFiles(name, repository.pieces, pool);
      names.push(name);
      const place = { done: names.length, total: licences.length };
      await pass.append({ name, commit: null }, { licence, history: withoutHistory, skipped: {}, files }, place);
    }
    if (edited !== undefined) await editRows?.write(importedRow(edited));
    const genomeSha256 = await genome.end();
    await rows.end();
    const { sha256: genesSha256, duplicateBytes } = await markDuplicates(folder, pass.columns, onComparing);
    const lock = canonicalJson(lockOf(names, licences));
    await writeFile(join(folder, "genome.lock.json"), lock);
    const files = {
      "genome.txt": genomeSha256,
      "genes.jsonl": genesSha256,
      "genome.lock.json": createHash("sha256").update(lock).digest("hex"),
      ...(editRows === undefined ? {} : { [importEditsName]: await editRows.end() }),
    };
    const counts = { ...pass.counts(), repositories: names.length, duplicateBytes, history: null };
    await writeManifest(
      folder,
      { counts, files, genomeBytes: genome.bytes, damaged: [], imported: true },
      {
        tool: { name: "symbiotic-chrysalis", version: packageVersion() },
        rules: ["import@1", ...readingRules],
        options: asked,
      },
    );
    await writeSums(folder, files);
    return { genes: counts.genes, bytes: counts.bytes, edits, editBytes };
  } finally {
    for (const writer of writers) await writer.abandon();
  }
}

async function* withoutEdits(
  pieces: AsyncIterable<TextPiece | Edit>,
  onEdit: (edit: Edit) => Promise<void>,
): AsyncGenerator<TextPiece, void, void> {
  for await (const piece of pieces) {
    if (piece.type === "edit") await onEdit(piece);
    else yield piece;
  }
}

interface Pending extends Blob, Omit<ReadFile, "path" | "bytes" | "reading"> {
  readonly size: number;
  /** Whether bytes that are not UTF-8 were dropped. */
  readonly isFlawed: boolean;
}

async function* readFiles(
  repository: string,
  pieces: AsyncIterable<TextPiece>,
  pool: ReaderPool,
): AsyncGenerator<ReadFile, void, void> {
  for await (const { blob: file, reading } of pool.readAll(pending(repository, pieces))) {
    // A verbatim reading takes everything.
    if ("skipped" in reading) continue;
    const { rawPath, path, blob, size: bytes, sha256, isFlawed } = file;
    const transforms = [...(isFlawed ? ["drop-invalid-utf8@1"] : []), ...reading.known.transforms];
    const flags = [...(isFlawed ? ["invalid-utf8"] : []), ...reading.known.flags];
    const known = { ...reading.known, transforms, flags };
    yield { rawPath, path, blob, bytes, sha256, reading: { ...reading, known } };
  }
}

/** The files as the blobs they came from: their ids are those that git would give them. */
async function* pending(repository: string, pieces: AsyncIterable<TextPiece>): AsyncGenerator<Pending, void, void> {
  for await (const piece of pieces) {
    if (piece.type !== "file") continue;
    const { path: rawPath, content, raw = content }: ParsedFile = piece;
    yield {
      repository,
      rawPath,
      path: genePath(rawPath),
      blob: createHash("sha1").update(`blob ${raw.length}\0`).update(raw).digest("hex"),
      sha256: createHash("sha256").update(raw).digest("hex"),
      size: raw.length,
      isFlawed: raw !== content,
      // In memory of its own, which goes to the thread that reads it.
      bytes: new Uint8Array(content),
    };
  }
}

function lockOf(names: readonly string[], licences: readonly string[]): GenomeLock {
  const unknown = { url: null, ref: null, commit: null, tree: null, shallow: false };
  return { schemaVersion, repositories: names.map((name, i) => ({ name, ...unknown, licence: licences[i]! })) };
}

function repositoryName(name: Uint8Array, line: number): string {
  if (isUtf8(name)) return Buffer.from(name).toString("utf8");
  throw new UserError("unsupported", `line ${line}: the repository ${escapeName(name)} has no name in UTF-8`, {
    hint: "Rename it in the text.",
  });
}
