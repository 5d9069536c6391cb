/** The versions of files as the genome would hold them: blobs verified, decoded, masked, the latest ones remembered. */
import { invariant } from "../../errors.ts";
import type { Git } from "../git.ts";
import { readBlobs } from "../objects.ts";
import type { BlobAnswer } from "../objects.ts";

/** A text after masking, with the number of things masked by kind. */
export interface Cleaned {
  readonly text: string;
  readonly masked: Readonly<Record<string, number>>;
}

/** A version's masked text, or in one word why there is none. */
export type Version = Cleaned | string;

export interface VersionReader {
  /** The text of a blob, or why the file has none, in a word for the counts. */
  readonly read: (
    bytes: Uint8Array,
    file: { readonly repository: string; readonly path: string },
  ) => { readonly text: string } | string;
  readonly clean: (text: string) => Cleaned | Promise<Cleaned>;
}

interface VersionKey {
  readonly blob: string;
  readonly path: string;
}

/** The two blobs between which a file changed. */
export interface BlobPair {
  readonly path: string;
  readonly oldId: string;
  readonly newId: string;
}

/** UTF-16 units of text that are remembered: an older version of a file comes up again as its next change's newer one. */
const cacheUnits = 8 << 20;

/**
 * Makes a function that reads the two versions of each of a batch of changes, in their order, with one git process.
 *
 * @param options.limit blobs of more bytes are "too-large"
 */
export function createPairReader(
  git: Git,
  gitDir: string,
  repository: string,
  options: VersionReader & { readonly limit: number },
): (changes: readonly BlobPair[]) => AsyncGenerator<readonly [old: Version, next: Version], void, void> {
  const cache = new Map<string, Version>();
  let units = 0;
  const keep = (name: string, version: Version): void => {
    cache.set(name, version);
    units += size(name, version);
    for (const [oldest, old] of cache) {
      if (units <= cacheUnits || oldest === name) break;
      cache.delete(oldest);
      units -= size(oldest, old);
    }
  };
  const toVersion = async (answer: BlobAnswer, path: string): Promise<Version> => {
    if ("damage" in answer) return "damaged";
    if (answer.content === null) return "too-large";
    const file = options.read(answer.content, { repository, path });
    return typeof file === "string" ? file : options.clean(file.text);
  };
  async function* readAll(keys: readonly VersionKey[]): AsyncGenerator<{ name: string; version: Version }, void, void> {
    let next = 0;
    const ids = keys.map(({ blob }) => blob);
    for await (const answer of readBlobs(git, gitDir, ids, { limit: options.limit })) {
      const key = keys[next++]!;
      const found = { name: nameOf(key), version: await toVersion(answer, key.path) };
      keep(found.name, found.version);
      yield found;
    }
  }

  return async function* (changes) {
    const keys = changes.flatMap(({ path, oldId, newId }) => [oldId, newId].map((blob) => ({ blob, path })));
    const waiting = new Map(keys.map((key) => [nameOf(key), key]));
    for (const name of waiting.keys()) if (cache.has(name)) waiting.delete(name);
    const reading = readAll([...waiting.values()]);
    const read = async (key: VersionKey): Promise<Version> => {
      const name = nameOf(key);
      const known = cache.get(name);
      if (known !== undefined) {
        cache.delete(name); // To the end: the map is in the order of last use.
        cache.set(name, known);
        return known;
      }
      while (waiting.has(name)) {
        const { value } = await reading.next();
        invariant(value, "every blob that is asked for gets an answer");
        waiting.delete(value.name);
        if (value.name === name) return value.version;
      }
      // It was remembered when the batch began, or read for an earlier change, and is forgotten by now.
      for await (const { version } of readAll([key])) return version;
      invariant(false, "every blob that is asked for gets an answer");
    };
    try {
      for (let i = 0; i < keys.length; i += 2) yield [await read(keys[i]!), await read(keys[i + 1]!)];
    } finally {
      await reading.return();
    }
  };
}

function nameOf({ blob, path }: VersionKey): string {
  return `${blob} ${path}`;
}

function size(name: string, version: Version): number {
  return name.length + (typeof version === "string" ? 0 : version.text.length) + 100; // 100: the entry itself.
}
