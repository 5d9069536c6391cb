/** A folder that may come from anywhere, read without ever following a link out of it. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../errors.ts";
import { asUserError, readExactly } from "../../formats/files.ts";

const readBytes = 1 << 20;
const mostEntries = 1_000_000;
const mostDepth = 64;

export interface FolderEntry {
  /** Relative to the folder, parts joined by `/`. */
  readonly name: string;
  readonly kind: "file" | "link" | "other";
}

/**
 * Everything below a folder that is not itself a folder, in no particular order.
 *
 * @throws UserError "unsupported" where there are more than a million entries, or folders nested deeper than 64
 */
export async function listFolder(folder: string): Promise<FolderEntry[]> {
  const found: FolderEntry[] = [];
  const waiting = [""];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const entry of await entriesOf(join(folder, at))) {
      const name = at === "" ? entry.name : `${at}/${entry.name}`;
      if (entry.isDirectory()) waiting.push(name);
      else found.push({ name, kind: entry.isFile() ? "file" : entry.isSymbolicLink() ? "link" : "other" });
      if (found.length + waiting.length > mostEntries || name.split("/").length > mostDepth) {
        throw new UserError("unsupported", `${folder} holds too many files or nests folders too deep to be a genome`, {
          hint: "Name the folder of a genome.",
        });
      }
    }
  }
  return found;
}

async function entriesOf(path: string) {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    throw asUserError(error, path);
  }
}

/**
 * Opens a regular file of the folder; a link is refused, wherever it leads.
 *
 * @throws UserError "not-found", "invalid" (not a regular file, not readable)
 */
export async function openInside(folder: string, name: string): Promise<{ handle: FileHandle; size: number }> {
  const path = join(folder, name);
  try {
    // Looked at before opening, which would wait on a named pipe; the flag then holds against an exchange in between.
    if (!(await lstat(path)).isFile()) {
      throw new UserError("invalid", `${path} is not a regular file`, { hint: "A genome holds plain files only." });
    }
    const handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    return { handle, size: (await handle.stat()).size };
  } catch (error) {
    throw asUserError(error, path);
  }
}

/** Reads a file of the folder whole; `UserError` "unsupported" where it has more than `limit` bytes. */
export async function readInside(folder: string, name: string, limit: number): Promise<Buffer> {
  const { handle, size } = await openInside(folder, name);
  try {
    if (size > limit) {
      throw new UserError("unsupported", `${join(folder, name)} has ${size} bytes, more than the ${limit} accepted`, {
        hint: "Build the genome again.",
      });
    }
    const bytes = Buffer.alloc(size);
    await readExactly(handle, bytes, 0, join(folder, name));
    return bytes;
  } finally {
    await handle.close();
  }
}

/** `bytes` bytes of a file from `from` on, less where it ends, in pieces of at most 1 MiB; each overwrites the last. */
export async function* piecesOf(handle: FileHandle, from: number, bytes: number): AsyncGenerator<Buffer, void, void> {
  const buffer = Buffer.allocUnsafe(Math.min(readBytes, bytes));
  for (let done = 0; done < bytes;) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, bytes - done), from + done);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    done += bytesRead;
  }
}

/** SHA-256 of a file of the folder, in hexadecimal, read as a stream. */
export async function hashInside(folder: string, name: string): Promise<string> {
  const { handle, size } = await openInside(folder, name);
  try {
    const hash = createHash("sha256");
    for await (const piece of piecesOf(handle, 0, size)) hash.update(piece);
    return hash.digest("hex");
  } finally {
    await handle.close();
  }
}
