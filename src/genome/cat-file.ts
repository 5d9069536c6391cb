/** Objects out of a repository's database through `git cat-file --batch`, hashed before they are believed. */
import { createHash, hash } from "node:crypto";
import { once } from "node:events";
import type { Git, GitStream } from "./git.ts";

/** What is wrong with an object of the database. */
export type Damage = "absent" | "unreadable" | "different content";

/** What is wrong with an object, as the rest of a sentence about it. */
export function damageInWords(damage: string): string {
  return damage === ("different content" satisfies Damage) ? "does not hold the content of its id" : `is ${damage}`;
}

/** An object whose bytes hash to its id, or what is wrong with it. */
export type ObjectAnswer =
  /** `content` is null where the object is larger than the limit; it was hashed all the same. */
  | { readonly id: string; readonly bytes: number; readonly content: Uint8Array | null; readonly sha256: string }
  | { readonly id: string; readonly damage: Damage };

/** Ids that are written to git at once, before it is waited for. */
const idsAtOnce = 2048;

/** One git that answers with objects in the order in which they are asked for. */
export class ObjectReader {
  readonly #child: GitStream;
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  /** @param options.hurry whether each answer is needed before the next question; else they come in larger pieces */
  constructor(git: Git, gitDir: string, options: { readonly hurry: boolean }) {
    this.#child = git.stream([`--git-dir=${gitDir}`, "cat-file", "--batch", ...(options.hurry ? [] : ["--buffer"])]);
    this.#chunks = this.#child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** Asks for objects, as fast as git takes the questions; ends quietly where git has ended. */
  async ask(ids: readonly string[]): Promise<void> {
    const { stdin } = this.#child;
    for (let from = 0; from < ids.length && stdin.writable; from += idsAtOnce) {
      const taken = stdin.write(`${ids.slice(from, from + idsAtOnce).join("\n")}\n`);
      if (!taken) await Promise.race([once(stdin, "drain"), once(stdin, "close")]).catch(() => {});
    }
  }

  /** Says that no more is asked for. */
  end(): void {
    this.#child.stdin.end();
  }

  /** Closes, and throws where git could not be started or was interrupted. */
  async ended(): Promise<void> {
    this.close();
    await this.#child.ended;
  }

  close(): void {
    this.#child.kill();
    this.#child.stdin.destroy();
    this.#child.stdout.destroy();
  }

  /**
   * The next answer, which must be about `id`; undefined where git ended instead, since it could not read the object.
   *
   * @param limit objects of more bytes are hashed but not kept in memory
   */
  async next(id: string, type: "blob" | "tree" | "commit", limit: number): Promise<ObjectAnswer | undefined> {
    const header = await this.#line();
    if (header === undefined) return undefined;
    if (header === `${id} missing`) return { id, damage: "absent" };
    const match = /^[0-9a-f]+ (\w+) (\d+)$/.exec(header);
    if (match === null) return undefined;
    const bytes = Number(match[2]);
    const object = createHash(id.length === 64 ? "sha256" : "sha1").update(`${match[1]} ${bytes}\0`);
    // Memory that is not written to is not taken: an announced size alone costs nothing.
    const content = bytes <= limit ? new Uint8Array(bytes) : null;
    const raw = content === null ? createHash("sha256") : undefined;
    let at = 0;
    const whole = await this.#take(bytes, (chunk) => {
      object.update(chunk);
      raw?.update(chunk);
      content?.set(chunk, at);
      at += chunk.length;
    });
    if (!whole || (await this.#line()) !== "") return undefined;
    if (match[1] !== type || object.digest("hex") !== id) return { id, damage: "different content" };
    return { id, bytes, content, sha256: content === null ? raw!.digest("hex") : hash("sha256", content) };
  }

  /** The next line without its LF; undefined at the end. */
  async #line(): Promise<string | undefined> {
    for (let from = 0; ;) {
      const end = this.#rest.indexOf(0x0a, from);
      if (end >= 0) {
        const line = this.#rest.toString("latin1", 0, end);
        this.#rest = this.#rest.subarray(end + 1);
        return line;
      }
      from = this.#rest.length;
      const next = await this.#chunks.next();
      if (next.done === true) return undefined;
      this.#rest = from === 0 ? next.value : Buffer.concat([this.#rest, next.value]);
    }
  }

  /** Hands over exactly `bytes` bytes in pieces; false where the stream ends before. */
  async #take(bytes: number, onChunk: (chunk: Uint8Array) => void): Promise<boolean> {
    for (let left = bytes; left > 0;) {
      if (this.#rest.length === 0) {
        const next = await this.#chunks.next();
        if (next.done === true) return false;
        this.#rest = next.value;
      }
      const chunk = this.#rest.subarray(0, left);
      onChunk(chunk);
      left -= chunk.length;
      this.#rest = this.#rest.subarray(chunk.length);
    }
    return true;
  }
}

/** Objects are asked about singly up to this many; a partial clone can lack hundreds of thousands. */
const askedSingly = 32;

/**
 * Tells why git calls an object missing: it does so also when the object is there and torn, and only its complaints
 * tell. Of many, all that come after are first asked about together, and are absent if git has nothing to complain of.
 */
export class MissingObjects {
  readonly #git: Git;
  readonly #gitDir: string;
  #asked = 0;
  #othersAbsent: boolean | undefined;

  constructor(git: Git, gitDir: string) {
    this.#git = git;
    this.#gitDir = gitDir;
  }

  /** @param following the ids that are still to be read */
  async why(id: string, following: () => readonly string[]): Promise<Damage> {
    if (this.#asked++ === askedSingly) this.#othersAbsent = await this.#nothingTorn(following());
    if (this.#othersAbsent === true) return "absent";
    const { stderr } = await this.#git.run([`--git-dir=${this.#gitDir}`, "cat-file", "-t", id]);
    return isComplaint(stderr) ? "unreadable" : "absent";
  }

  async #nothingTorn(ids: readonly string[]): Promise<boolean> {
    const child = this.#git.stream([`--git-dir=${this.#gitDir}`, "cat-file", "--batch-check", "--buffer"]);
    child.stdout.resume();
    child.stdin.end(`${ids.join("\n")}\n`);
    const { status, stderr } = await child.ended;
    return status === 0 && !isComplaint(stderr);
  }
}

function isComplaint(stderr: string): boolean {
  return /inflate|corrupt|unable to (?:unpack|parse|read|open|mmap)|is empty|unknown object type/i.test(stderr);
}
