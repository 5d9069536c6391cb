/** Repositories on this machine, read where they stand: a commit of theirs, never their work tree. */
import type { Stats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError } from "../errors.ts";
import { asUserError } from "../formats/files.ts";
import type { Git } from "./git.ts";
import { assertNoLazyFetch } from "./lazy-fetch.ts";
import { openSnapshot } from "./objects.ts";
import type { Snapshot } from "./objects.ts";
import { isCommitPrefix, refCandidates } from "./pins.ts";
import { assertSelfContained } from "./self-contained.ts";

/** A repository in which git finds nothing within this time (a pipe where a file should be) is none. */
const findMs = 30_000;

/** What stands at a path; `UserError` where nothing does. */
export async function statOf(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    throw asUserError(error, path);
  }
}

/** A commit of a repository, with the pin that led to it: the full id where the pin was the beginning of one. */
export interface Pinned {
  readonly snapshot: Snapshot;
  readonly ref: string | null;
}

/**
 * A repository where it stands, with a work tree, without one, or bare. Only the folder itself counts, never a
 * repository around it.
 *
 * @param options.ref branch (also one of origin), tag or commit, a valid name; null for HEAD
 * @returns a reason where the repository has nothing of this name
 * @throws UserError "not-found", "not-a-repository", "empty", "invalid", "damaged", and "unsupported" where git would
 * run commands to read it, or read other repositories
 */
export async function openLocal(
  path: string,
  git: Git,
  options: { readonly ref: string | null },
): Promise<Pinned | { readonly reason: "no such ref" | "ambiguous ref" }> {
  const { ref } = options;
  const gitDir = await findLocal(path, git);
  if (ref === null) return { snapshot: await openSnapshot(git, gitDir, "HEAD", path), ref };
  const names = refCandidates(ref);
  if (!ref.startsWith("refs/") && ref !== "HEAD") names.push(`refs/remotes/origin/${ref}`);
  for (const name of names) {
    if ((await commitOf(git, gitDir, name)).id === undefined) continue;
    return { snapshot: await openSnapshot(git, gitDir, name, path), ref };
  }
  const { id, ambiguous } = isCommitPrefix(ref) ? await commitOf(git, gitDir, ref) : {};
  if (id !== undefined) return { snapshot: await openSnapshot(git, gitDir, id, path), ref: id };
  return { reason: ambiguous === true ? "ambiguous ref" : "no such ref" };
}

/** The error of a user who named a local repository with a pin that it does not have. */
export function noSuchPin(path: string, ref: string | null, reason: "no such ref" | "ambiguous ref"): UserError {
  return reason === "ambiguous ref"
    ? new UserError("invalid", `${path}: more than one commit begins with ${ref}`, { hint: "Give more digits." })
    : new UserError("not-found", `${path} has no branch, tag or commit ${ref}`, {
        hint: "See what there is: git branch --all, git tag, git log.",
      });
}

/** The commit that a full name of a ref, or the beginning of an id, stands for in a repository. */
export async function commitOf(
  git: Git,
  gitDir: string,
  revision: string,
): Promise<{ id?: string | undefined; ambiguous?: boolean }> {
  const args = [`--git-dir=${gitDir}`, "rev-parse", "--verify", `${revision}^{commit}`];
  const { status, stdout, stderr } = await git.run(args);
  return status === 0 ? { id: stdout.toString("latin1").trim() } : { ambiguous: /ambiguous/.test(stderr) };
}

/**
 * The git directory of a repository on this machine, found safe to read.
 *
 * @throws UserError "not-found", "not-a-repository", "invalid", "unsupported"
 */
export async function findLocal(path: string, git: Git): Promise<string> {
  const isFolder = (await statOf(path)).isDirectory();
  const real = await realpath(path);
  const ask = ["-c", "safe.bareRepository=all", "-C", real, "rev-parse", "--absolute-git-dir", "--show-prefix"];
  const { status, stdout, stderr } = isFolder
    ? await git.run(ask, { env: { GIT_CEILING_DIRECTORIES: dirname(real) }, timeoutMs: findMs })
    : { status: 1, stdout: Buffer.alloc(0), stderr: "" };
  if (/dubious ownership/.test(stderr)) {
    throw new UserError("invalid", `${path} belongs to another user, so git does not read it`, {
      hint: `If you trust it: git config --global --add safe.directory '${real}'`,
    });
  }
  if (/unknown repository extension|expected git repo version/i.test(stderr)) {
    throw new UserError("unsupported", `${path} is in a format that this git does not know`, {
      hint: "Install a newer git.",
    });
  }
  const lines = stdout.toString().split("\n");
  const [prefix] = lines.splice(-2);
  if (status !== 0 || prefix !== "") {
    throw new UserError("not-a-repository", `${path} is not a git repository`, {
      hint: "Give the root folder of a repository, or make one there: git init, git add, git commit.",
    });
  }
  const gitDir = lines.join("\n");
  await assertSelfContained(git, real, gitDir, path);
  await assertNoLazyFetch(git, gitDir, path);
  return gitDir;
}
