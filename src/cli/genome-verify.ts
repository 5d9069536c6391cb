/** `chrysalis genome verify`: a finished genome against its hashes, its rows and its repositories. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { acquireLocked } from "../genome/acquire.ts";
import { verifyGenome } from "../genome/audit/verify.ts";
import type { VerifyCheck } from "../genome/audit/verify.ts";
import type { LockedRepository } from "../genome/gene.ts";
import { createGit } from "../genome/git.ts";
import { formatCount, formatDuration, oneLine } from "./format.ts";
import { showGenome } from "./pipeline/show-stages.ts";
import { defineVerb } from "./verb.ts";

export const genomeVerify = defineVerb({
  name: "genome verify",
  summary: "Check every byte of a genome, and its blobs in their repositories",
  usage: "DIR [--fetch]",
  positionals: [{ name: "DIR", help: "Folder of a genome" }],
  flags: {
    fetch: {
      kind: "switch",
      help: "Clone repositories that are not on this machine, to compare the blobs with theirs",
    },
    cache: { kind: "text", value: "DIR", help: "Where --fetch keeps the clones (default: DIR.clones)" },
  },
  examples: [
    { command: "chrysalis genome verify genome", does: "all that can be checked without a network" },
    {
      command: "chrysalis genome verify genome --fetch --json",
      does: "also against the remotes, for a program to read",
    },
  ],
  async run({ flags, positionals }, { cwd, env, signal, progress }) {
    const began = performance.now();
    const dir = resolve(cwd, positionals[0]!);
    const git = createGit({ env, signal });
    const network = { git, cache: resolve(cwd, flags.cache ?? `${dir}.clones`), onEvent: showGenome(progress) };
    const obtain = async (repository: LockedRepository): Promise<string | null> => {
      const { commit, tree, ...row } = repository;
      if (commit === null || tree === null || row.url === null) return null;
      const { repositories } = await acquireLocked([{ ...row, commit, tree }], [], network);
      return repositories[0]?.snapshot.gitDir ?? null;
    };
    if (existsSync(dir)) progress.update({ stage: "verifying", details: ["hashes"] });
    const { ok, checks, failures } = await verifyGenome(dir, {
      git,
      ...(flags.fetch ? { obtain } : {}),
      onEvent: (check) => progress.update({ stage: "verifying", details: [describe(check)] }),
    });
    progress.finish([`${formatCount(checks.length)} checks`]);
    return { dir, ok, checks, failures, seconds: (performance.now() - began) / 1000 };
  },
  failed: ({ ok }) => !ok,
  human: ({ dir, ok, checks, failures, seconds }) => {
    const row = (name: string, text: string): string => `${name.padEnd(9)}${oneLine(text, 2000)}`;
    return [
      `${dir}: ${ok ? "nothing is wrong" : "it is not what it should be"} (${formatDuration(seconds)})`,
      ...checks.map((check) => row(check.status, describe(check))),
      ...failures.map((line) => row("wrong", line)),
    ].join("\n");
  },
});

const names = {
  sums: "files against SHA256SUMS",
  lock: "repositories in the lock",
  texts: "texts of genome.txt against genes.jsonl",
  manifest: "entries of the manifest",
  blobs: "blobs against their repository",
} as const satisfies Record<VerifyCheck["check"], string>;

function describe({ check, repository, message, checked }: VerifyCheck): string {
  const of = repository === undefined ? "" : ` ${repository}`;
  return `${formatCount(checked)} ${names[check]}${of}${message === undefined ? "" : `: ${message}`}`;
}
