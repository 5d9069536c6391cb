/** Sources to repositories on this machine: local ones where they stand, remote ones cloned bare into a cache folder. */
import { createHash } from "node:crypto";
import { mkdir, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { asUserError } from "../formats/files.ts";
import { UserError } from "../errors.ts";
import { decodeText } from "./decode.ts";
import type { GenomeEvent } from "./events.ts";
import { failureReason, isTransient } from "./git.ts";
import type { Git, GitReason, GitResult } from "./git.ts";
import { linkedRepositories, pickReadme } from "./hub.ts";
import { listTree, openSnapshot, readBlobs } from "./objects.ts";
import type { Snapshot } from "./objects.ts";
import { describeSource, parseSource, redact, sourceKey } from "./source.ts";
import type { Source } from "./source.ts";

export interface Acquired {
  /** Where it came from, without credentials; null for a local path, which other machines do not share. */
  readonly url: string | null;
  readonly parts: readonly string[];
  readonly snapshot: Snapshot;
}

export interface Missing {
  readonly url: string;
  readonly reason: GitReason;
}

export interface AcquireOptions {
  readonly git: Git;
  /** Folder of the bare clones; made when a remote source needs it. */
  readonly cache: string;
  readonly onEvent: (event: GenomeEvent) => void;
  /** Milliseconds that a remote may take to name its HEAD (default 30,000). */
  readonly probeMs?: number;
  /** Milliseconds that one clone or fetch may take (default 1,800,000). */
  readonly transferMs?: number;
  /** Milliseconds before a transient failure is tried again, doubled each time (default 1,000; at most two retries). */
  readonly backOffMs?: number;
}

const parallel = 8;

/**
 * Brings every source, and every repository that the hub links, onto this machine. A link of the hub that cannot be
 * had is reported and left out; a source that the user named must be had.
 *
 * @throws UserError "not-found", "not-a-repository", "unreachable", "empty", "invalid"
 */
export async function acquire(
  sources: readonly string[],
  hub: string | undefined,
  options: AcquireOptions,
): Promise<{ repositories: Acquired[]; missing: Missing[] }> {
  const wanted = new Map<string, { source: Source; named: boolean }>();
  for (const text of sources) {
    const source = parseSource(text);
    wanted.set(sourceKey(source), { source, named: true });
  }
  if (hub !== undefined) {
    for (const link of await hubLinks(hub, options)) {
      const source = parseSource(link);
      if (!wanted.has(sourceKey(source))) wanted.set(sourceKey(source), { source, named: false });
    }
  }
  const missing: Missing[] = [];
  const list = [...wanted.values()];
  let done = 0;
  // All remotes are asked before any is cloned: what is wrong shows within seconds.
  const located = await mapLimit(list, parallel, async ({ source, named }) => {
    const found = source.kind === "path" ? await openLocal(source, options.git) : await probe(source, options);
    const url = describeSource(source);
    if ("reason" in found) {
      if (named) throw unreachable(source, found.reason);
      missing.push({ url, reason: found.reason });
      options.onEvent({ type: "repository-missing", url, reason: found.reason });
      return undefined;
    }
    options.onEvent({ type: "repository-found", url, done: ++done, total: list.length });
    return { source, named, found };
  });
  const present = located.filter((entry) => entry !== undefined);
  done = 0;
  const acquired = await mapLimit(present, parallel, async ({ source, named, found }) => {
    const url = describeSource(source);
    const result = "snapshot" in found ? { ...found, how: "local" as const } : await transfer(source, found.head, options);
    if ("reason" in result) {
      if (named) throw unreachable(source, result.reason);
      missing.push({ url, reason: result.reason });
      options.onEvent({ type: "repository-missing", url, reason: result.reason });
      return undefined;
    }
    options.onEvent({ type: "repository-ready", url, how: result.how, done: ++done, total: present.length });
    return { url: source.kind === "path" ? null : url, parts: source.parts, snapshot: result.snapshot };
  });
  const order = list.map(({ source }) => describeSource(source));
  return {
    repositories: acquired.filter((entry) => entry !== undefined),
    missing: missing.sort((a, b) => order.indexOf(a.url) - order.indexOf(b.url)),
  };
}

async function hubLinks(hub: string, options: AcquireOptions): Promise<string[]> {
  const source = parseSource(hub);
  const page = await hubPage(source, options);
  const host = source.kind === "url" && !source.url.startsWith("file:") ? source.parts[0] : undefined;
  const links = linkedRepositories(page, host);
  if (links.length === 0) {
    throw new UserError("empty", `the hub ${describeSource(source)} links no repository`, {
      hint: "Links such as https://github.com/owner/name count; name repositories as sources otherwise.",
    });
  }
  options.onEvent({ type: "hub", hub: describeSource(source), links: links.length });
  return links;
}

async function hubPage(source: Source, options: AcquireOptions): Promise<string> {
  const name = describeSource(source);
  let bytes: Uint8Array;
  if (source.kind === "path" && (await statOf(source.path)).isFile()) {
    bytes = await readFile(source.path);
  } else {
    const found = source.kind === "path" ? await openLocal(source, options.git) : await probe(source, options);
    if ("reason" in found) throw unreachable(source, found.reason);
    const ready = "snapshot" in found ? found : await transfer(source, found.head, options);
    if ("reason" in ready) throw unreachable(source, ready.reason);
    bytes = await readReadme(ready.snapshot, name, options.git);
  }
  const decoded = decodeText(bytes);
  if (typeof decoded === "string") {
    throw new UserError("invalid", `the hub ${name} is not a text (${decoded})`, { hint: "Give a README or a list of links." });
  }
  return decoded.text;
}

async function readReadme(snapshot: Snapshot, name: string, git: Git): Promise<Uint8Array> {
  const entries = (await listTree(git, snapshot, name)).filter(({ mode }) => mode.startsWith("100"));
  const path = pickReadme(entries.map((entry) => Buffer.from(entry.path).toString()));
  const entry = entries.find((candidate) => Buffer.from(candidate.path).toString() === path);
  if (entry === undefined) {
    throw new UserError("empty", `the hub ${name} has no README`, { hint: "Give the file that links the repositories." });
  }
  for await (const blob of readBlobs(git, snapshot.gitDir, [entry.id], { limit: 16 << 20 })) {
    if ("damage" in blob) throw new UserError("damaged", `the hub ${name}: blob ${entry.id} of ${path} is ${blob.damage}`);
    if (blob.content !== null) return blob.content;
  }
  throw new UserError("invalid", `the hub ${name}: ${path} is larger than 16 MiB`);
}

async function statOf(path: string): Promise<Awaited<ReturnType<typeof stat>>> {
  try {
    return await stat(path);
  } catch (error) {
    throw asUserError(error, path);
  }
}

/** A repository where it stands; only the folder itself counts, never a repository around it. */
async function openLocal(source: Extract<Source, { kind: "path" }>, git: Git): Promise<{ snapshot: Snapshot }> {
  const { path } = source;
  const isFolder = (await statOf(path)).isDirectory();
  const real = await realpath(path);
  const { status, stdout, stderr } = isFolder
    ? await git.run(["-C", real, "rev-parse", "--absolute-git-dir"], { env: { GIT_CEILING_DIRECTORIES: dirname(real) } })
    : { status: 1, stdout: Buffer.alloc(0), stderr: "" };
  if (/dubious ownership/.test(stderr)) {
    throw new UserError("invalid", `${path} belongs to another user, so git does not read it`, {
      hint: `If you trust it: git config --global --add safe.directory '${real}'`,
    });
  }
  if (status !== 0) {
    throw new UserError("not-a-repository", `${path} is not a git repository`, {
      hint: "Give the root folder of a repository, or make one there: git init, git add, git commit.",
    });
  }
  const gitDir = stdout.toString().replace(/\n$/, "");
  return { snapshot: await openSnapshot(git, gitDir, "HEAD", path) };
}

type Failed = { readonly reason: GitReason };

function unreachable(source: Source, reason: GitReason): UserError {
  const url = describeSource(source);
  return new UserError("unreachable", `${url}: ${reason}`, { hint: `Check the address, the network and your access: git ls-remote ${url}` });
}

/** Asks a remote for the commit of its HEAD. */
async function probe(source: Extract<Source, { kind: "url" }>, options: AcquireOptions): Promise<{ head: string } | Failed> {
  const timeoutMs = options.probeMs ?? 30_000;
  const result = await retrying(options, () => options.git.run(["ls-remote", "--quiet", "--", source.url, "HEAD"], { timeoutMs }));
  if (result.status !== 0) return { reason: failureReason(result) };
  const head = /^([0-9a-f]{40,64})\tHEAD$/m.exec(result.stdout.toString("latin1"))?.[1];
  return head === undefined ? { reason: "empty" } : { head };
}

/** Clones a remote, or fetches into the clone that the cache holds, unless that one has the commit already. */
async function transfer(
  source: Source,
  head: string,
  options: AcquireOptions,
): Promise<{ snapshot: Snapshot; how: "cloned" | "updated" | "unchanged" } | Failed> {
  if (source.kind === "path") return { reason: "failed" };
  const { git, cache } = options;
  const timeoutMs = options.transferMs ?? 1_800_000;
  const key = createHash("sha256").update(redact(source.url)).digest("hex").slice(0, 16);
  const gitDir = join(cache, `${source.parts.at(-1)!.replace(/[^\w.-]/g, "_").slice(0, 60)}-${key}.git`);
  const at = (...args: string[]): string[] => [`--git-dir=${gitDir}`, ...args];
  if ((await git.run(at("rev-parse", "--git-dir"))).status === 0) {
    if ((await git.run(at("rev-parse", "--quiet", "--verify", `refs/chrysalis/${head}`))).status === 0) {
      return { snapshot: await openSnapshot(git, gitDir, head, source.url), how: "unchanged" };
    }
    const fetch = at("fetch", "--quiet", "--force", "--no-tags", "--no-write-fetch-head", "--", source.url, `+HEAD:refs/chrysalis/head`);
    const result = await retrying(options, () => git.run(fetch, { timeoutMs }));
    if (result.status !== 0) return { reason: failureReason(result) };
    return { snapshot: await remember("refs/chrysalis/head"), how: "updated" };
  }
  await mkdir(cache, { recursive: true });
  const fresh = `${gitDir}.tmp-${process.pid}`;
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

async function retrying(options: AcquireOptions, attempt: () => Promise<GitResult>): Promise<GitResult> {
  for (let tried = 1, wait = options.backOffMs ?? 1000; ; tried++, wait *= 2) {
    const result = await attempt();
    if (result.status === 0 || tried === 3 || !isTransient(result)) return result;
    await delay(wait);
  }
}

/** Maps with at most `limit` calls under way; after a failure no new one starts, and it is thrown once all have ended. */
async function mapLimit<T, R>(items: readonly T[], limit: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const failures: unknown[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const i = next++;
      try {
        results[i] = await work(items[i]!);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}
