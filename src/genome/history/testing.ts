/** Little histories for tests: commits with the dates, messages and parents one wants, and objects to be lost. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { invariant } from "../../errors.ts";
import type { Git } from "../git.ts";
import type { Snapshot } from "../objects.ts";
import { openSnapshot } from "../objects.ts";
import { isolatedGit, mustRun } from "../testing.ts";

export interface TestCommit {
  /** What changes against the first parent; null deletes the file. */
  readonly files?: Readonly<Record<string, string | Uint8Array | null>>;
  /** Modes of the files above other than "100644". */
  readonly modes?: Readonly<Record<string, string>>;
  /** Seconds since 1970 and zone. Default: one hour later for each commit from 2026-01-01 on, "+0000". */
  readonly date?: string;
  readonly message?: string | Uint8Array;
  /** Indices of the parents in the list. Default: the commit before. */
  readonly parents?: readonly number[];
}

export interface TestHistory {
  readonly git: Git;
  /** The last commit of the list. */
  readonly snapshot: Snapshot;
  /** The ids of the commits, in the order of the list. */
  readonly commits: readonly string[];
}

/** Makes a bare repository with a history; keys of `files` are raw bytes as latin1. */
export async function makeHistory(
  folder: string,
  commits: readonly TestCommit[],
  objectFormat: "sha1" | "sha256" = "sha1",
): Promise<TestHistory> {
  const git = isolatedGit(folder);
  const gitDir = folder;
  await mustRun(git, "init", "--quiet", "--template=", "--bare", `--object-format=${objectFormat}`, "--", folder);
  const pieces: Buffer[] = [];
  const say = (text: string | Uint8Array): void => void pieces.push(Buffer.from(text));
  const data = (content: string | Uint8Array): void => {
    const bytes = Buffer.from(content);
    say(`data ${bytes.length}\n`);
    say(bytes);
    say("\n");
  };
  for (const [
    i,
    { files = {}, modes = {}, date, message = "x", parents = i > 0 ? [i - 1] : [] },
  ] of commits.entries()) {
    say("reset refs/heads/main\n");
    say(`commit refs/heads/main\nmark :${i + 1}\n`);
    say(`committer T <t@example.invalid> ${date ?? `${1767225600 + 3600 * i} +0000`}\n`);
    data(message);
    for (const [j, parent] of parents.entries()) say(`${j === 0 ? "from" : "merge"} :${parent + 1}\n`);
    for (const [path, content] of Object.entries(files)) {
      const quoted = `"${[...Buffer.from(path, "latin1")].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")}"`;
      if (content === null) {
        say(`D ${quoted}\n`);
        continue;
      }
      say(`M ${modes[path] ?? "100644"} inline ${quoted}\n`);
      data(content);
    }
  }
  for (const i of commits.keys()) say(`get-mark :${i + 1}\n`);
  const ids = (await converse(git, [`--git-dir=${gitDir}`, "fast-import", "--quiet", "--force"], Buffer.concat(pieces)))
    .trim()
    .split("\n");
  return { git, snapshot: await openSnapshot(git, gitDir, ids.at(-1)!, "test"), commits: ids };
}

/** Stores a commit object exactly as given, however wrong, and opens it. */
export async function storeCommit({ git, snapshot }: TestHistory, text: string): Promise<Snapshot> {
  const args = [`--git-dir=${snapshot.gitDir}`, "hash-object", "-t", "commit", "-w", "--literally", "--stdin"];
  const id = (await converse(git, args, Buffer.from(text, "latin1"))).trim();
  return { gitDir: snapshot.gitDir, commit: id, tree: snapshot.tree, shallow: false };
}

/** Removes an object, given in git's notation, from a repository of loose objects. */
export async function loseObject({ git, snapshot }: TestHistory, revision: string): Promise<void> {
  const id = (await mustRun(git, `--git-dir=${snapshot.gitDir}`, "rev-parse", revision)).trim();
  await rm(join(snapshot.gitDir, "objects", id.slice(0, 2), id.slice(2)));
}

async function converse(git: Git, args: readonly string[], input: Uint8Array): Promise<string> {
  const child = git.stream(args);
  child.stdin.end(input);
  let answer = "";
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) answer += chunk.toString();
  const { status, stderr } = await child.ended;
  invariant(status === 0, `git ${args.join(" ")}: ${stderr}`);
  return answer;
}
