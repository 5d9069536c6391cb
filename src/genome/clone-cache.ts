/** One bare clone in the cache folder: made, brought up to date, and asked which commits are wholly in it. */
import { createHash } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { failureReason } from "./git-reason.ts";
import type { GitReason } from "./git-reason.ts";
import type { Git, GitResult } from "./git.ts";
import { commitOf } from "./local.ts";
import { removeLeftovers } from "./publish.ts";
import { redact } from "./source.ts";
import type { UrlSource } from "./source.ts";

/** Under these refs, which are written after all their objects, lies what is wholly here. */
const marks = "refs/chrysalis/";
const everything = [`+refs/heads/*:${marks}all/heads/*`, `+refs/tags/*:${marks}all/tags/*`];

/** What is wanted of a remote: a ref by its full name, a commit by its id, or by the beginning of its id. */
export type Wanted = { readonly ref: string } | { readonly commit: string } | { readonly prefix: string };

export interface CloneOptions {
  readonly git: Git;
  /** Folder of the bare clones. */
  readonly cache: string;
  /** Runs `git fetch` with these arguments, as often as it takes. */
  readonly fetch: (args: readonly string[]) => Promise<GitResult>;
}

/** Where the clone of a remote is: told apart by its address without credentials, whatever the pin. */
export function clonePath(source: UrlSource, cache: string): string {
  const key = createHash("sha256").update(redact(source.url)).digest("hex").slice(0, 16);
  const name = source.parts
    .at(-1)!
    .replace(/[^\w.-]/g, "_")
    .slice(0, 60);
  return join(cache, `${name}-${key}.git`);
}

/** Whether a clone is there, and whether its history is cut off. */
export async function stateOf(git: Git, gitDir: string): Promise<"absent" | "full" | "shallow"> {
  const { status, stdout } = await git.run([`--git-dir=${gitDir}`, "rev-parse", "--is-shallow-repository"]);
  if (status !== 0) return "absent";
  return stdout.toString().trim() === "true" ? "shallow" : "full";
}

/** Whether a commit with its whole history is in a clone. Never of a cut-off one: its remote may have more by now. */
export async function isWhole(git: Git, gitDir: string, commit: string): Promise<boolean> {
  const at = (...args: string[]) => git.run([`--git-dir=${gitDir}`, ...args]);
  const marked = await at("rev-parse", "--is-shallow-repository", "--verify", "--quiet", `${marks}${commit}`);
  if (!marked.stdout.toString().startsWith("false\n")) return false;
  if (marked.status === 0) return true;
  const { status, stdout } = await at("for-each-ref", "--count=1", `--contains=${commit}`, marks);
  if (status !== 0 || stdout.length === 0) return false;
  await at("update-ref", `${marks}${commit}`, commit);
  return true;
}

/** Fetches into the clone in the cache. */
export async function updateClone(
  source: UrlSource,
  wanted: Wanted,
  options: CloneOptions,
): Promise<{ commit: string } | { reason: GitReason }> {
  return bring(clonePath(source, options.cache), source, wanted, options);
}

/**
 * Clones into the cache, in place of what stands there. A killed one leaves a folder beside it, which the next removes.
 *
 * @param options.sha256 whether the remote's ids are those of SHA-256
 */
export async function makeClone(
  source: UrlSource,
  wanted: Wanted,
  options: CloneOptions & { readonly sha256: boolean },
): Promise<{ commit: string } | { reason: GitReason }> {
  const { git, cache } = options;
  const gitDir = clonePath(source, cache);
  const fresh = `${gitDir}.building-${process.pid}`;
  const format = `--object-format=${options.sha256 ? "sha256" : "sha1"}`;
  await mkdir(cache, { recursive: true });
  await removeLeftovers(gitDir);
  try {
    const made = await git.run(["init", "--quiet", "--bare", "--template=", format, "--", fresh]);
    if (made.status !== 0) return { reason: reasonOf(made, cache) };
    const brought = await bring(fresh, source, wanted, options);
    if ("reason" in brought) return brought;
    await rm(gitDir, { recursive: true, force: true });
    await rename(fresh, gitDir);
    return brought;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function bring(
  gitDir: string,
  source: UrlSource,
  wanted: Wanted,
  { git, cache, fetch }: CloneOptions,
): Promise<{ commit: string } | { reason: GitReason }> {
  const incoming = `${marks}incoming-${process.pid}`;
  const at = (...args: string[]) => git.run([`--git-dir=${gitDir}`, ...args]);
  // Of a cut-off source the cut comes along; a clone that was cut off gets all that the source has now.
  const depth = ["--update-shallow", ...((await stateOf(git, gitDir)) === "shallow" ? ["--unshallow"] : [])];
  // Not --quiet: with it git tells no progress.
  const plain = ["--progress", "--force", "--no-tags", "--no-prune", "--no-write-fetch-head"];
  // Kept as packs: a thousand small files are slower to read.
  const command = ["-c", "fetch.unpackLimit=1", `--git-dir=${gitDir}`, "fetch", "--no-recurse-submodules"];
  const get = (refspecs: readonly string[]): Promise<GitResult> =>
    fetch([...command, ...plain, ...depth, "--", source.url, ...refspecs]);
  const exact = "ref" in wanted ? wanted.ref : "commit" in wanted ? wanted.commit : undefined;
  let result = await get(exact === undefined ? everything : [`+${exact}:${incoming}`]);
  let reason = result.status === 0 ? undefined : reasonOf(result, cache);
  // Some servers give a commit only by a name.
  if ("commit" in wanted && (reason === "no such ref" || reason === "failed")) {
    result = await get(everything);
    reason = result.status === 0 ? undefined : reasonOf(result, cache);
  }
  if (reason !== undefined) return { reason };
  const revision = "ref" in wanted ? incoming : "commit" in wanted ? wanted.commit : wanted.prefix;
  const { id, ambiguous } = await commitOf(git, gitDir, revision);
  await at("update-ref", "-d", incoming);
  if (id === undefined) return { reason: ambiguous === true ? "ambiguous ref" : "no such ref" };
  await at("update-ref", `${marks}${id}`, id);
  return { commit: id };
}

/** @throws UserError "disk", which no other source would escape */
function reasonOf(result: GitResult, cache: string): GitReason {
  if (/no space left on device|disk quota exceeded/i.test(result.stderr)) {
    throw new UserError("disk", `${cache}: no space left on the disk`, { hint: "free some space" });
  }
  return failureReason(result);
}
