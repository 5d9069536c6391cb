/** Walks genome.txt and genes.jsonl side by side: the text must be exactly the genes, in order, with nothing between. */
import { join } from "node:path";
import { UserError } from "../../errors.ts";
import type { Gene, LockedRepository } from "../gene.ts";
import { fileEnd, fileHeader, repositoryEnd, repositoryHeader } from "../genome-text.ts";
import { comparePaths, compareRepositories } from "../order.ts";
import { createContentCheck } from "./content-check.ts";
import type { Findings } from "./findings.ts";
import { openInside, piecesOf } from "./folder.ts";
import { rawPath, readGenes } from "./genes-file.ts";

const fileStart = "<|file_start|>";

/** What was counted on the way, to compare with the manifest. */
export interface TextCounts {
  genes: number;
  /** Bytes of the raw blobs, as the genes say. */
  bytes: number;
  kinds: Record<string, number>;
  genomeBytes: number;
}

/**
 * Checks the text against the genes and the lock, in memory that does not grow with the genome.
 *
 * @throws UserError "damaged" where the text departs from the form, so that nothing after that can be told
 */
export async function checkTexts(
  folder: string,
  repositories: readonly LockedRepository[],
  findings: Findings,
): Promise<TextCounts> {
  const { handle, size } = await openInside(folder, "genome.txt");
  const counts: TextCounts = { genes: 0, bytes: 0, kinds: {}, genomeBytes: size };
  try {
    const text = new TextCursor(join(folder, "genome.txt"), piecesOf(handle, 0, size));
    const genes = readGenes(folder);
    let before: LockedRepository | undefined;
    for (const repository of repositories) {
      // An imported repository has no commit, and stands where its text had it; so do its files.
      const isOrdered = repository.commit !== null;
      if (isOrdered && before !== undefined && compareRepositories(before.name, repository.name) >= 0) {
        findings.add(`genome.lock.json: ${repository.name} is out of order or there twice`);
      }
      before = repository;
      await text.expect(repositoryHeader(Buffer.from(repository.name)));
      await checkRepository(repository, text, genes, counts, findings);
      await text.expect(repositoryEnd);
    }
    await text.expectEnd();
    const left = await genes.next();
    if (left.done !== true) {
      findings.add(`genes.jsonl: ${nameOf(left.value)} is not in genome.txt`);
    }
  } finally {
    await handle.close();
  }
  return counts;
}

async function checkRepository(
  repository: LockedRepository,
  text: TextCursor,
  genes: AsyncGenerator<Gene, void, void>,
  counts: TextCounts,
  findings: Findings,
): Promise<void> {
  let before: Uint8Array | undefined;
  while (await text.isNext(fileStart)) {
    const next = await genes.next();
    if (next.done === true) throw text.departs("a file that genes.jsonl does not list");
    const gene = next.value;
    const path = rawPath(gene);
    if (gene.repository !== repository.name) throw text.departs(`no file of ${gene.repository}, which comes next`);
    if (gene.commit !== repository.commit)
      findings.add(`genes.jsonl: ${nameOf(gene)} has another commit than the lock`);
    if (repository.commit !== null && before !== undefined && comparePaths(before, path) >= 0) {
      findings.add(`genes.jsonl: ${nameOf(gene)} is out of order or there twice`);
    }
    before = path;
    await text.expect(fileHeader(path));
    if (text.at !== gene.textOffset) {
      findings.add(
        `genes.jsonl: ${nameOf(gene)} has textOffset ${gene.textOffset}, its text begins at byte ${text.at}`,
      );
    }
    const check = createContentCheck();
    await text.take(gene.textBytes, check.add);
    const { sha256, wrong } = check.end();
    if (sha256 !== gene.textSha256)
      findings.add(`genome.txt: the text of ${nameOf(gene)} is not that of its textSha256`);
    if (wrong !== undefined) findings.add(`genome.txt: the text of ${nameOf(gene)} ${wrong}`);
    await text.expect(fileEnd);
    counts.genes++;
    counts.bytes += gene.bytes;
    counts.kinds[gene.kind] = (counts.kinds[gene.kind] ?? 0) + 1;
  }
}

function nameOf({ repository, path }: Gene): string {
  return `${repository}: ${path}`;
}

/** A place in a text that is read once, from its beginning to its end. */
class TextCursor {
  /** Byte offset of what comes next. */
  at = 0;
  readonly #path: string;
  readonly #pieces: AsyncGenerator<Buffer, void, void>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string, pieces: AsyncGenerator<Buffer, void, void>) {
    this.#path = path;
    this.#pieces = pieces;
  }

  departs(what: string): UserError {
    return new UserError("damaged", `${this.#path} at byte ${this.at}: ${what}`, { hint: "Build the genome again." });
  }

  async isNext(literal: string): Promise<boolean> {
    const bytes = Buffer.from(literal);
    while (this.#rest.length < bytes.length) {
      const held = Buffer.from(this.#rest); // Copied, since the next piece overwrites it.
      const next = await this.#pieces.next();
      if (next.done === true) return false;
      this.#rest = Buffer.concat([held, next.value]);
    }
    return this.#rest.subarray(0, bytes.length).equals(bytes);
  }

  async expect(literal: string): Promise<void> {
    if (!(await this.isNext(literal))) throw this.departs(`expected ${JSON.stringify(literal)}`);
    await this.take(Buffer.byteLength(literal), () => {});
  }

  async expectEnd(): Promise<void> {
    if (this.#rest.length > 0 || (await this.#pieces.next()).done !== true) throw this.departs("expected the end");
  }

  async take(bytes: number, onPiece: (piece: Uint8Array) => void): Promise<void> {
    for (let left = bytes; left > 0;) {
      if (this.#rest.length === 0) {
        const next = await this.#pieces.next();
        if (next.done === true) throw this.departs(`it ends ${left} bytes too early`);
        this.#rest = next.value;
      }
      const piece = this.#rest.subarray(0, left);
      onPiece(piece);
      left -= piece.length;
      this.at += piece.length;
      this.#rest = this.#rest.subarray(piece.length);
    }
  }
}
