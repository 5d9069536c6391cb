/** Repositories on this machine, read where they stand: their HEAD commit, never their work tree. */
import type { Stats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError } from "../errors.ts";
import { asUserError } from "../formats/files.ts";
import type { Git } from "./git.ts";
import { openSnapshot } from "./objects.ts";
import type { Snapshot } from "./objects.ts";

/** What stands at a path; `UserError` where nothing does. */
export async function statOf(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    throw asUserError(error, path);
  }
}

/**
 * A repository where it stands, with a work tree, without one, or bare. Only the folder itself counts, never a
 * repository around it.
 *
 * @throws UserError "not-found", "not-a-repository", "empty", "invalid"
 */
export async function openLocal(path: string, git: Git): Promise<Snapshot> {
  const isFolder = (await statOf(path)).isDirectory();
  const real = await realpath(path);
  const { status, stdout, stderr } = isFolder
    ? await git.run(["-C", real, "rev-parse", "--absolute-git-dir", "--show-prefix"], {
        env: { GIT_CEILING_DIRECTORIES: dirname(real) },
      })
    : { status: 1, stdout: Buffer.alloc(0), stderr: "" };
  if (/dubious ownership/.test(stderr)) {
    throw new UserError("invalid", `${path} belongs to another user, so git does not read it`, {
      hint: `If you trust it: git config --global --add safe.directory '${real}'`,
    });
  }
  const lines = stdout.toString().split("\n");
  const [prefix] = lines.splice(-2);
  if (status !== 0 || prefix !== "") {
    throw new UserError("not-a-repository", `${path} is not a git repository`, {
      hint: "Give the root folder of a repository, or make one there: git init, git add, git commit.",
    });
  }
  return openSnapshot(git, lines.join("\n"), "HEAD", path);
}
