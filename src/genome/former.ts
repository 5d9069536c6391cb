/** An earlier genome as a cache: what is known of a blob at a path, by the same rules, need not be found out again. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { geneSchema } from "./gene.ts";
import type { Gene } from "./gene.ts";
import { unescapeName } from "./genome-text.ts";
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
  readonly #genes: FileHandle;
  readonly #text: FileHandle;
  readonly #lines: AsyncIterator<string>;
  #next: Gene | undefined;
  #nextPath: Uint8Array = new Uint8Array();

  private constructor(genes: FileHandle, text: FileHandle) {
    this.#genes = genes;
    this.#text = text;
    this.#lines = genes.readLines({ encoding: "utf8", autoClose: false })[Symbol.asyncIterator]();
  }

  /** Opens the genome in `dir`; undefined where its files cannot be opened. */
  static async open(dir: string): Promise<FormerGenome | undefined> {
    const genes = await open(join(dir, "genes.jsonl")).catch(() => undefined);
    if (genes === undefined) return undefined;
    const text = await open(join(dir, "genome.txt")).catch(() => undefined);
    if (text === undefined) {
      await genes.close();
      return undefined;
    }
    const former = new FormerGenome(genes, text);
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
    await this.#genes.close();
    await this.#text.close();
  }

  async #advance(): Promise<void> {
    const line = await this.#lines.next();
    let gene: Gene | undefined;
    try {
      gene = line.done === true ? undefined : geneSchema.parse(JSON.parse(line.value));
    } catch {
      // A damaged file knows nothing more.
    }
    this.#next = gene;
    if (gene !== undefined) {
      this.#nextPath = gene.flags.includes("path-escaped") ? unescapeName(gene.path) : Buffer.from(gene.path);
    }
  }
}
