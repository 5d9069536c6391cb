/** Files as everything here reads and writes them: by position, whole or not at all, hashed as a stream. */

import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { UserError } from "../errors.ts";

const READ_CHUNK = 4 << 20;
/** One read call moves less than 2 GiB; longer ones are cut into pieces of this size. */
const MAX_READ = 1 << 30;

/** A system call's failure as a `UserError` where the user can mend it; anything else comes back unchanged. */
export function asUserError(error: unknown, path: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const options = { cause: error };
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return new UserError("not-found", `${path}: no such file or folder`, { ...options, hint: "check the path" });
    case "EISDIR":
      return isAFolder(path, error);
    case "EACCES":
    case "EPERM":
      return new UserError("invalid", `${path}: permission denied`, { ...options, hint: "check who owns it" });
    case "EROFS":
      return new UserError("disk", `${path}: the file system is read-only`, {
        ...options,
        hint: "choose another place",
      });
    case "ENOSPC":
    case "EDQUOT":
      return new UserError("disk", `${path}: no space left on the disk`, { ...options, hint: "free some space" });
    default:
      return error;
  }
}

function isAFolder(path: string, cause?: unknown): UserError {
  return new UserError("invalid", `${path} is a folder, a file is needed`, { hint: "name a file in it", cause });
}

/** Opens a regular file for reading; `UserError` where it is missing, a folder, or not readable. */
export async function openForReading(path: string): Promise<{ handle: FileHandle; size: number }> {
  try {
    // Before opening: opening a named pipe would wait for its writer.
    const status = await stat(path);
    if (status.isDirectory()) throw isAFolder(path);
    if (!status.isFile()) {
      throw new UserError("invalid", `${path} is not a regular file`, { hint: "copy its content into a file first" });
    }
    return { handle: await open(path, "r"), size: status.size };
  } catch (error) {
    throw asUserError(error, path);
  }
}

/** Fills `into` from `position` on; `UserError` where the file ends before that. */
export async function readExactly(handle: FileHandle, into: Uint8Array, position: number, path: string): Promise<void> {
  let done = 0;
  while (done < into.length) {
    const length = Math.min(into.length - done, MAX_READ);
    const { bytesRead } = await handle.read(into, done, length, position + done);
    if (bytesRead === 0) {
      throw new UserError("damaged", `${path} ends at byte ${position + done}, ${into.length - done} bytes too early`, {
        hint: "copy or download the file again",
      });
    }
    done += bytesRead;
  }
}

/** Reads a whole file of at most `limit` bytes; `UserError` where it is larger or missing. */
export async function readLimited(path: string, limit: number): Promise<Uint8Array> {
  const { handle, size } = await openForReading(path);
  try {
    if (size > limit) {
      throw new UserError("unsupported", `${path} has ${size} bytes, more than the ${limit} accepted here`, {
        hint: "check that it is the right file",
      });
    }
    const bytes = new Uint8Array(size);
    await readExactly(handle, bytes, 0, path);
    return bytes;
  } finally {
    await handle.close();
  }
}

/** Reads a file of at most `limit` bytes as JSON in UTF-8; `UserError` ("damaged") where it is not. */
export async function readJson(path: string, limit = 64 << 20): Promise<unknown> {
  const bytes = await readLimited(path, limit);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
  } catch (cause) {
    throw new UserError("damaged", `${path} is not valid JSON: ${(cause as Error).message}`, {
      hint: "copy or download the file again",
      cause,
    });
  }
}

/**
 * Writes a file whole or not at all: into a temporary neighbour, flushed to the disk, then renamed over `path`.
 * What stood there before stays readable until the rename, whatever interrupts.
 *
 * @param write gets the open temporary file; what it throws removes the file again
 */
export async function atomicStream(path: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  const temporary = `${path}.tmp-${process.pid}-${randomBytes(4).toString("hex")}`;
  try {
    const handle = await open(temporary, "wx");
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw asUserError(error, path);
  }
  await syncFolder(dirname(path));
}

/** Writes `data` (text as UTF-8) to `path` whole or not at all. */
export async function atomicWrite(path: string, data: string | Uint8Array): Promise<void> {
  await atomicStream(path, (handle) => handle.writeFile(data));
}

/**
 * Writes a folder whole or not at all: `fill` gets a temporary neighbour, which is then renamed to `path`.
 *
 * @throws UserError "exists" where `path` is there already and is not an empty folder
 */
export async function atomicFolder(path: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const target = resolve(path);
  const temporary = `${target}.tmp-${process.pid}-${randomBytes(4).toString("hex")}`;
  try {
    if (!(await isFree(target))) {
      throw new UserError("exists", `${path} exists already and is not overwritten`, {
        hint: "choose another place or move it away",
      });
    }
    await mkdir(temporary, { recursive: true });
    await fill(temporary);
    await syncFolder(temporary);
    // Renaming onto an empty folder works on some systems only.
    await rmdir(target).catch(() => undefined);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw asUserError(error, path);
  }
  await syncFolder(dirname(target));
}

/** Whether nothing stands at `path`, or only an empty folder. */
async function isFree(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length === 0;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") return true;
    if (code === "ENOTDIR") return false;
    throw error;
  }
}

/** Flushes a folder's entries, so that a rename survives a power cut; a no-op where the system cannot (Windows). */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** SHA-256 of a file's bytes, in hexadecimal, read as a stream. */
export async function sha256OfFile(path: string): Promise<string> {
  const { handle, size } = await openForReading(path);
  try {
    const hash = createHash("sha256");
    const buffer = new Uint8Array(Math.min(READ_CHUNK, Math.max(size, 1)));
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
    }
    return hash.digest("hex");
  } finally {
    await handle.close();
  }
}

/**
 * JSON that is equal for equal values: keys sorted by code unit at every level, indented by 2, one newline at the end.
 * Properties that are `undefined` are left out; a number that JSON cannot hold throws.
 */
export function canonicalJson(value: unknown): string {
  return `${JSON.stringify(sorted(value), null, 2)}\n`;
}

function sorted(value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`JSON cannot hold the number ${value}`);
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, child]) => child !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  // Null prototype: a key named __proto__ stays a key.
  const result = Object.create(null) as Record<string, unknown>;
  for (const [key, child] of entries) result[key] = sorted(child);
  return result;
}
