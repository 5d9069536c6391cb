/** What commits changed in the files that are trained on, by file: what the framing of changes reads. */
import { UserError } from "../errors.ts";
import type { Change, Gene, Genome } from "../genome/manifest.ts";

export type { Change } from "../genome/manifest.ts";

/** What names a file in a genome. */
type File = Pick<Gene, "repository" | "path">;

/**
 * The changes of the given files, the newest first, kept in memory: a genome holds at most 256 KiB of hunks a file.
 *
 * @throws UserError "not-found" where the genome was built without them, "empty" where none is of these files
 */
export async function readChangesOf(
  genome: Pick<Genome, "changes" | "dir">,
  files: readonly File[],
): Promise<(file: File) => readonly Change[]> {
  const wanted = new Map(files.map((file) => [keyOf(file), [] as Change[]]));
  for await (const change of genome.changes()) wanted.get(keyOf(change))?.push(change);
  if (files.length > 0 && wanted.values().every((changes) => changes.length === 0)) {
    throw new UserError(
      "empty",
      `no commit in ${genome.dir} changed any of the ${files.length} files framed as changes`,
      {
        hint: "give repositories with their history, or another framing",
      },
    );
  }
  return (file) => wanted.get(keyOf(file)) ?? [];
}

function keyOf({ repository, path }: File): string {
  return `${repository}\0${path}`;
}
