/** A folder that appears whole or not at all: built beside its place, then renamed into it. */
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { asUserError, readJson, syncFolder } from "../formats/files.ts";
import { UserError } from "../errors.ts";
import { schemaName } from "./gene.ts";

/**
 * Makes sure that a genome may stand at `out`: nothing there, an empty folder, or an earlier genome.
 *
 * @throws UserError "exists" where something else stands
 */
export async function checkPlace(out: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(out);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") return;
    if (code === "ENOTDIR") throw new UserError("exists", `${out} is a file`, { hint: "Name another output folder." });
    throw asUserError(error, out);
  }
  if (names.length === 0) return;
  const manifest = names.includes("manifest.json")
    ? await readJson(join(out, "manifest.json")).catch(() => null)
    : null;
  if ((manifest as { schema?: unknown } | null)?.schema === schemaName) return;
  throw new UserError("exists", `${out} holds something that is not a genome`, { hint: "Name another output folder." });
}

/**
 * Runs `build` in a temporary folder beside `out` and renames that to `out` when it has ended. What a killed build
 * left behind is removed by the next one.
 */
export async function publishFolder(out: string, build: (folder: string) => Promise<void>): Promise<void> {
  const parent = dirname(out);
  const temporary = `${out}.building-${process.pid}`;
  const former = `${out}.replaced-${process.pid}`;
  try {
    await mkdir(parent, { recursive: true });
    await removeLeftovers(out);
    await mkdir(temporary);
    await build(temporary);
    for (const name of await readdir(temporary)) await syncFile(join(temporary, name));
    await syncFolder(temporary);
    await rename(out, former).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    await rename(temporary, out);
    await syncFolder(parent);
    await rm(former, { recursive: true, force: true });
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw asUserError(error, out);
  }
}

/** Removes what killed processes left beside `out`: `.building-PID` and `.replaced-PID`. */
export async function removeLeftovers(out: string): Promise<void> {
  const prefix = basename(out);
  for (const name of await readdir(dirname(out))) {
    if (!name.startsWith(prefix)) continue;
    const pid = /^\.(?:building|replaced)-(\d+)$/.exec(name.slice(prefix.length))?.[1];
    if (pid !== undefined && (Number(pid) === process.pid || !isRunning(Number(pid)))) {
      await rm(join(dirname(out), name), { recursive: true, force: true });
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
