/** Tree objects to listings: parsed from git's binary form, laid out without recursion, names that lie set apart. */
import { UserError } from "../errors.ts";

/** One entry of one folder. */
export interface FolderEntry {
  readonly mode: string;
  readonly type: "blob" | "commit" | "tree";
  readonly id: string;
  readonly name: Uint8Array;
}

/** A tree object, checked to be one, with what is below it; its entries are read from the bytes when they are needed. */
export interface Tree {
  readonly bytes: Buffer;
  readonly idBytes: number;
  /** Entries that are no trees, and the bytes of their names. */
  readonly files: number;
  readonly nameBytes: number;
  readonly folders: readonly FolderEntry[];
}

/** One file (or submodule) of a listing. There can be hundreds of thousands, so it is kept small. */
export class TreeEntry {
  readonly mode: string;
  /** "commit" is a submodule; "unsafe" is what stands under a name that no git would make, or under one given twice. */
  readonly type: "blob" | "commit" | "unsafe";
  /** Object id: 40 hexadecimal digits, or 64 in a SHA-256 repository. */
  readonly id: string;
  /** The bytes of the path, each as one character; a string takes half the memory of an array. */
  readonly latin1Path: string;

  constructor(mode: string, type: TreeEntry["type"], id: string, latin1Path: string) {
    this.mode = mode;
    this.type = type;
    this.id = id;
    this.latin1Path = latin1Path;
  }

  get path(): Uint8Array {
    return Buffer.from(this.latin1Path, "latin1");
  }
}

/** The largest known repositories have half a million files; the limits keep a listing within memory. */
const mostEntries = 5_000_000;
const mostPathBytes = 512 << 20;

/**
 * A tree object: `mode SP name NUL id`, again and again.
 *
 * @param idBytes bytes of an id: 20, or 32 in a SHA-256 repository
 * @returns undefined where the bytes are no tree
 */
export function parseTree(content: Uint8Array, idBytes: number): Tree | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  const folders: FolderEntry[] = [];
  let files = 0;
  let nameBytes = 0;
  for (let at = 0; at < bytes.length;) {
    const read = entryAt(bytes, at, idBytes);
    if (read === undefined) return undefined;
    at = read.next;
    if (read.entry.type === "tree") folders.push(read.entry);
    else {
      files++;
      nameBytes += read.entry.name.length;
    }
  }
  return { bytes, idBytes, files, nameBytes, folders };
}

function entryAt(tree: Buffer, at: number, idBytes: number): { entry: FolderEntry; next: number } | undefined {
  const space = tree.indexOf(0x20, at);
  const end = space < 0 ? -1 : tree.indexOf(0, space);
  const next = end + 1 + idBytes;
  const octal = space < 0 || space - at > 7 ? "" : tree.toString("latin1", at, space);
  if (end < 0 || next > tree.length || !/^[0-7]{1,7}$/.test(octal)) return undefined;
  const entry = { ...kindOf(octal), id: tree.toString("hex", end + 1, next), name: tree.subarray(space + 1, end) };
  return { entry, next };
}

/**
 * Whether no git would make such a name: empty, `.`, `..`, `.git` (or what Windows takes for it), with a slash in it.
 * A path with it could name something else than itself.
 */
function isUnsafe(name: string): boolean {
  return /^\.{0,2}$|\/|^(?:\.git|git~1)[ .]*(?::|$)/i.test(name);
}

/** As git reads modes: the type counts, and of permissions only whether the owner may execute. */
function kindOf(octal: string): Pick<FolderEntry, "mode" | "type"> {
  const mode = Number.parseInt(octal, 8);
  switch (mode & 0o170000) {
    case 0o040000:
      return { mode: "040000", type: "tree" };
    case 0o100000:
      return { mode: mode & 0o100 ? "100755" : "100644", type: "blob" };
    case 0o120000:
      return { mode: "120000", type: "blob" };
    default:
      return { mode: "160000", type: "commit" };
  }
}

/** A path for messages. */
export function describePath(folder: string, name: Uint8Array): string {
  const text = Buffer.from(name).toString();
  const path = folder === "" ? text : `${folder}/${text}`;
  return path.length > 300 ? `...${path.slice(-300)}` : path;
}

interface Size {
  readonly entries: number;
  readonly pathBytes: number;
}

/** A folder that is being laid out. */
interface Open {
  readonly tree: Tree;
  readonly prefix: Uint8Array;
  readonly unsafe: boolean;
  readonly names: Set<string>;
  at: number;
}

/**
 * The listing below `root`, depth first, each folder in its own order. Trees may be as deep as they like.
 *
 * @param trees every tree that occurs, by id
 * @throws UserError "unsupported" where it has more than 5 million entries, or paths of more than 512 MiB
 */
export function expandTrees(trees: ReadonlyMap<string, Tree>, root: string, name: string): TreeEntry[] {
  const { entries: count, pathBytes } = sizeOf(trees, root);
  if (count > mostEntries || pathBytes > mostPathBytes) {
    const size = count > mostEntries ? `more than ${mostEntries} files` : `paths of more than ${mostPathBytes} bytes`;
    throw new UserError("unsupported", `${name}: the tree lists ${size}`, {
      hint: "A repository like this is made to exhaust its readers; leave it out.",
    });
  }
  const listing: TreeEntry[] = [];
  const open = (id: string, prefix: Uint8Array, unsafe: boolean): Open => ({
    tree: trees.get(id)!,
    prefix,
    unsafe,
    names: new Set(),
    at: 0,
  });
  const stack = [open(root, new Uint8Array(0), false)];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const read = entryAt(top.tree.bytes, top.at, top.tree.idBytes);
    if (read === undefined) {
      stack.pop();
      continue;
    }
    top.at = read.next;
    const { mode, type, id, name: own } = read.entry;
    const text = Buffer.from(own.buffer, own.byteOffset, own.length).toString("latin1");
    const unsafe = top.unsafe || isUnsafe(text) || top.names.has(text);
    top.names.add(text);
    const path = Buffer.allocUnsafe(top.prefix.length + own.length + (type === "tree" ? 1 : 0));
    path.set(top.prefix, 0);
    path.set(own, top.prefix.length);
    if (type === "tree") {
      path[path.length - 1] = 0x2f;
      stack.push(open(id, path, unsafe));
    } else listing.push(new TreeEntry(mode, unsafe ? "unsafe" : type, id, path.toString("latin1")));
  }
  return listing;
}

/** Entries and bytes of paths of the whole listing, each tree measured once and counted as often as it occurs. */
function sizeOf(trees: ReadonlyMap<string, Tree>, root: string): Size {
  const sizes = new Map<string, Size>();
  const stack = [root];
  for (let id = stack.at(-1); id !== undefined; id = stack.at(-1)) {
    const { files, nameBytes, folders } = trees.get(id)!;
    const unknown = sizes.has(id) ? [] : folders.filter((folder) => !sizes.has(folder.id));
    if (unknown.length > 0) {
      for (const folder of unknown) stack.push(folder.id);
      continue;
    }
    stack.pop();
    let entries = files;
    let pathBytes = nameBytes;
    for (const folder of folders) {
      const below = sizes.get(folder.id)!;
      entries += below.entries;
      pathBytes += below.pathBytes + below.entries * (folder.name.length + 1);
    }
    sizes.set(id, { entries, pathBytes });
  }
  return sizes.get(root)!;
}
