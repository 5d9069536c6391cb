/** Whether git can be kept from fetching missing objects by itself, which would run what a repository's configuration says. */
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import type { Git } from "./git.ts";

/**
 * Tries it out: a repository of our own promises an object that it lacks, and its configuration names the program that
 * would bring it. A git that obeys GIT_NO_LAZY_FETCH (2.45, or an older one with the mend carried over) never starts it.
 */
export async function refusesLazyFetch(git: Pick<Git, "run">): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), "chrysalis-probe-"));
  try {
    const gitDir = join(folder, "probe.git");
    const settings = {
      "core.repositoryFormatVersion": "1",
      "extensions.partialClone": "probe",
      "remote.probe.promisor": "true",
      "remote.probe.url": gitDir,
      // Run by a shell, in the repository's folder or the caller's: hence the whole path, quoted.
      "remote.probe.uploadpack": `: > '${join(folder, "ran").replaceAll("'", "'\\''")}';`,
    };
    await git.run(["init", "--quiet", "--bare", "--template=", "--object-format=sha1", "--", gitDir]);
    for (const [key, value] of Object.entries(settings)) await git.run([`--git-dir=${gitDir}`, "config", key, value]);
    await git.run([`--git-dir=${gitDir}`, "cat-file", "-e", randomBytes(20).toString("hex")], { timeoutMs: 10_000 });
    return !(await readdir(folder)).includes("ran");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Refuses a repository that would have git fetch its missing objects, where this git cannot be kept from it.
 *
 * @throws UserError "unsupported"
 */
export async function assertNoLazyFetch(git: Git, gitDir: string, name: string): Promise<void> {
  const keys = "^(remote\\..*\\.promisor|extensions\\.partialclone)$";
  const { status } = await git.run([`--git-dir=${gitDir}`, "config", "--name-only", "--get-regexp", keys]);
  if (status !== 0 || (await git.refusesLazyFetch())) return;
  throw new UserError("unsupported", `${name} is a partial clone, and this git would run its commands to complete it`, {
    hint: "Install git 2.45 or newer, or name the repository that it was cloned from.",
  });
}
