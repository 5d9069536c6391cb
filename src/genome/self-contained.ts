/** Whether a repository on this machine reads its own files only; what it borrows from elsewhere is refused. */
import { lstat, readdir, realpath } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { UserError } from "../errors.ts";
import { readLimited } from "../formats/files.ts";
import type { Git } from "./git.ts";

/** Git writes much less into such files. */
const pointerBytes = 1 << 20;

/**
 * Refuses a repository whose objects lie outside of it. A folder from elsewhere could otherwise bring, by its mere
 * layout, the content of other repositories on this machine into a genome: through alternates, links among its
 * objects (which git refuses to clone, too), or a `.git` file that names a repository which knows nothing of it.
 * Linked work trees and submodules are known to the repository that they name, and accepted.
 *
 * @param folder the folder that was named, its real path
 * @param gitDir its git directory
 * @throws UserError "unsupported"
 */
export async function assertSelfContained(git: Git, folder: string, gitDir: string, name: string): Promise<void> {
  const own = await realpath(gitDir);
  const { stdout } = await git.run([`--git-dir=${own}`, "rev-parse", "--path-format=absolute", "--git-common-dir"]);
  const common = await realpath(resolve(stdout.toString().replace(/\n$/, "")));
  const isWorkTree = own !== common;
  if (isWorkTree && dirname(own) !== join(common, "worktrees")) throw elsewhere(name, common);
  if (!isInside(own, folder) && !(await isKnownTo(git, folder, own))) throw elsewhere(name, own);
  const objects = join(common, "objects");
  if ((await realpath(objects)) !== objects) throw elsewhere(name, await realpath(objects));
  await refuseAlternates(objects, name);
  await refuseLinks(objects, name);
}

function elsewhere(name: string, place: string): UserError {
  return new UserError("unsupported", `${name} keeps its objects at ${place}, which knows nothing of it`, {
    hint: "Name that repository itself, or clone it.",
  });
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && resolve(folder, way) === path);
}

/** A linked work tree stands in the file `gitdir` of its git directory, a submodule's in its configuration. */
async function isKnownTo(git: Git, folder: string, gitDir: string): Promise<boolean> {
  const back = await readSmall(join(gitDir, "gitdir"));
  if (back !== undefined) return (await realFolderOf(resolve(gitDir, back.trim()))) === folder;
  const { status, stdout } = await git.run([`--git-dir=${gitDir}`, "config", "--get", "core.worktree"]);
  if (status !== 0) return false;
  return (await realpath(resolve(gitDir, stdout.toString().replace(/\n$/, ""))).catch(() => undefined)) === folder;
}

async function realFolderOf(file: string): Promise<string | undefined> {
  return realpath(dirname(file)).catch(() => undefined);
}

async function refuseAlternates(objects: string, name: string): Promise<void> {
  const file = join(objects, "info", "alternates");
  if ((await lstat(file).catch(() => undefined)) === undefined) return;
  const text = await readSmall(file);
  const lines = text?.split("\n").filter((line) => line !== "" && !line.startsWith("#")) ?? [file];
  if (lines.length === 0) return;
  throw new UserError("unsupported", `${name} borrows objects from ${lines[0]}`, {
    hint: "Copy them into it: git repack -a -d, then remove objects/info/alternates in its git directory.",
  });
}

async function refuseLinks(objects: string, name: string): Promise<void> {
  for (const folder of await readdir(objects, { withFileTypes: true })) {
    const path = join(objects, folder.name);
    const files = folder.isDirectory() ? await readdir(path, { withFileTypes: true }) : [];
    const link = folder.isSymbolicLink() ? folder : files.find((file) => file.isSymbolicLink());
    if (link === undefined) continue;
    throw new UserError(
      "unsupported",
      `${name} has a symbolic link among its objects: ${join(link.parentPath, link.name)}`,
      {
        hint: "Replace it by what it points to.",
      },
    );
  }
}

/** The text of a regular file; undefined where it is none, or larger than git makes it. */
async function readSmall(path: string): Promise<string | undefined> {
  const bytes = await readLimited(path, pointerBytes).catch(() => undefined);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}
