/**
 * Data sets of the Hugging Face hub: their files at one commit, in the cache that the hub's own tools share. The only importer
 * of @huggingface/hub.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { datasetInfo, downloadFile, HubApiError, listFiles } from "@huggingface/hub";
import type { ListFileEntry } from "@huggingface/hub";
import { UserError } from "../errors.ts";
import { atomicStream, atomicWrite } from "./files.ts";

/** `owner/name` of a data set, at a branch, tag or commit. */
export interface HubId {
  readonly name: string;
  /** Default: the main branch. */
  readonly revision: string | undefined;
}

export interface Dataset {
  /** The folder that holds the files, at their paths in the data set. */
  readonly folder: string;
  /** That they are of. */
  readonly commit: string;
  /** Whether the hub was not asked, or did not answer: the folder then holds what was fetched earlier. */
  readonly isFromCache: boolean;
}

export interface FetchDatasetOptions {
  /** Whether a file is wanted, by its path in the data set. */
  readonly wanted: (path: string) => boolean;
  /** Bytes that all wanted files may have together. */
  readonly mostBytes: number;
  /** HF_ENDPOINT, HF_TOKEN, HF_HUB_CACHE, HF_HOME and HF_HUB_OFFLINE are read, as the hub's own tools do. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Hears files fetched, and how many are to be. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const ID = /^([A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*)(?:@([A-Za-z0-9][\w./-]*))?$/;
const COMMIT = /^[0-9a-f]{40}$/;

/** Reads `owner/name` or `owner/name@revision`; undefined for anything else. */
export function parseHubId(text: string): HubId | undefined {
  const [, name, revision] = ID.exec(text) ?? [];
  return name === undefined || /\.\.|\/\/|\/$/.test(text) ? undefined : { name, revision };
}

/**
 * Fetches the wanted files of a data set at one commit, those that are not in the cache already. Each is checked against the
 * hash that the hub lists (SHA-256 of large files, git's blob id of others) before it takes its place, so that the folder
 * never holds half a file; what was fetched before a stop is not fetched again. Where the hub does not answer, or
 * HF_HUB_OFFLINE is set, what the cache holds of the revision serves.
 *
 * @throws UserError "not-found" (no such data set or revision, or a private one), "empty" (no wanted file), "unsupported" (too
 *   large), "damaged" (a file that does not hash to what the hub lists), "unreachable" (no answer, and nothing in the cache)
 */
export async function fetchDataset(id: HubId, options: FetchDatasetOptions): Promise<Dataset> {
  const { environment } = options;
  const cache = join(cacheOf(environment), `datasets--${id.name.replace("/", "--")}`);
  if (isSet(environment["HF_HUB_OFFLINE"])) return fromCache(id, cache, "HF_HUB_OFFLINE is set", undefined);
  const access = await accessOf(environment);
  try {
    const commit = await commitOf(id, access);
    const folder = join(cache, "snapshots", commit);
    await fetchFiles(id, { ...options, ...access, commit, folder });
    if (!COMMIT.test(id.revision ?? "")) {
      await mkdir(join(cache, "refs"), { recursive: true });
      await atomicWrite(referenceOf(id, cache), commit);
    }
    return { folder, commit, isFromCache: false };
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (error instanceof HubApiError) throw refusal(id, error);
    return fromCache(id, cache, error instanceof Error ? error.message : String(error), error);
  }
}

interface Access {
  readonly hubUrl?: string;
  readonly accessToken?: string;
}

async function commitOf({ name, revision }: HubId, access: Access): Promise<string> {
  if (revision !== undefined && COMMIT.test(revision)) return revision;
  const at = revision === undefined ? {} : { revision };
  const { sha } = await datasetInfo({ name, ...at, additionalFields: ["sha"], ...access });
  if (COMMIT.test(sha)) return sha;
  throw new UserError("damaged", `the hub names ${JSON.stringify(sha)} as the commit of ${name}`, {
    hint: "try again",
  });
}

interface FetchFilesOptions extends FetchDatasetOptions, Access {
  readonly commit: string;
  readonly folder: string;
}

async function fetchFiles(id: HubId, options: FetchFilesOptions): Promise<void> {
  const { commit, folder, wanted, mostBytes, onProgress, environment: _, ...access } = options;
  const repo = { type: "dataset", name: id.name } as const;
  const files: ListFileEntry[] = [];
  for await (const file of listFiles({ repo, revision: commit, recursive: true, ...access })) {
    if (file.type === "file" && wanted(file.path)) files.push(file);
  }
  const named = `${id.name} at ${commit.slice(0, 12)}`;
  if (files.length === 0)
    throw new UserError("empty", `${named} holds no data files`, { hint: "name another data set" });
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (bytes > mostBytes) {
    throw new UserError("unsupported", `the data files of ${named} have ${bytes} bytes, more than ${mostBytes}`, {
      hint: "fetch a part of them yourself, and give that folder",
    });
  }
  for (const [i, file] of files.entries()) {
    onProgress?.(i, files.length);
    const path = join(folder, ...checkedParts(file.path, named));
    if (existsSync(path)) continue;
    const blob = await downloadFile({ repo, path: file.path, revision: commit, ...access });
    if (blob === null) throw new UserError("damaged", `${named} lists ${file.path}, which it does not have`);
    await mkdir(dirname(path), { recursive: true });
    await saveChecked(path, blob, file, named);
  }
  onProgress?.(files.length, files.length);
}

/** The parts of a path that the hub names, none of which may lead out of the folder. */
function checkedParts(path: string, named: string): string[] {
  const parts = path.split("/");
  const isWrong = (part: string): boolean => part === "" || part === "." || part === ".." || /[\\:\0]/.test(part);
  if (!parts.some(isWrong)) return parts;
  throw new UserError("damaged", `${named} lists a file with the path ${JSON.stringify(path)}`, {
    hint: "name another data set",
  });
}

async function saveChecked(path: string, blob: Blob, { size, oid, lfs }: ListFileEntry, named: string): Promise<void> {
  const hash = lfs === undefined ? createHash("sha1").update(`blob ${size}\0`) : createHash("sha256");
  await atomicStream(path, async (handle) => {
    let bytes = 0;
    for await (const chunk of blob.stream()) {
      bytes += chunk.length;
      if (bytes > size) break;
      hash.update(chunk);
      await handle.write(chunk);
    }
    const expected = lfs?.oid.replace(/^sha256:/, "") ?? oid;
    if (bytes === size && hash.digest("hex") === expected) return;
    throw new UserError("damaged", `${named}: what came for ${path} is not the file that the hub lists`, {
      hint: "try again",
    });
  });
}

/** What the cache holds of a revision. */
async function fromCache(id: HubId, cache: string, why: string, cause: unknown): Promise<Dataset> {
  const { name, revision } = id;
  const commit =
    revision !== undefined && COMMIT.test(revision)
      ? revision
      : (await readFile(referenceOf(id, cache), "utf8").catch(() => "")).trim();
  const folder = join(cache, "snapshots", commit);
  if (COMMIT.test(commit) && (await readdir(folder).catch(() => [])).length > 0)
    return { folder, commit, isFromCache: true };
  throw new UserError("unreachable", `${name} is not in the cache, and the hub was not reached (${why})`, {
    hint: "give the path of a file or folder if that was meant; else connect to the network",
    cause,
  });
}

function referenceOf({ revision = "main" }: HubId, cache: string): string {
  return join(cache, "refs", revision.replaceAll("/", "--"));
}

function refusal({ name, revision }: HubId, error: HubApiError): UserError {
  const of = revision === undefined ? name : `${name} at ${revision}`;
  const { statusCode } = error;
  if (statusCode === 404 || statusCode === 401 || statusCode === 403) {
    return new UserError(
      "not-found",
      `there is no data set ${of} on the hub, or it is not for everyone (${statusCode})`,
      {
        hint: "a path must exist as it is written; for a private data set set HF_TOKEN",
        cause: error,
      },
    );
  }
  return new UserError("unreachable", `the hub answered ${statusCode} for ${of}`, {
    hint: "try again later",
    cause: error,
  });
}

async function accessOf(environment: FetchDatasetOptions["environment"]): Promise<Access> {
  const { HF_ENDPOINT: hubUrl, HF_TOKEN: given } = environment;
  const file = environment["HF_TOKEN_PATH"] ?? join(homeOf(environment), "token");
  const accessToken = given ?? (await readFile(file, "utf8").catch(() => "")).trim();
  return { ...(hubUrl === undefined ? {} : { hubUrl }), ...(accessToken === "" ? {} : { accessToken }) };
}

function homeOf({ HF_HOME, XDG_CACHE_HOME }: FetchDatasetOptions["environment"]): string {
  return HF_HOME ?? join(XDG_CACHE_HOME ?? join(homedir(), ".cache"), "huggingface");
}

function cacheOf(environment: FetchDatasetOptions["environment"]): string {
  return environment["HF_HUB_CACHE"] ?? join(homeOf(environment), "hub");
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && !["", "0", "false", "no", "off"].includes(value.toLowerCase());
}
