/** Repositories for the genome's bench: a folder as one commit, and generated text of any size. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join, relative, sep } from "node:path";

type Files = AsyncIterable<{ readonly path: string; readonly content: string | Uint8Array }>;

/** Commits `files` into a bare repository at `place`; one that is there is taken as it is. */
async function commitInto(place: string, files: Files): Promise<void> {
  if (existsSync(place)) return;
  const fresh = `${place}.making`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  await git(["init", "--quiet", "--bare", "--template=", "--initial-branch=main", fresh]);
  const child = spawn("git", ["-C", fresh, "-c", "core.compression=1", "fast-import", "--quiet"], {
    stdio: ["pipe", "inherit", "inherit"],
  });
  const ended = once(child, "close");
  const say = async (piece: string | Uint8Array): Promise<void> => {
    if (!child.stdin.write(piece)) await once(child.stdin, "drain");
  };
  await say("commit refs/heads/main\ncommitter bench <bench@example.invalid> 1767225600 +0000\ndata 5\nbench\n");
  for await (const { path, content } of files) {
    const bytes = Buffer.from(content);
    await say(`M 100644 inline ${JSON.stringify(path)}\ndata ${bytes.length}\n`);
    await say(bytes);
    await say("\n");
  }
  child.stdin.end();
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`git fast-import ended with ${code}`);
  await rename(fresh, place);
}

async function git(args: readonly string[]): Promise<void> {
  const child = spawn("git", args, { stdio: ["ignore", "inherit", "inherit"] });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`git ${args.join(" ")} ended with ${code}`);
}

/** All files below a folder as one commit of a bare repository. */
export async function repositoryOfFolder(folder: string, place: string): Promise<void> {
  await commitInto(
    place,
    (async function* () {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      for (const entry of entries.filter((one) => one.isFile())) {
        const path = join(entry.parentPath, entry.name);
        yield { path: relative(folder, path).split(sep).join("/"), content: await readFile(path) };
      }
    })(),
  );
}

export interface Generated {
  readonly blobs: number;
  readonly nearDuplicates: number;
  readonly bytes: number;
}

const words = 40_000;
const blobBytes = 7000;

/**
 * Text of about `bytes` bytes: blobs of distinct sentences of random words, so that no two share 5-grams but by chance;
 * for each four of them one near-duplicate with one word in fifty replaced; and one blob of a tenth of all, up to 200 MB.
 */
export async function repositoryOfText(bytes: number, place: string): Promise<Generated> {
  const large = Math.min(200e6, bytes / 10);
  const blobs = Math.max(4, Math.floor((bytes - large) / blobBytes / 1.25));
  const nearDuplicates = Math.floor(blobs / 4);
  await commitInto(
    place,
    (async function* () {
      const random = generator(20261125);
      const vocabulary = Array.from({ length: words }, () => word(random));
      const draw = (): string => vocabulary[random() % words]!;
      const text = (size: number): string => {
        const pieces: string[] = [];
        for (let length = 0; length < size;) {
          const next = draw() + (random() % 12 === 0 ? ".\n" : " ");
          pieces.push(next);
          length += next.length;
        }
        return pieces.join("");
      };
      for (let i = 0; i < blobs; i++) {
        const content = text(blobBytes);
        const folder = `part-${String(Math.floor(i / 500)).padStart(4, "0")}`;
        yield { path: `${folder}/text-${i}.md`, content };
        if (i % 4 !== 0 || i / 4 >= nearDuplicates) continue;
        const copy = content.replaceAll(/\w+/g, (one) => (random() % 50 === 0 ? draw() : one));
        yield { path: `${folder}/text-${i}.copy.md`, content: copy };
      }
      yield { path: "one-large.txt", content: text(large) };
    })(),
  );
  return { blobs: blobs + nearDuplicates + 1, nearDuplicates, bytes };
}

/** 32-bit integers (xorshift32; Marsaglia, Journal of Statistical Software 8:14, 2003). */
function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function word(random: () => number): string {
  const length = 3 + (random() % 8);
  return Array.from({ length }, () => "abcdefghijklmnopqrstuvwxyz"[random() % 26]!).join("");
}
