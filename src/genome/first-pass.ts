/** The first pass over the repositories of a genome: appends texts and genes in order, counts, and keeps columns. */
import { DuplicateColumns } from "./duplicates/columns.ts";
import { rankOf } from "./duplicates/rank.ts";
import type { GenomeEvent } from "./events.ts";
import type { Gene, GenomeManifest } from "./gene.ts";
import { fileEnd, fileHeader, repositoryEnd, repositoryHeader } from "./genome-text.ts";
import type { PathHistory } from "./history/path-history.ts";
import { licenceGate } from "./licences/gate.ts";
import type { OpenedRepository, ReadFile } from "./read-repository.ts";
import { add } from "./tally.ts";
import type { Tally } from "./tally.ts";
import type { TextWriter } from "./text-writer.ts";

const tellMilliseconds = 500;

export interface FirstPassOptions {
  readonly licences: string;
  readonly onEvent: (event: GenomeEvent) => void;
  readonly signal: AbortSignal | undefined;
}

/** Whose files are appended; an imported one has no commit. */
export interface AppendedRepository {
  readonly name: string;
  readonly commit: string | null;
}

/** What is appended of it. */
export interface AppendedFiles extends Pick<OpenedRepository, "licence" | "skipped" | "files"> {
  readonly history: Promise<Pick<PathHistory, "get">>;
}

/** Appends repositories to the text and their genes to the rows; keeps numbers of each gene in columns. */
export class FirstPass {
  readonly columns = new DuplicateColumns();
  readonly #text: TextWriter;
  readonly #rows: TextWriter;
  readonly #options: FirstPassOptions;
  readonly #gate: (licence: string) => "allowed" | "excluded" | "unknown";
  #bytes = 0;
  readonly #kinds: Tally = {};
  readonly #skipped: Tally = {};
  readonly #masked: Tally = {};

  constructor(text: TextWriter, rows: TextWriter, options: FirstPassOptions) {
    this.#text = text;
    this.#rows = rows;
    this.#options = options;
    this.#gate = licenceGate(options.licences);
  }

  counts(): Pick<GenomeManifest["counts"], "genes" | "bytes" | "kinds" | "skipped" | "masked"> {
    const [kinds, skipped, masked] = [this.#kinds, this.#skipped, this.#masked];
    return { genes: this.columns.count, bytes: this.#bytes, kinds, skipped, masked };
  }

  async append(
    repository: AppendedRepository,
    opened: AppendedFiles,
    place: { readonly done: number; readonly total: number },
  ): Promise<void> {
    const before = { genes: this.columns.count, bytes: this.#bytes };
    const tell = (): void =>
      this.#options.onEvent({
        type: "repository-read",
        name: repository.name,
        genes: this.columns.count - before.genes,
        bytes: this.#bytes - before.bytes,
        ...place,
      });
    let told = performance.now();
    await this.#text.write(repositoryHeader(Buffer.from(repository.name)));
    for await (const file of opened.files()) {
      this.#options.signal?.throwIfAborted();
      const excluded = this.#excluded(file, opened.licence);
      if (excluded === undefined) await this.#gene(repository, opened, file);
      else add(this.#skipped, excluded, 1);
      if (performance.now() - told < tellMilliseconds) continue;
      told = performance.now();
      tell();
    }
    await this.#text.write(repositoryEnd);
    for (const [reason, count] of Object.entries(opened.skipped)) add(this.#skipped, reason, count);
    tell();
  }

  /** A file's own licence decides; one that says nothing of itself has that of its repository. */
  #excluded({ reading }: ReadFile, repositoryLicence: string): "licence" | "licence-unknown" | undefined {
    if (this.#options.licences === "any") return undefined;
    const { licence } = reading.known;
    const verdict = this.#gate(licence === "unknown" ? repositoryLicence : licence);
    if (verdict === "allowed") return undefined;
    return verdict === "excluded" ? "licence" : "licence-unknown";
  }

  async #gene({ name, commit }: AppendedRepository, opened: AppendedFiles, file: ReadFile): Promise<void> {
    const { rawPath, path, blob, sha256, bytes, reading } = file;
    const { content, known, sketch } = reading;
    await this.#text.write(fileHeader(rawPath));
    const textOffset = this.#text.bytes;
    await this.#text.write(Buffer.from(content.buffer, content.byteOffset, content.length));
    await this.#text.write(fileEnd);
    const history = (await opened.history).get(rawPath);
    const { textSha256, transforms, kind, language, licence, tokens, quality, masked, flags } = known;
    const textBytes = content.length;
    const gene: Gene = {
      repository: name,
      commit,
      path,
      blob,
      sha256,
      bytes,
      textSha256,
      textOffset,
      textBytes,
      transforms,
      kind,
      language,
      licence,
      repositoryLicence: opened.licence,
      tokens,
      ...history,
      quality,
      masked,
      flags: isEscaped(rawPath, path) ? [...flags, "path-escaped"] : flags,
      duplicateClass: null,
      duplicateKind: null,
      representative: true,
    };
    await this.#rows.write(`${JSON.stringify(gene)}\n`);
    const rank = rankOf({ kind, path, lastCommit: history.lastCommit, textBytes });
    this.columns.add({ textSha256, textOffset, rank }, sketch);
    this.#bytes += bytes;
    add(this.#kinds, kind, 1);
    for (const [of, count] of Object.entries(masked)) add(this.#masked, of, count);
  }
}

function isEscaped(rawPath: Uint8Array, path: string): boolean {
  return Buffer.compare(rawPath, Buffer.from(path)) !== 0;
}
