/** Sources to repositories on this machine: local ones where they stand, remote ones cloned bare into a cache folder. */
import { UserError } from "../errors.ts";
import type { GenomeEvent } from "./events.ts";
import type { GitReason } from "./git-reason.ts";
import { hubSources } from "./hub-sources.ts";
import { noSuchPin, openLocal } from "./local.ts";
import type { LockRow } from "./lock.ts";
import { mapLimit } from "./map-limit.ts";
import type { Snapshot } from "./objects.ts";
import { probe, reasonOfError, transfer } from "./remote.ts";
import type { Failed, RemoteOptions } from "./remote.ts";
import { describeSource, parseSource, redact, sourceKey, urlSource } from "./source.ts";
import type { Source } from "./source.ts";

/** One repository that is here now. */
export interface Acquired {
  /** Where it came from, without credentials; null for a local path, which other machines do not share. */
  readonly url: string | null;
  /** The branch or tag it was pinned to, or the full id of the commit; null for HEAD. */
  readonly ref: string | null;
  readonly parts: readonly string[];
  readonly snapshot: Snapshot;
  /** Whether objects came from the remote just now. */
  readonly fetched: boolean;
}

/** One source that could not be had. */
export interface Missing {
  /** The source without credentials, with its pin. */
  readonly url: string;
  readonly reason: GitReason;
}

export interface Acquisition<R extends Acquired = Acquired> {
  readonly repositories: R[];
  readonly missing: Missing[];
}

export interface AcquireOptions extends RemoteOptions {
  readonly onEvent: (event: GenomeEvent) => void;
}

const parallel = 8;

/** One repository that is wanted. */
interface Request<K> {
  readonly source: Source;
  /** How it is called where it is missing. */
  readonly url: string;
  /** What of a local source is the user's mistake where it is wrong, and ends everything: also its pin, its place, nothing. */
  readonly strict: "pin" | "place" | "no";
  readonly key: K;
}

/**
 * Brings every source, and every repository that the hub names, onto this machine. What cannot be had is reported and
 * left out, also when nothing is left; a local path that the user named himself must be a repository.
 *
 * @throws UserError "not-found", "not-a-repository", "empty", "damaged", "unsupported" (a local path, or the hub),
 * "unreachable" (the hub), "invalid" (a source, the hub, or one repository with two pins), "no-git", "disk",
 * "interrupted"
 */
export async function acquire(
  sources: readonly string[],
  hub: string | undefined,
  options: AcquireOptions,
): Promise<Acquisition> {
  const wanted = new Map<string, Request<null>>();
  for (const text of sources) {
    const source = parseSource(text);
    const former = wanted.get(sourceKey(source))?.source;
    if (former !== undefined && former.ref !== source.ref) {
      throw new UserError("invalid", `${describeSource(former)} and ${describeSource(source)} are one repository`, {
        hint: "Name it once, with one pin.",
      });
    }
    wanted.set(sourceKey(source), { source, url: describeSource(source), strict: "pin", key: null });
  }
  const missing: Missing[] = [];
  if (hub !== undefined) {
    const named = await hubSources(hub, options);
    for (const source of named.sources) {
      const request: Request<null> = { source, url: describeSource(source), strict: "no", key: null };
      if (!wanted.has(sourceKey(source))) wanted.set(sourceKey(source), request);
    }
    for (const url of named.rejected) miss(missing, { url, reason: "not a source" }, options);
  }
  const brought = await bringAll([...wanted.values()], options);
  return {
    repositories: brought.repositories.map(({ repository }) => repository),
    missing: [...missing, ...brought.missing],
  };
}

/**
 * Brings exactly the commits of a lock onto this machine, under its names.
 *
 * @param folders the local repositories that the lock knows by name only: a row without a URL is the folder whose path
 * ends in the row's name
 * @throws UserError "invalid" (a folder that no row means, two folders for one row, or a URL among them), "mismatch" (a
 * tree that is not its commit's), and as `acquire` for local repositories
 */
export async function acquireLocked(
  rows: readonly LockRow[],
  folders: readonly string[],
  options: AcquireOptions,
): Promise<Acquisition<Acquired & { readonly name: string }>> {
  const places = placesOf(rows, folders);
  const missing: Missing[] = [];
  const requests: Request<LockRow>[] = [];
  for (const row of rows) {
    if (row.url !== null) {
      const source = urlSource(row.url, row.commit);
      requests.push({ source, url: describeSource({ ...source, ref: row.ref }), strict: "no", key: row });
      continue;
    }
    const place = places.get(row);
    if (place === undefined) miss(missing, { url: row.name, reason: "no folder given" }, options);
    else requests.push({ source: { ...place, ref: row.commit }, url: place.path, strict: "place", key: row });
  }
  const brought = await bringAll(requests, options);
  missing.push(...brought.missing);
  const repositories: (Acquired & { readonly name: string })[] = [];
  for (const { repository, key: row } of brought.repositories) {
    const { snapshot } = repository;
    if (snapshot.tree !== row.tree) {
      throw new UserError("mismatch", `${row.name}: the lock says tree ${row.tree}, commit ${row.commit} has another`, {
        hint: "The lock file was altered; take it from where it was written.",
      });
    }
    if (snapshot.shallow && !row.shallow) {
      miss(missing, { url: repository.url ?? row.name, reason: "shallow" }, options);
      continue;
    }
    const { name, ref, shallow } = row;
    repositories.push({ ...repository, name, ref, snapshot: { ...snapshot, shallow } });
  }
  return { repositories, missing };
}

/** Which folder is which row of a lock that has no URL. */
function placesOf(
  rows: readonly LockRow[],
  folders: readonly string[],
): ReadonlyMap<LockRow, Source & { kind: "path" }> {
  const places = new Map<LockRow, Source & { kind: "path" }>();
  for (const text of folders) {
    const source = parseSource(text);
    if (source.kind !== "path" || source.ref !== null) {
      throw new UserError("invalid", `${describeSource(source)} is named beside a lock, which pins everything itself`, {
        hint: "Beside a lock name only the folders of its local repositories.",
      });
    }
    const path = `/${source.parts.join("/")}`;
    const [row] = rows
      .filter(({ name, url }) => url === null && path.endsWith(`/${name}`))
      .sort((a, b) => b.name.length - a.name.length);
    if (row === undefined || places.has(row)) {
      const problem =
        row === undefined ? "no local repository of the lock has its name" : `the lock has one ${row.name}`;
      throw new UserError("invalid", `${source.path}: ${problem}`, {
        hint: "Name the folders of the lock's local repositories, each once, under the names they had.",
      });
    }
    places.set(row, source);
  }
  return places;
}

/** The error of a build for which nothing could be had. */
export function nothingHad(missing: readonly Missing[]): UserError {
  const [first, ...others] = missing;
  const url = first?.url ?? "any source";
  const more = others.length === 0 ? "" : `, and none of the ${others.length} others can be had`;
  return new UserError("unreachable", `${url}: ${first?.reason ?? "failed"}${more}`, {
    hint: `Check the address, the network and your access: git ls-remote ${url}`,
  });
}

function miss(missing: Missing[], entry: Missing, { onEvent }: AcquireOptions): void {
  missing.push(entry);
  onEvent({ type: "repository-missing", ...entry });
}

type Bring = () => Promise<(Pick<Acquired, "ref" | "snapshot"> & { how: Brought }) | Failed>;
type Brought = "local" | "cloned" | "updated" | "unchanged";

/** Brings what can be had, in the order given, and tells of the rest. */
async function bringAll<K>(
  requests: readonly Request<K>[],
  options: AcquireOptions,
): Promise<{ repositories: { repository: Acquired; key: K }[]; missing: Missing[] }> {
  const reasons = new Map<Request<K>, GitReason>();
  const failed = (request: Request<K>, reason: GitReason): undefined => {
    reasons.set(request, reason);
    options.onEvent({ type: "repository-missing", url: request.url, reason });
  };
  let done = 0;
  // All remotes are asked before any is cloned: what is wrong shows within seconds.
  const located = await mapLimit(requests, parallel, async (request) => {
    const bring = await locate(request, options);
    if ("reason" in bring) return failed(request, bring.reason);
    options.onEvent({ type: "repository-found", url: request.url, done: ++done, total: requests.length });
    return { request, bring };
  });
  const present = located.filter((entry) => entry !== undefined);
  done = 0;
  const brought = await mapLimit(present, parallel, async ({ request, bring }) => {
    const result = await bring();
    if ("reason" in result) return failed(request, result.reason);
    const { how, ref, snapshot } = result;
    options.onEvent({ type: "repository-ready", url: request.url, how, done: ++done, total: present.length });
    const { source, key } = request;
    const url = source.kind === "path" ? null : redact(source.url);
    const fetched = how === "cloned" || how === "updated";
    return { repository: { url, ref, parts: source.parts, snapshot, fetched }, key };
  });
  const missing = requests.flatMap((request) => {
    const reason = reasons.get(request);
    return reason === undefined ? [] : [{ url: request.url, reason }];
  });
  return { repositories: brought.filter((entry) => entry !== undefined), missing };
}

/** Finds a repository without moving anything yet; what comes back brings it onto this machine. */
async function locate({ source, strict }: Request<unknown>, options: AcquireOptions): Promise<Bring | Failed> {
  if (source.kind === "path") {
    try {
      const opened = await openLocal(source.path, options.git, source);
      if ("reason" in opened && strict === "pin") throw noSuchPin(source.path, source.ref, opened.reason);
      if ("reason" in opened) return opened;
      return async () => ({ ...opened, how: "local" });
    } catch (error) {
      if (strict !== "no") throw error;
      return { reason: reasonOfError(error) };
    }
  }
  const probed = await probe(source, options);
  return "reason" in probed ? probed : () => transfer(source, probed, options);
}
