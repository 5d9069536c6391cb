/** Little git repositories for tests, made with any bytes as names, independent of the user's git configuration. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { invariant } from "../errors.ts";
import { sha256OfFile } from "../formats/files.ts";
import { timedFiles } from "./audit/sums.ts";
import { createGit } from "./git.ts";
import type { Git } from "./git.ts";

export interface TestFile {
  readonly path: string | Uint8Array;
  readonly content: string | Uint8Array;
  /** Default "100644"; for "160000" the content is the commit id. */
  readonly mode?: string;
}

/** A folder that goes with the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "genome-test-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** An environment without the user's configuration of git; `settings` are given to git as if configured. */
export function isolatedEnvironment(home: string, settings: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const entries = Object.entries(settings);
  return {
    PATH: process.env["PATH"],
    HOME: home,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_COUNT: String(entries.length),
    ...Object.fromEntries(
      entries.flatMap(([key, value], i) => [
        [`GIT_CONFIG_KEY_${i}`, key],
        [`GIT_CONFIG_VALUE_${i}`, value],
      ]),
    ),
  };
}

export function isolatedGit(home: string): Git {
  return createGit({ env: isolatedEnvironment(home) });
}

/** SHA-256 of each file of a genome that the same commits give again, by name. */
export async function reproducibleHashes(dir: string): Promise<Record<string, string>> {
  const timed = new Set<string>(timedFiles);
  const names = (await readdir(dir)).filter((name) => !timed.has(name)).sort();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await sha256OfFile(join(dir, name))])));
}

/** Runs git and insists that it succeeds. */
export async function mustRun(git: Git, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await git.run(args);
  invariant(status === 0, `git ${args.join(" ")}: ${stderr}`);
  return stdout.toString();
}

/**
 * Plants a promisor remote and settings by which a repository might make git run commands.
 *
 * @returns the file that is there once one of the commands has run
 */
export async function plantCommands(git: Git, gitDir: string, folder: string): Promise<string> {
  const canary = join(folder, "canary");
  const command = `touch ${canary};`;
  const settings = {
    "core.repositoryFormatVersion": "1",
    "extensions.partialClone": "evil",
    "remote.evil.promisor": "true",
    "remote.evil.url": join(folder, "elsewhere"),
    "remote.evil.uploadpack": command,
    "core.sshCommand": command,
    "core.fsmonitor": command,
    "core.pager": command,
    "core.hooksPath": join(folder, "hooks"),
    "core.alternateRefsCommand": command,
    "filter.evil.clean": command,
    "filter.evil.smudge": command,
    "diff.external": command,
  };
  for (const [key, value] of Object.entries(settings)) await mustRun(git, `--git-dir=${gitDir}`, "config", key, value);
  return canary;
}

/**
 * Makes a repository in `folder` with one commit per list of files, each commit holding exactly its list.
 *
 * @returns the git directory
 */
export async function makeRepository(
  folder: string,
  commits: readonly (readonly TestFile[])[],
  options: { bare?: boolean; objectFormat?: "sha1" | "sha256" } = {},
): Promise<string> {
  const git = isolatedGit(folder);
  const shape = options.bare === true ? ["--bare"] : [];
  const format = `--object-format=${options.objectFormat ?? "sha1"}`;
  await mustRun(git, "init", "--quiet", "--template=", "--initial-branch=main", format, ...shape, "--", folder);
  const gitDir = options.bare === true ? folder : join(folder, ".git");
  await addCommits(git, gitDir, commits);
  return gitDir;
}

/** Adds commits to a repository's main branch, without a work tree. */
export async function addCommits(git: Git, gitDir: string, commits: readonly (readonly TestFile[])[]): Promise<void> {
  let parent =
    (await git.run([`--git-dir=${gitDir}`, "rev-parse", "--quiet", "--verify", "refs/heads/main"])).status === 0;
  const pieces: Buffer[] = [];
  const say = (text: string | Uint8Array): void => void pieces.push(Buffer.from(text));
  for (const files of commits) {
    say("commit refs/heads/main\ncommitter T <t@example.invalid> 1767225600 +0000\ndata 1\nx\n");
    if (parent) say("from refs/heads/main^0\n");
    parent = false; // Later commits of one import follow each other by themselves.
    say("deleteall\n");
    for (const { path, content, mode = "100644" } of files) {
      const quoted = [...Buffer.from(path)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
      if (mode === "160000") {
        say(`M 160000 ${Buffer.from(content).toString()} "${quoted}"\n`);
        continue;
      }
      const bytes = Buffer.from(content);
      say(`M ${mode} inline "${quoted}"\ndata ${bytes.length}\n`);
      say(bytes);
      say("\n");
    }
  }
  const child = git.stream([`--git-dir=${gitDir}`, "fast-import", "--quiet"]);
  child.stdout.resume();
  child.stdin.end(Buffer.concat(pieces));
  const { status, stderr } = await child.ended;
  invariant(status === 0, `git fast-import: ${stderr}`);
}
