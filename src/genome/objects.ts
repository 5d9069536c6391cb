/** Reads a repository's object database: a commit, the listing of its tree, and blobs. Every object is hashed first. */
import { UserError } from "../errors.ts";
import { damageInWords, MissingObjects, ObjectReader } from "./cat-file.ts";
import type { ObjectAnswer } from "./cat-file.ts";
import type { Git } from "./git.ts";
import { isCommitId } from "./pins.ts";
import { describePath, expandTrees, parseTree } from "./tree.ts";
import type { Tree, TreeEntry } from "./tree.ts";

export type { Damage, ObjectAnswer as BlobAnswer } from "./cat-file.ts";
export type { TreeEntry } from "./tree.ts";

/** One commit of one repository on this machine. */
export interface Snapshot {
  readonly gitDir: string;
  readonly commit: string;
  readonly tree: string;
  /** Whether the history is cut off: dates and numbers of changes are then not known. */
  readonly shallow: boolean;
}

/** No commit and no single tree is larger; a folder of a million files has about 40 MB. */
const objectBytes = 128 << 20;

/**
 * A commit of a repository, with its tree.
 *
 * @param revision anything that git takes for one; it must not come from outside unchecked
 * @throws UserError "empty" where it names no commit, "damaged" where the commit is unreadable or not what its id says
 */
export async function openSnapshot(git: Git, gitDir: string, revision: string, name: string): Promise<Snapshot> {
  const parse = ["rev-parse", "--is-shallow-repository", "--verify", `${revision}^{commit}`];
  const { status, stdout } = await git.run([`--git-dir=${gitDir}`, ...parse]);
  const [shallow, commit] = stdout.toString("latin1").split("\n");
  if (status !== 0 || commit === undefined || !isCommitId(commit)) {
    throw new UserError("empty", `${name}: the repository has no commit that can be read`, {
      hint: "Commit something there, or check it with git fsck.",
    });
  }
  return openCommit(git, gitDir, commit, { shallow: shallow === "true", name });
}

/**
 * The same for a commit that is known to be there, in a repository that is known to be cut off or not.
 *
 * @throws UserError "damaged"
 */
export async function openCommit(
  git: Git,
  gitDir: string,
  commit: string,
  { shallow, name }: { readonly shallow: boolean; readonly name: string },
): Promise<Snapshot> {
  const content = await readCommit(git, gitDir, commit, name);
  const tree = /^tree ([0-9a-f]+)\n/.exec(Buffer.from(content).toString("latin1", 0, 80))?.[1];
  if (tree === undefined || !isCommitId(tree)) throw damaged(name, `commit ${commit} names no tree`);
  return { gitDir, commit, tree, shallow };
}

function damaged(name: string, what: string): UserError {
  return new UserError("damaged", `${name}: ${what}`, {
    hint: "Check the repository with git fsck, or clone it again.",
  });
}

/**
 * Every entry below a commit's tree, in git's order. Trees are read each once, however often they occur, and counted
 * before they are laid out.
 *
 * @throws UserError "damaged" where a tree is absent, unreadable or not what its id says; "unsupported" where the
 * listing would be larger than any repository's
 */
export async function listTree(git: Git, snapshot: Snapshot, name: string): Promise<TreeEntry[]> {
  const { gitDir, tree: root } = snapshot;
  const trees = new Map<string, Tree>();
  const reader = new ObjectReader(git, gitDir, { hurry: true });
  try {
    for (let level = [{ id: root, path: "" }]; level.length > 0;) {
      const asking = reader.ask(level.map(({ id }) => id));
      const below = new Map<string, { id: string; path: string }>();
      for (const { id, path } of level) {
        const answer = await reader.next(id, "tree", objectBytes);
        if (answer === undefined) await reader.ended();
        const content = contentOf(answer);
        if (typeof content === "string") throw damaged(name, treeDamage(snapshot, id, path, await whyNot(id, content)));
        const tree = parseTree(content, id.length / 2);
        if (tree === undefined) throw damaged(name, treeDamage(snapshot, id, path, "unreadable"));
        trees.set(id, tree);
        for (const folder of tree.folders) {
          if (!below.has(folder.id)) below.set(folder.id, { id: folder.id, path: describePath(path, folder.name) });
        }
      }
      await asking;
      level = [...below.values()].filter(({ id }) => !trees.has(id));
    }
  } finally {
    reader.close();
  }
  return expandTrees(trees, root, name);

  async function whyNot(id: string, damage: string): Promise<string> {
    return damage === "absent" ? new MissingObjects(git, gitDir).why(id, () => []) : damage;
  }
}

function treeDamage({ commit }: Snapshot, id: string, path: string, damage: string): string {
  return `tree ${id} (/${path}) of commit ${commit} ${damageInWords(damage)}`;
}

function contentOf(answer: ObjectAnswer | undefined): Uint8Array | string {
  if (answer === undefined) return "unreadable";
  return "damage" in answer ? answer.damage : (answer.content ?? "larger than any tree");
}

async function readCommit(git: Git, gitDir: string, id: string, name: string): Promise<Uint8Array> {
  const reader = new ObjectReader(git, gitDir, { hurry: true });
  try {
    await reader.ask([id]);
    const answer = await reader.next(id, "commit", objectBytes);
    if (answer === undefined) await reader.ended();
    const content = contentOf(answer);
    if (typeof content !== "string") return content;
    throw damaged(name, `commit ${id} ${damageInWords(content)}`);
  } finally {
    reader.close();
  }
}

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
): AsyncGenerator<ObjectAnswer, void, void> {
  const missing = new MissingObjects(git, gitDir);
  for (let done = 0; done < ids.length;) {
    const reader = new ObjectReader(git, gitDir, { hurry: false });
    void reader.ask(done === 0 ? ids : ids.slice(done)).then(() => reader.end());
    try {
      for (; done < ids.length; done++) {
        const answer = await reader.next(ids[done]!, "blob", options.limit);
        if (answer === undefined) break; // Git died here: whatever it could not read is this one.
        const absent = "damage" in answer && answer.damage === "absent";
        const rest = done;
        yield absent ? { id: answer.id, damage: await missing.why(answer.id, () => ids.slice(rest)) } : answer;
      }
      if (done < ids.length) await reader.ended(); // Reports that git could not be started, or was interrupted.
    } finally {
      reader.close();
    }
    if (done < ids.length) yield { id: ids[done++]!, damage: "unreadable" };
  }
}
