/** Remote repositories: asked for what they serve, and brought into the cache folder with what moved since. */
import { setTimeout as delay } from "node:timers/promises";
import { UserError } from "../errors.ts";
import type { UserErrorCode } from "../errors.ts";
import { clonePath, isWhole, makeClone, stateOf, updateClone } from "./clone-cache.ts";
import type { Wanted } from "./clone-cache.ts";
import type { GenomeEvent } from "./events.ts";
import { failureReason, isTransient, overLimit } from "./git-reason.ts";
import type { GitReason } from "./git-reason.ts";
import type { Git, GitResult } from "./git.ts";
import { commitOf, findLocal, statOf } from "./local.ts";
import { openCommit, openSnapshot } from "./objects.ts";
import type { Snapshot } from "./objects.ts";
import { isCommitId, isCommitPrefix, refCandidates } from "./pins.ts";
import { describeSource, filePath, urlSource } from "./source.ts";
import type { UrlSource } from "./source.ts";

export interface RemoteOptions {
  readonly git: Git;
  /** Folder of the bare clones; made when a remote source needs it. */
  readonly cache: string;
  /** Milliseconds that a remote may take to name its refs (default 30,000). */
  readonly probeMs?: number;
  /** Milliseconds that one clone or fetch may take (default 1,800,000). */
  readonly transferMs?: number;
  /** Bytes that one clone or fetch may bring, as git tells them (default 16 GiB): a remote decides how much it sends. */
  readonly transferBytes?: number;
  /** Milliseconds before a transient failure is tried again, doubled each time (default 1,000; at most two retries). */
  readonly backOffMs?: number;
  readonly onEvent?: (event: GenomeEvent) => void;
}

/** A repository that could not be had. */
export interface Failed {
  readonly reason: GitReason;
}

/** What a remote serves for a pin. */
export interface Probed {
  readonly wanted: Wanted;
  /** The commit, as far as it is known before anything is fetched. */
  readonly commit: string | undefined;
  /** Whether the remote's ids are those of SHA-256. */
  readonly sha256: boolean;
  /** Whether the commit is known to be wholly in the cache. */
  readonly whole: boolean;
}

const retries = 2;
const tellMs = 200;

/** Asks a remote what it serves for a source's pin. A commit that is wholly in the cache is not asked for. */
export async function probe(source: UrlSource, options: RemoteOptions): Promise<Probed | Failed> {
  const { ref } = source;
  const { git, cache } = options;
  if (ref !== null && isCommitId(ref)) {
    const whole = await isWhole(git, clonePath(source, cache), ref);
    const refs = whole ? undefined : await listRefs(source, ["HEAD"], options);
    if (refs !== undefined && "reason" in refs) return refs;
    return { wanted: { commit: ref }, commit: ref, sha256: ref.length === 64, whole };
  }
  const names = ref === null ? ["HEAD"] : refCandidates(ref);
  const refs = await listRefs(source, ["HEAD", ...names], options);
  if ("reason" in refs) return refs;
  const sha256 = [...refs.values()].some((id) => id.length === 64);
  const name = names.find((candidate) => refs.has(candidate));
  if (name !== undefined) {
    return { wanted: { ref: name }, commit: refs.get(`${name}^{}`) ?? refs.get(name), sha256, whole: false };
  }
  if (ref === null) return { reason: "empty" };
  return isCommitPrefix(ref)
    ? { wanted: { prefix: ref }, commit: undefined, sha256, whole: false }
    : { reason: "no such ref" };
}

/**
 * Asks a remote for the commit that it serves now: of a branch or tag, or of its HEAD where `ref` is null. Of what
 * names a commit there is nothing to ask; it has the reason "no such ref" unless a branch or tag is called so.
 */
export async function remoteHead(
  { url, ref }: { readonly url: string; readonly ref: string | null },
  options: Omit<RemoteOptions, "cache" | "transferMs">,
): Promise<{ readonly head: string } | Failed> {
  const names = ref === null ? ["HEAD"] : refCandidates(ref);
  const refs = await listRefs(urlSource(url, ref), names, options);
  if ("reason" in refs) return refs;
  const name = names.find((candidate) => refs.has(candidate));
  if (name === undefined) return { reason: ref === null ? "empty" : "no such ref" };
  return { head: refs.get(`${name}^{}`) ?? refs.get(name)! };
}

/** The refs of these full names that a remote has, with what annotated tags lead to under `NAME^{}`. */
async function listRefs(
  source: UrlSource,
  names: readonly string[],
  options: Omit<RemoteOptions, "cache">,
): Promise<ReadonlyMap<string, string> | Failed> {
  const refused = await refuseFile(source, options.git);
  if (refused !== undefined) return refused;
  const timeoutMs = options.probeMs ?? 30_000;
  const wanted = new Set(names.flatMap((name) => [name, `${name}^{}`]));
  const args = ["ls-remote", "--quiet", "--", source.url, ...wanted];
  const result = await retrying(source, options, () => options.git.run(args, { timeoutMs }));
  if (result.status !== 0) return { reason: failureReason(result) };
  const lines = result.stdout.toString("utf8").matchAll(/^([0-9a-f]{40}|[0-9a-f]{64})\t(.+)$/gm);
  return new Map([...lines].map(([, id, name]) => [name!, id!] as const).filter(([name]) => wanted.has(name)));
}

/** A file URL is a repository on this machine, which the other side of git would read as it stands. */
async function refuseFile(source: UrlSource, git: Git): Promise<Failed | undefined> {
  const path = filePath(source.url);
  if (path === undefined) return undefined;
  try {
    const isThere = await statOf(path).then(
      () => true,
      () => false,
    );
    await findLocal(isThere ? path : `${path}.git`, git);
    return undefined;
  } catch (error) {
    return { reason: reasonOfError(error) };
  }
}

const reasonsByCode: Partial<Record<UserErrorCode, GitReason>> = {
  "not-found": "not found",
  "not-a-repository": "not a repository",
  empty: "empty",
  damaged: "damaged",
  invalid: "refused",
  unsupported: "refused",
};

/** What is wrong with a repository on this machine, in a word; anything that is not about the repository is thrown. */
export function reasonOfError(error: unknown): GitReason {
  const reason = error instanceof UserError ? reasonsByCode[error.code] : undefined;
  if (reason === undefined) throw error;
  return reason;
}

/** Clones a remote, or fetches into the clone that the cache holds, unless that one has the commit already. */
export async function transfer(
  source: UrlSource,
  { wanted, commit, sha256, whole }: Probed,
  options: RemoteOptions,
): Promise<{ snapshot: Snapshot; ref: string | null; how: "cloned" | "updated" | "unchanged" } | Failed> {
  const { git, cache } = options;
  const gitDir = clonePath(source, cache);
  const timeoutMs = options.transferMs ?? 1_800_000;
  const tell = tellTransfer(source, options.onEvent);
  const limit = options.transferBytes ?? 2 ** 34;
  const fetch = (args: readonly string[]): Promise<GitResult> =>
    retrying(source, options, async () => {
      let isOver = false;
      const onStderr = (text: string): "stop" | undefined => {
        tell(text);
        isOver ||= receivedBytes(text) > limit;
        return isOver ? "stop" : undefined;
      };
      const result = await git.run(args, { timeoutMs, onStderr });
      return isOver ? { ...result, status: null, stderr: overLimit, timedOut: false } : result;
    });
  const name = describeSource(source);
  const ref = (id: string): string | null => ("prefix" in wanted ? id : source.ref);
  const ready = async (id: string, how: "cloned" | "updated") => ({
    snapshot: await openSnapshot(git, gitDir, id, name),
    ref: ref(id),
    how,
  });
  const known = commit ?? ("prefix" in wanted ? (await commitOf(git, gitDir, wanted.prefix)).id : undefined);
  if (known !== undefined && (whole || (await isWhole(git, gitDir, known)))) {
    const snapshot = await openCommit(git, gitDir, known, { shallow: false, name });
    return { snapshot, ref: ref(known), how: "unchanged" };
  }
  if ((await stateOf(git, gitDir)) !== "absent") {
    const updated = await updateClone(source, wanted, { git, cache, fetch });
    if (!("reason" in updated)) return ready(updated.commit, "updated");
    // A killed git may have left locks or torn objects in the clone: then it is made anew.
    if (updated.reason !== "failed" && updated.reason !== "damaged") return updated;
  }
  const made = await makeClone(source, wanted, { git, cache, fetch, sha256 });
  return "reason" in made ? made : ready(made.commit, "cloned");
}

/** Reads git's progress off its messages. */
function tellTransfer(source: UrlSource, onEvent: RemoteOptions["onEvent"]): (text: string) => void {
  let told = 0;
  return (text) => {
    const last = [...text.matchAll(/\b(Receiving|Resolving) (?:objects|deltas): +(\d{1,3})%/g)].at(-1);
    if (last === undefined || performance.now() - told < tellMs) return;
    told = performance.now();
    const phase = last[1] === "Receiving" ? "receiving" : "resolving";
    onEvent?.({ type: "repository-transfer", url: describeSource(source), phase, percent: Number(last[2]) });
  };
}

const units: Readonly<Record<string, number>> = { bytes: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** The most that a piece of git's messages says to have received: "Receiving objects:  50% (5/10), 1.50 MiB | ...". */
function receivedBytes(text: string): number {
  const told = text.matchAll(/\bReceiving objects: [^,\r\n]*, ([\d.]+) (bytes|[KMG]iB)/g);
  return Math.max(0, ...[...told].map(([, amount, unit]) => Number(amount) * units[unit!]!));
}

async function retrying(
  source: UrlSource,
  { backOffMs = 1000, onEvent }: Pick<RemoteOptions, "backOffMs" | "onEvent">,
  attempt: () => Promise<GitResult>,
): Promise<GitResult> {
  for (let tried = 0, wait = backOffMs; ; tried++, wait *= 2) {
    const result = await attempt();
    if (result.status === 0 || tried === retries || !isTransient(result)) return result;
    const reason = failureReason(result);
    onEvent?.({ type: "repository-retry", url: describeSource(source), reason, seconds: wait / 1000 });
    await delay(wait);
  }
}
