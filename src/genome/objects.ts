/** Reads a repository's object database: the tree of a commit, and blobs that are hashed before they are believed. */
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { invariant, UserError } from "../errors.ts";
import type { Git } from "./git.ts";

/** One commit of one repository on this machine. */
export interface Snapshot {
  readonly gitDir: string;
  readonly commit: string;
  readonly tree: string;
}

export interface TreeEntry {
  readonly mode: string;
  readonly type: "blob" | "commit";
  /** Object id: 40 hexadecimal digits, or 64 in a SHA-256 repository. */
  readonly id: string;
  readonly path: Uint8Array;
}

/** What is wrong with an object of the database. */
export type Damage = "absent" | "unreadable" | "different content";

/**
 * A commit of a repository, with its tree.
 *
 * @throws UserError "empty" where `revision` names no commit
 */
export async function openSnapshot(git: Git, gitDir: string, revision: string, name: string): Promise<Snapshot> {
  const { status, stdout } = await git.run([
    `--git-dir=${gitDir}`,
    "rev-parse",
    `${revision}^{commit}`,
    `${revision}^{tree}`,
  ]);
  const [commit, tree] = stdout.toString("latin1").split("\n");
  if (status !== 0 || !isId(commit) || !isId(tree)) {
    throw new UserError("empty", `${name}: the repository has no commit that can be read`, {
      hint: "Commit something there, or check it with git fsck.",
    });
  }
  return { gitDir, commit, tree };
}

function isId(text: string | undefined): text is string {
  return text !== undefined && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/**
 * Every entry below a commit's tree, in git's order.
 *
 * @throws UserError "damaged" where a tree is absent or unreadable
 */
export async function listTree(git: Git, snapshot: Snapshot, name: string): Promise<TreeEntry[]> {
  const args = [`--git-dir=${snapshot.gitDir}`, "ls-tree", "-r", "-z", "--full-tree", snapshot.tree];
  const { status, stdout } = await git.run(args);
  if (status !== 0) {
    throw new UserError("damaged", `${name}: a tree of commit ${snapshot.commit} is absent or unreadable`, {
      hint: "Check the repository with git fsck, or clone it again.",
    });
  }
  const entries: TreeEntry[] = [];
  for (let at = 0; at < stdout.length;) {
    const tab = stdout.indexOf(0x09, at);
    const end = stdout.indexOf(0, tab);
    invariant(tab > 0 && end > 0, "git ls-tree -z ends every entry");
    const [mode, type, id] = stdout.toString("latin1", at, tab).split(" ");
    invariant(
      mode !== undefined && (type === "blob" || type === "commit") && isId(id),
      "git ls-tree -r lists blobs and commits",
    );
    entries.push({ mode, type, id, path: stdout.subarray(tab + 1, end) });
    at = end + 1;
  }
  return entries;
}

/** A blob whose bytes hash to its id, or what is wrong with it. */
export type BlobAnswer =
  /** `content` is null where the blob is larger than the limit; it was hashed all the same. */
  | { readonly id: string; readonly bytes: number; readonly content: Uint8Array | null; readonly sha256: string }
  | { readonly id: string; readonly damage: Damage };

/**
 * Streams blobs in the order asked for, through one `git cat-file --batch`. Each is hashed and compared with its id,
 * since git itself returns another blob's bytes with status 0 where the database says so.
 *
 * @param options.limit blobs of more bytes are hashed but not kept in memory
 */
export async function* readBlobs(
  git: Git,
  gitDir: string,
  ids: readonly string[],
  options: { limit: number },
): AsyncGenerator<BlobAnswer> {
  for (let done = 0; done < ids.length;) {
    const child = git.stream([`--git-dir=${gitDir}`, "cat-file", "--batch", "--buffer"]);
    child.stdin.end(ids.slice(done).join("\n") + "\n");
    const reader = new ByteReader(child.stdout);
    try {
      for (; done < ids.length; done++) {
        const answer = await readAnswer(reader, ids[done]!, options.limit);
        if (answer === undefined) break; // Git died here: whatever it could not read is this one.
        yield "damage" in answer && answer.damage === "absent"
          ? { id: answer.id, damage: await whyMissing(git, gitDir, answer.id) }
          : answer;
      }
    } finally {
      child.kill();
      child.stdout.destroy();
    }
    if (done < ids.length) {
      await child.ended; // Reports that git could not be started, or was interrupted.
      yield { id: ids[done++]!, damage: "unreadable" };
    }
  }
}

/** `--batch` calls an object missing also when it is there and torn; only the complaints of a single question tell. */
async function whyMissing(git: Git, gitDir: string, id: string): Promise<Damage> {
  const { stderr } = await git.run([`--git-dir=${gitDir}`, "cat-file", "-t", id]);
  return /inflate|corrupt|unable to (?:unpack|parse|read|open|mmap)/i.test(stderr) ? "unreadable" : "absent";
}

async function readAnswer(reader: ByteReader, id: string, limit: number): Promise<BlobAnswer | undefined> {
  const header = await reader.line();
  if (header === undefined) return undefined;
  if (header === `${id} missing`) return { id, damage: "absent" };
  const match = /^([0-9a-f]+) (\w+) (\d+)$/.exec(header);
  if (match === null) return undefined;
  const bytes = Number(match[3]);
  const object = createHash(id.length === 64 ? "sha256" : "sha1").update(`${match[2]} ${bytes}\0`);
  const raw = createHash("sha256");
  const content = bytes <= limit ? new Uint8Array(bytes) : null;
  let at = 0;
  const whole = await reader.take(bytes, (chunk) => {
    object.update(chunk);
    raw.update(chunk);
    content?.set(chunk, at);
    at += chunk.length;
  });
  if (!whole || (await reader.line()) !== "") return undefined;
  if (match[2] !== "blob" || object.digest("hex") !== id) return { id, damage: "different content" };
  return { id, bytes, content, sha256: raw.digest("hex") };
}

/** Lines and runs of bytes off a stream. */
class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** The next line without its LF; undefined at the end. */
  async line(): Promise<string | undefined> {
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
  async take(bytes: number, onChunk: (chunk: Uint8Array) => void): Promise<boolean> {
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
