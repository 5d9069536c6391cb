/** An earlier genome as a cache: what is known of a blob at a path, by the same rules, need not be found out again. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { rawPath, readGenes } from "./audit/genes-file.ts";
import type { Gene } from "./gene.ts";
import { comparePaths, compareRepositories } from "./order.ts";
import type { Known } from "./reading/reader.ts";

export interface FormerGene {
  readonly known: Known;
  /** The text as it stands in genome.txt. */
  readonly content: Uint8Array<ArrayBuffer>;
}

/**
 * Walks through the genes of an earlier genome beside the files of a new one: both lie in the same order, so that
 * nothing has to be held. What does not hold its hash, or cannot be read, is as if it were not there.
 */
export class FormerGenome {
  readonly #genes: AsyncGenerator<Gene, void, void>;
  readonly #text: FileHandle;
  #next: Gene | undefined;
  #nextPath: Uint8Array = new Uint8Array();

  private constructor(genes: AsyncGenerator<Gene, void, void>, text: FileHandle) {
    this.#genes = genes;
    this.#text = text;
  }

  /** Opens the genome in `dir`; undefined where its text cannot be opened. */
  static async open(dir: string): Promise<FormerGenome | undefined> {
    const text = await open(join(dir, "genome.txt")).catch(() => undefined);
    if (text === undefined) return undefined;
    const former = new FormerGenome(readGenes(dir), text);
    await former.#advance();
    return former;
  }

  /** What is known of a blob at a path; asked for in the order of a genome. */
  async take(repository: string, path: Uint8Array, blob: string): Promise<FormerGene | undefined> {
    for (; this.#next !== undefined; await this.#advance()) {
      const order = compareRepositories(this.#next.repository, repository) || comparePaths(this.#nextPath, path);
      if (order > 0) return undefined;
      if (order === 0) break;
    }
    if (this.#next === undefined || this.#next.blob !== blob) return undefined;
    const { textOffset, textBytes, textSha256 } = this.#next;
    const content = new Uint8Array(textBytes);
    const { bytesRead } = await this.#text.read(content, 0, textBytes, textOffset);
    if (bytesRead !== textBytes || createHash("sha256").update(content).digest("hex") !== textSha256) return undefined;
    const { transforms, kind, language, licence, tokens, quality, masked, flags } = this.#next;
    const own = flags.filter((flag) => flag !== "path-escaped");
    return { content, known: { textSha256, transforms, kind, language, licence, tokens, quality, masked, flags: own } };
  }

  async close(): Promise<void> {
    await this.#genes.return();
    await this.#text.close();
  }

  async #advance(): Promise<void> {
    try {
      const { value } = await this.#genes.next();
      this.#next = value ?? undefined;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#next = undefined; // A damaged file knows nothing more.
    }
    if (this.#next !== undefined) this.#nextPath = rawPath(this.#next);
  }
}
