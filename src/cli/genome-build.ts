/** `chrysalis genome build`: repositories to a genome directory, verified and reproducible. */

import { resolve } from "node:path";
import { UserError } from "../errors.ts";
import { describeDamage } from "../genome/audit/damage.ts";
import { buildGenome } from "../genome/build.ts";
import { formatBytes, formatCount, formatDuration, formatMany, oneLine } from "./format.ts";
import { counts } from "./genome-lines.ts";
import { checkModelPath } from "./model-path.ts";
import { peakMemoryOfProcess } from "./pipeline/peak-memory.ts";
import { showGenome } from "./pipeline/show-stages.ts";
import { defineVerb } from "./verb.ts";

const DEFAULT_OUT = "genome";
const FILE_MEBIBYTES = 4;
const REPOSITORY_GIBIBYTES = 16;

export const genomeBuild = defineVerb({
  name: "genome build",
  summary: "Merge git repositories into one verified, annotated text",
  usage: "[SOURCE...] [--hub H] [--out DIR]",
  positionals: [
    {
      name: "SOURCE",
      help: "Repository: a path, a git URL or owner/name; with @ and a branch, tag or commit behind it where wanted",
      optional: true,
      many: true,
    },
  ],
  flags: {
    hub: {
      kind: "text",
      value: "H",
      help: "Repository, README or list whose links name repositories",
    },
    out: {
      kind: "text",
      value: "DIR",
      default: DEFAULT_OUT,
      help: "Where the genome goes; an earlier one is brought up to date",
    },
    locked: {
      kind: "text",
      value: "LOCK",
      help: "Build exactly the commits of this genome.lock.json; SOURCE then gives the folders of its local repositories",
    },
    requireAll: { kind: "switch", help: "Build nothing, and end with exit code 1, where a source cannot be had" },
    allowDamaged: { kind: "switch", help: "Leave out blobs that are absent, unreadable or wrong, and record the gap" },
    extensions: {
      kind: "choice",
      choices: ["any", "ecosystem"],
      default: "any",
      help: "Take all that is text, or the file name extensions of the ecosystem's merging step only",
    },
    licences: {
      kind: "text",
      value: "any|permissive|ID,...",
      default: "any",
      help: "Leave out files under other licences than these",
    },
    unmasked: { kind: "switch", help: "Leave secrets and personal data as they are; without it they are masked" },
    history: { kind: "switch", help: "Write history.jsonl too: what commits changed in the files" },
    tokenizer: { kind: "text", value: "MODEL", help: "Count tokens as this model's tokenizer makes them" },
    fileLimit: {
      kind: "number",
      value: "MIB",
      above: 0,
      default: FILE_MEBIBYTES,
      help: "Leave out files larger than this many MiB",
    },
    repositoryLimit: {
      kind: "number",
      value: "GIB",
      above: 0,
      default: REPOSITORY_GIBIBYTES,
      help: "Stop taking files of a repository after this many GiB",
    },
    cache: { kind: "text", value: "DIR", help: "Where clones are kept (default: OUT.clones)" },
    fresh: { kind: "switch", help: "Read everything again, whatever an earlier build knows" },
  },
  examples: [
    { command: "chrysalis genome build . --out genome", does: "the repository here" },
    {
      command: "chrysalis genome build ../notes https://github.com/me/tool --licences permissive",
      does: "two repositories, without files under other licences than the permissive ones",
    },
    {
      command: "chrysalis genome build me/tool@v1.2 me/notes@main --history",
      does: "a tag and a branch of two repositories on GitHub, with what their commits changed",
    },
    {
      command: "chrysalis genome build --locked genome/genome.lock.json --out again",
      does: "the commits of an earlier genome, byte for byte the same",
    },
    {
      command: "chrysalis genome build --hub https://github.com/me/hub --out hub --json",
      does: "all repositories that a page links, for a program to read",
    },
  ],
  async run({ flags, positionals }, { cwd, signal, progress }) {
    const began = performance.now();
    if (positionals.length === 0 && flags.hub === undefined && flags.locked === undefined) {
      throw new UserError("usage", "no source was given", {
        hint: "name a repository (path, URL or owner/name), or give --hub or --locked",
      });
    }
    if (flags.tokenizer !== undefined) checkModelPath(resolve(cwd, flags.tokenizer));
    const summary = await buildGenome({
      sources: positionals,
      hub: flags.hub,
      out: resolve(cwd, flags.out),
      cache: flags.cache === undefined ? undefined : resolve(cwd, flags.cache),
      fileBytes: Math.round(flags.fileLimit * 2 ** 20),
      repositoryBytes: Math.round(flags.repositoryLimit * 2 ** 30),
      locked: flags.locked === undefined ? undefined : resolve(cwd, flags.locked),
      extensions: flags.extensions,
      licences: flags.licences,
      mask: !flags.unmasked,
      history: flags.history,
      tokenizer: flags.tokenizer === undefined ? undefined : resolve(cwd, flags.tokenizer),
      requireAll: flags.requireAll,
      allowDamaged: flags.allowDamaged,
      fresh: flags.fresh,
      onEvent: showGenome(progress),
      signal,
    });
    const seconds = (performance.now() - began) / 1000;
    return { ...summary, seconds, peakMemoryBytes: await peakMemoryOfProcess() };
  },
  human: (summary) => {
    const { dir, repositories, missing, genes, bytes, sha256, unchanged, seconds } = summary;
    const many = `${formatCount(repositories.length)} ${repositories.length === 1 ? "repository" : "repositories"}`;
    const time = `${formatDuration(seconds)}${unchanged ? "; nothing had moved" : ""}`;
    const row = (name: string, text: string): string => `${name.padEnd(12)}${oneLine(text, 2000)}`;
    return [
      `${formatMany(genes, "file")} (${formatBytes(bytes)}) of ${many} in ${time}`,
      row("genome", dir),
      row("sha256", sha256),
      row("repeated", counts(summary.duplicates, formatBytes)),
      row("masked", counts(summary.masked)),
      row("left out", counts(summary.skipped)),
      ...(summary.history === null ? [] : [row("history", formatMany(summary.history.rows, "change"))]),
      row("audit", counts(summary.audit)),
      ...summary.damaged.map((record) => row("damaged", describeDamage(record))),
      ...missing.map(({ url, reason }) => row("missing", `${url}: ${reason}`)),
    ].join("\n");
  },
});
