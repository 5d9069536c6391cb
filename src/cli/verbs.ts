/** All verbs, in the order of the help. Each is loaded when it is wanted: `--version` need not wait for a trainer. */

import type { Verb } from "./verb.ts";

const loaders = {
  run: async () => (await import("./run.ts")).run,
  plan: async () => (await import("./plan.ts")).plan,
  eval: async () => (await import("./eval.ts")).evaluate,
  score: async () => (await import("./score.ts")).score,
  chat: async () => (await import("./chat.ts")).chat,
  hatch: async () => (await import("./hatch.ts")).hatch,
  doctor: async () => (await import("./doctor.ts")).doctor,
  "blueprint list": async () => (await import("./blueprint-list.ts")).blueprintList,
  "blueprint show": async () => (await import("./blueprint-show.ts")).blueprintShow,
  "blueprint match": async () => (await import("./blueprint-match.ts")).blueprintMatch,
  "blueprint lint": async () => (await import("./blueprint-lint.ts")).blueprintLint,
  data: async () => (await import("./data.ts")).data,
  "genome build": async () => (await import("./genome-build.ts")).genomeBuild,
  "genome verify": async () => (await import("./genome-verify.ts")).genomeVerify,
  "genome show": async () => (await import("./genome-show.ts")).genomeShow,
  "genome stats": async () => (await import("./genome-stats.ts")).genomeStatistics,
  "genome diff": async () => (await import("./genome-diff.ts")).genomeDiff,
  "genome import": async () => (await import("./genome-import.ts")).genomeImport,
  "genome export": async () => (await import("./genome-export.ts")).genomeExport,
  blend: async () => (await import("./blend.ts")).blend,
  "epigenome show": async () => (await import("./epigenome-show.ts")).epigenomeShow,
  "epigenome explain": async () => (await import("./epigenome-explain.ts")).epigenomeExplain,
  preview: async () => (await import("./preview.ts")).preview,
} as const satisfies Record<string, () => Promise<Verb>>;

export type VerbName = keyof typeof loaders;

export const verbNames = Object.keys(loaders) as readonly VerbName[];

export function loadVerb(name: VerbName): Promise<Verb> {
  return loaders[name]();
}

export function loadVerbs(names: readonly VerbName[] = verbNames): Promise<Verb[]> {
  return Promise.all(names.map(loadVerb));
}
