/** Sources to repositories on this machine: local ones where they stand, remote ones cloned bare into a cache folder. */
import { readFile } from "node:fs/promises";
import { UserError } from "../errors.ts";
import { decodeText } from "./decode.ts";
import type { GenomeEvent } from "./events.ts";
import type { Git, GitReason } from "./git.ts";
import { linkedRepositories, pickReadme } from "./hub.ts";
import { openLocal, statOf } from "./local.ts";
import { listTree, readBlobs } from "./objects.ts";
import type { Snapshot } from "./objects.ts";
import { probe, transfer } from "./remote.ts";
import type { Failed, RemoteOptions } from "./remote.ts";
import { describeSource, parseSource, sourceKey } from "./source.ts";
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

export interface AcquireOptions extends RemoteOptions {
  readonly onEvent: (event: GenomeEvent) => void;
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
  const miss = (source: Source, named: boolean, reason: GitReason): undefined => {
    if (named) throw unreachable(source, reason);
    const url = describeSource(source);
    missing.push({ url, reason });
    options.onEvent({ type: "repository-missing", url, reason });
  };
  let done = 0;
  // All remotes are asked before any is cloned: what is wrong shows within seconds.
  const located = await mapLimit(list, parallel, async ({ source, named }) => {
    const bring = await locate(source, options);
    if ("reason" in bring) return miss(source, named, bring.reason);
    options.onEvent({ type: "repository-found", url: describeSource(source), done: ++done, total: list.length });
    return { source, named, bring };
  });
  const present = located.filter((entry) => entry !== undefined);
  done = 0;
  const acquired = await mapLimit(present, parallel, async ({ source, named, bring }) => {
    const result = await bring();
    if ("reason" in result) return miss(source, named, result.reason);
    const url = describeSource(source);
    options.onEvent({ type: "repository-ready", url, how: result.how, done: ++done, total: present.length });
    return { url: source.kind === "path" ? null : url, parts: source.parts, snapshot: result.snapshot };
  });
  const order = list.map(({ source }) => describeSource(source));
  return {
    repositories: acquired.filter((entry) => entry !== undefined),
    missing: missing.sort((a, b) => order.indexOf(a.url) - order.indexOf(b.url)),
  };
}

type Bring = () => Promise<{ snapshot: Snapshot; how: "local" | "cloned" | "updated" | "unchanged" } | Failed>;

/** Finds a repository without moving anything yet; what comes back brings it onto this machine. */
async function locate(source: Source, options: AcquireOptions): Promise<Bring | Failed> {
  if (source.kind === "path") {
    const snapshot = await openLocal(source.path, options.git);
    return async () => ({ snapshot, how: "local" });
  }
  const found = await probe(source, options);
  return "reason" in found ? found : () => transfer(source, found.head, options);
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
    const bring = await locate(source, options);
    const ready = "reason" in bring ? bring : await bring();
    if ("reason" in ready) throw unreachable(source, ready.reason);
    bytes = await readReadme(ready.snapshot, name, options.git);
  }
  const decoded = decodeText(bytes);
  if (typeof decoded === "string") {
    throw new UserError("invalid", `the hub ${name} is not a text (${decoded})`, {
      hint: "Give a README or a list of links.",
    });
  }
  return decoded.text;
}

async function readReadme(snapshot: Snapshot, name: string, git: Git): Promise<Uint8Array> {
  const entries = (await listTree(git, snapshot, name)).filter(({ mode }) => mode.startsWith("100"));
  const path = pickReadme(entries.map((entry) => Buffer.from(entry.path).toString()));
  const entry = entries.find((candidate) => Buffer.from(candidate.path).toString() === path);
  if (entry === undefined) {
    throw new UserError("empty", `the hub ${name} has no README`, {
      hint: "Give the file that links the repositories.",
    });
  }
  for await (const blob of readBlobs(git, snapshot.gitDir, [entry.id], { limit: 16 << 20 })) {
    if ("damage" in blob)
      throw new UserError("damaged", `the hub ${name}: blob ${entry.id} of ${path} is ${blob.damage}`);
    if (blob.content !== null) return blob.content;
  }
  throw new UserError("invalid", `the hub ${name}: ${path} is larger than 16 MiB`);
}

function unreachable(source: Source, reason: GitReason): UserError {
  const url = describeSource(source);
  return new UserError("unreachable", `${url}: ${reason}`, {
    hint: `Check the address, the network and your access: git ls-remote ${url}`,
  });
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
