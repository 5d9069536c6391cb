/** A lock file as a build reads it back: which commit of which repository goes by which name. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { readJson } from "../formats/files.ts";
import { objectId } from "./gene.ts";

/** What a rebuild needs of a row of genome.lock.json; whatever else stands there is derived from it. */
const rowSchema = z
  .object({
    name: z.string().min(1),
    url: z.string().nullable(),
    ref: z.string().nullable().default(null),
    commit: objectId.nullable(),
    tree: objectId.nullable(),
    shallow: z.boolean().default(false),
  })
  .readonly();
const lockFileSchema = z.object({ repositories: z.array(rowSchema).min(1) });

/** One repository that a lock pins. */
export interface LockRow {
  /** The repository's name in the genome. */
  readonly name: string;
  /** Without credentials; null for a repository that was given as a local path. */
  readonly url: string | null;
  /** The branch, tag or commit that was asked for; null for the remote's HEAD. */
  readonly ref: string | null;
  readonly commit: string;
  readonly tree: string;
  /** Whether its history was cut off, so that genes have no dates. */
  readonly shallow: boolean;
}

/**
 * Reads the lock of a genome, from the file or the genome's folder.
 *
 * @throws UserError "not-found", "damaged" (no JSON), "invalid" (no lock, or one that pins no commits)
 */
export async function readLock(path: string): Promise<LockRow[]> {
  const isFolder = await stat(path).then(
    (status) => status.isDirectory(),
    () => false,
  );
  const file = isFolder ? join(path, "genome.lock.json") : path;
  const parsed = lockFileSchema.safeParse(await readJson(file));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UserError("invalid", `${file} is not a genome's lock: ${issue?.path.join(".")}: ${issue?.message}`, {
      hint: "Give the genome.lock.json that a build wrote.",
    });
  }
  const rows = parsed.data.repositories.map(({ commit, tree, ...row }) => {
    if (commit !== null && tree !== null) return { ...row, commit, tree };
    throw new UserError("invalid", `${file}: ${row.name} has no commit, since its genome was imported from a text`, {
      hint: "Only a genome that was built from repositories can be built again.",
    });
  });
  const urls = rows.flatMap(({ url }) => url ?? []);
  if (new Set(rows.map(({ name }) => name)).size < rows.length || new Set(urls).size < urls.length) {
    throw new UserError("invalid", `${file} holds one repository twice`, {
      hint: "Give the genome.lock.json that a build wrote.",
    });
  }
  return rows;
}
