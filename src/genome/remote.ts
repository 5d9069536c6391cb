/** Remote repositories: asked for their HEAD, cloned bare into a cache folder, brought up to date there. */
import { createHash } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { failureReason, isTransient } from "./git.ts";
import type { Git, GitReason, GitResult } from "./git.ts";
import { openSnapshot } from "./objects.ts";
import type { Snapshot } from "./objects.ts";
import { removeLeftovers } from "./publish.ts";
import { describeSource, redact } from "./source.ts";
import type { UrlSource } from "./source.ts";

export interface RemoteOptions {
  readonly git: Git;
  /** Folder of the bare clones; made when a remote source needs it. */
  readonly cache: string;
  /** Milliseconds that a remote may take to name its HEAD (default 30,000). */
  readonly probeMs?: number;
  /** Milliseconds that one clone or fetch may take (default 1,800,000). */
  readonly transferMs?: number;
  /** Milliseconds before a transient failure is tried again, doubled each time (default 1,000; at most two retries). */
  readonly backOffMs?: number;
}

/** A remote that could not be had. */
export interface Failed {
  readonly reason: GitReason;
}

/** Asks a remote for the commit of its HEAD. */
export async function probe(source: UrlSource, options: RemoteOptions): Promise<{ head: string } | Failed> {
  const timeoutMs = options.probeMs ?? 30_000;
  const result = await retrying(options, () =>
    options.git.run(["ls-remote", "--quiet", "--", source.url, "HEAD"], { timeoutMs }),
  );
  if (result.status !== 0) return { reason: failureReason(result) };
  const head = /^([0-9a-f]{40,64})\tHEAD$/m.exec(result.stdout.toString("latin1"))?.[1];
  return head === undefined ? { reason: "empty" } : { head };
}

/** Clones a remote, or fetches into the clone that the cache holds, unless that one has the commit already. */
export async function transfer(
  source: UrlSource,
  head: string,
  options: RemoteOptions,
): Promise<{ snapshot: Snapshot; how: "cloned" | "updated" | "unchanged" } | Failed> {
  const { git, cache } = options;
  const timeoutMs = options.transferMs ?? 1_800_000;
  const key = createHash("sha256").update(redact(source.url)).digest("hex").slice(0, 16);
  const gitDir = join(
    cache,
    `${source.parts
      .at(-1)!
      .replace(/[^\w.-]/g, "_")
      .slice(0, 60)}-${key}.git`,
  );
  const at = (...args: string[]): string[] => [`--git-dir=${gitDir}`, ...args];
  if ((await git.run(at("rev-parse", "--git-dir"))).status === 0) {
    if ((await git.run(at("rev-parse", "--quiet", "--verify", `refs/chrysalis/${head}`))).status === 0) {
      return { snapshot: await openSnapshot(git, gitDir, head, describeSource(source)), how: "unchanged" };
    }
    const fetch = at(
      "fetch",
      "--quiet",
      "--force",
      "--no-tags",
      "--no-write-fetch-head",
      "--",
      source.url,
      `+HEAD:refs/chrysalis/head`,
    );
    const result = await retrying(options, () => git.run(fetch, { timeoutMs }));
    if (result.status !== 0) return { reason: failureReason(result) };
    return { snapshot: await remember("refs/chrysalis/head"), how: "updated" };
  }
  await mkdir(cache, { recursive: true });
  await removeLeftovers(gitDir);
  const fresh = `${gitDir}.building-${process.pid}`;
  const clone = ["clone", "--quiet", "--bare", "--single-branch", "--no-tags", "--template=", "--", source.url, fresh];
  try {
    const result = await retrying(options, async () => {
      await rm(fresh, { recursive: true, force: true });
      return git.run(clone, { timeoutMs });
    });
    if (result.status !== 0) return { reason: failureReason(result) };
    // The address is given anew each time; a clone must not keep what it may carry.
    await git.run([`--git-dir=${fresh}`, "config", "--remove-section", "remote.origin"]);
    await rm(gitDir, { recursive: true, force: true });
    await rename(fresh, gitDir);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return { snapshot: await remember("HEAD"), how: "cloned" };

  /** Marks a commit as wholly here: its ref is written only after all its objects. */
  async function remember(revision: string): Promise<Snapshot> {
    const snapshot = await openSnapshot(git, gitDir, revision, describeSource(source));
    await git.run(at("update-ref", `refs/chrysalis/${snapshot.commit}`, snapshot.commit));
    return snapshot;
  }
}

async function retrying(options: RemoteOptions, attempt: () => Promise<GitResult>): Promise<GitResult> {
  for (let tried = 1, wait = options.backOffMs ?? 1000; ; tried++, wait *= 2) {
    const result = await attempt();
    if (result.status === 0 || tried === 3 || !isTransient(result)) return result;
    await delay(wait);
  }
}
