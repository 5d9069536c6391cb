/** Appends to a file in large pieces while counting and hashing, so that a text larger than memory can be written. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

const flushBytes = 1 << 20;

export class TextWriter {
  /** Bytes written so far. */
  bytes = 0;
  readonly #handle: FileHandle;
  readonly #hash = createHash("sha256");
  #waiting: Buffer[] = [];
  #waitingBytes = 0;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Creates the file; one that is there is an error. */
  static async create(path: string): Promise<TextWriter> {
    return new TextWriter(await open(path, "wx"));
  }

  async write(piece: string | Buffer): Promise<void> {
    const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
    this.#hash.update(bytes);
    this.bytes += bytes.length;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= flushBytes) await this.#flush();
  }

  /** Writes what is left, closes the file and returns the SHA-256 of all that was written. */
  async end(): Promise<string> {
    await this.#flush();
    await this.#handle.close();
    return this.#hash.digest("hex");
  }

  /** Closes the file without more ado, after a failure. */
  async abandon(): Promise<void> {
    await this.#handle.close().catch(() => {});
  }

  async #flush(): Promise<void> {
    const all = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    await this.#handle.writeFile(all);
  }
}
