/** A hub, which is a repository with a README, a README file or a plain list, to the sources it names. */
import { basename, dirname } from "node:path";
import { UserError } from "../errors.ts";
import { readLimited } from "../formats/files.ts";
import { decodeText } from "./content/decode.ts";
import type { GenomeEvent } from "./events.ts";
import type { Git } from "./git.ts";
import { linkedRepositories, listedSources, pickReadme } from "./hub.ts";
import { noSuchPin, openLocal, statOf } from "./local.ts";
import { listTree, readBlobs } from "./objects.ts";
import type { Snapshot } from "./objects.ts";
import { probe, transfer } from "./remote.ts";
import type { RemoteOptions } from "./remote.ts";
import { describeSource, parseSource, redact } from "./source.ts";
import type { Source } from "./source.ts";

/** A page or list that is longer is none. */
const pageBytes = 16 << 20;

export interface HubSources {
  readonly sources: readonly Source[];
  /** Lines of a list that cannot be sources, without credentials. */
  readonly rejected: readonly string[];
}

/**
 * What a hub names. Only a list, which is a file on this machine, may name local paths; relative ones start from its
 * folder.
 *
 * @throws UserError "not-found", "not-a-repository", "unreachable", "empty", "damaged", "unsupported", "invalid"
 */
export async function hubSources(
  hub: string,
  options: RemoteOptions & { readonly onEvent: (event: GenomeEvent) => void },
): Promise<HubSources> {
  const source = parseSource(hub);
  const name = describeSource(source);
  const isFile = source.kind === "path" && source.ref === null && (await statOf(source.path)).isFile();
  const text = isFile
    ? decode(await readLimited(source.path, pageBytes), name)
    : decode(await readReadme(await bringHub(source, options), name, options.git), name);
  const listed = isFile ? listedSources(text, basename(source.path)) : undefined;
  const host = source.kind === "url" && !source.url.startsWith("file:") ? source.parts[0] : undefined;
  const texts = listed ?? linkedRepositories(text, host);
  if (texts.length === 0) {
    throw new UserError("empty", `the hub ${name} links no repository`, {
      hint: "Links such as https://github.com/owner/name count; name repositories as sources otherwise.",
    });
  }
  options.onEvent({ type: "hub", hub: name, links: texts.length });
  const folder = isFile ? dirname(source.path) : ".";
  const parse = (one: string): Source =>
    listed === undefined ? parseSource(one, { exists: () => false }) : parseSource(one, { folder });
  const sources: Source[] = [];
  const rejected: string[] = [];
  for (const one of texts) {
    try {
      sources.push(parse(one));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      rejected.push(redact(one));
    }
  }
  return { sources, rejected };
}

function decode(bytes: Uint8Array, name: string): string {
  const decoded = decodeText(bytes);
  if (typeof decoded !== "string") return decoded.text;
  throw new UserError("invalid", `the hub ${name} is not a text (${decoded})`, {
    hint: "Give a README or a list of links.",
  });
}

async function bringHub(source: Source, options: RemoteOptions): Promise<Snapshot> {
  if (source.kind === "path") {
    const opened = await openLocal(source.path, options.git, source);
    if ("reason" in opened) throw noSuchPin(source.path, source.ref, opened.reason);
    return opened.snapshot;
  }
  const probed = await probe(source, options);
  const ready = "reason" in probed ? probed : await transfer(source, probed, options);
  if (!("reason" in ready)) return ready.snapshot;
  const url = redact(source.url);
  throw new UserError("unreachable", `${describeSource(source)}: ${ready.reason}`, {
    hint: `Check the address, the network and your access: git ls-remote ${url}`,
  });
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
  for await (const blob of readBlobs(git, snapshot.gitDir, [entry.id], { limit: pageBytes })) {
    if ("damage" in blob) {
      throw new UserError("damaged", `the hub ${name}: blob ${entry.id} of ${path} is ${blob.damage}`, {
        hint: "Check the repository with git fsck, or clone it again.",
      });
    }
    if (blob.content !== null) return blob.content;
  }
  throw new UserError("invalid", `the hub ${name}: ${path} is larger than 16 MiB`, {
    hint: "Give a README or a list of links.",
  });
}
