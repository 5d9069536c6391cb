/** The folder of a training run: opened for a new run, or for going on with the very same one. */

import { mkdir, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { atomicWrite, canonicalJson } from "../formats/files.ts";

/** What decides a run's outcome: inputs by hash, versions, threads, seed, settings. JSON values, no times. */
export type RunManifest = Readonly<Record<string, unknown>>;

/**
 * Makes `dir` the folder of the run that `manifest` describes and writes `dir/manifest.json`. With `resume` a folder
 * that holds this very run is accepted too (and one that holds none yet is begun).
 * Throws UserError "exists" for a folder in use, "mismatch" where the run there is another one.
 */
export async function openRunFolder(dir: string, manifest: RunManifest, resume: boolean): Promise<void> {
  const path = join(dir, "manifest.json");
  const wanted = canonicalJson(manifest);
  const found = await readFile(path, "utf8").catch(() => undefined);
  if (found === undefined) {
    const names = await readdir(dir).catch(() => []);
    // A run killed while it wrote its manifest leaves a temporary file and nothing else.
    if (names.some((name) => !name.startsWith("manifest.json.tmp-"))) throw inUse(dir);
    await mkdir(dir, { recursive: true });
    await atomicWrite(path, wanted);
  } else if (!resume) throw inUse(dir);
  else if (found !== wanted) throw mismatch(path, found, wanted);
}

function inUse(dir: string): UserError {
  return new UserError("exists", `${dir} already holds a run`, {
    hint: "go on with it by --resume, or choose another folder with --out",
  });
}

function mismatch(path: string, found: string, wanted: string): UserError {
  let old: Record<string, unknown>;
  try {
    old = JSON.parse(found) as Record<string, unknown>;
  } catch (cause) {
    throw new UserError("damaged", `${path} is not valid JSON`, { hint: "start anew with another --out", cause });
  }
  const now = JSON.parse(wanted) as Record<string, unknown>;
  const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  const differing = keys.filter((key) => JSON.stringify(old[key]) !== JSON.stringify(now[key]));
  const list = differing.map((key) => `${key} was ${JSON.stringify(old[key])}, is ${JSON.stringify(now[key])}`);
  return new UserError("mismatch", `${path}: this is not the run that was started here: ${list.join("; ")}`, {
    hint: "resume with the inputs, settings and threads it was started with, or start anew with another --out",
  });
}
