/** A nest: the folder of one run, what was asked of it, and which of its stages are done. */

import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { forms } from "../../epigenome/data/forms.ts";
import { UserError } from "../../errors.ts";
import { atomicWrite, canonicalJson, readJson } from "../../formats/files.ts";
import { packageVersion } from "../../formats/package-root.ts";
import { MERGE_DTYPES } from "../../imago/export.ts";
import { COMMAND } from "../command-name.ts";
import { peakMemoryOfProcess } from "./peak-memory.ts";

const requestSchema = z.strictObject({
  /** URLs, and absolute paths. */
  sources: z.array(z.string()),
  hub: z.string().optional(),
  /** Data files and folders. */
  data: z.array(z.string()).optional(),
  dataForm: z.enum(forms).optional(),
  model: z.string(),
  blueprint: z.string().optional(),
  retention: z.string().optional(),
  /** A path, or what --replay says instead. */
  replay: z.string().optional(),
  instruct: z.string().optional(),
  seed: z.int().min(0).optional(),
  express: z.enum(["default", "all"]).optional(),
  minutes: z.number().positive().optional(),
  search: z.int().min(2).optional(),
  unready: z.literal(true).optional(),
  mergeDtype: z.enum(MERGE_DTYPES),
});

/** What a run was asked to do; paths are absolute. */
export type RunRequest = z.infer<typeof requestSchema>;

/** Whether a run reads repositories; else it reads data alone. */
export function hasRepositories({ sources, hub }: Pick<RunRequest, "sources" | "hub">): boolean {
  return sources.length > 0 || hub !== undefined;
}

/** The stages of a run, in their order. */
export const STAGES = ["genome", "plan", "before", "synthesis", "chrysalis", "imago"] as const;
export type StageName = (typeof STAGES)[number];

const requestFileSchema = z.strictObject({
  schema: z.literal(1),
  tool: z.string(),
  request: requestSchema,
});

const progressSchema = z.strictObject({
  schema: z.literal(1),
  /** Stages done, with the seconds they took and what they leave to the next ones. */
  stages: z.partialRecord(z.enum(STAGES), z.looseObject({ seconds: z.number() })),
  peakMemoryBytes: z.number(),
  warnings: z.array(z.string()),
});
type RunProgress = z.infer<typeof progressSchema>;

export interface Nest {
  readonly dir: string;
  readonly request: RunRequest;
  path(...names: string[]): string;
  /** What a stage left; undefined where it is not done. */
  result<T extends object>(stage: StageName): (T & { readonly seconds: number }) | undefined;
  /** Marks a stage as done: everything it wrote is in its place. */
  finish(stage: StageName, seconds: number, result?: object): Promise<void>;
  /** Adds a line that the report will carry; a line that is there already stays alone. */
  warn(message: string): void;
  readonly warnings: readonly string[];
  /** Seconds of all stages that are done. */
  seconds(): number;
  /** The most memory that any process of the run has held so far. */
  peakMemoryBytes(): Promise<number>;
}

const REQUEST = "run.json";
const PROGRESS = "stages.json";

/** The command that goes on with a run. */
export function resumeCommand(dir: string): string {
  return `${COMMAND} run --resume --out ${/^[\w./@:+,=-]+$/.test(dir) ? dir : JSON.stringify(dir)}`;
}

/**
 * Makes sure that a new run may begin at `dir`: nothing there, an empty folder, or one that holds a dry run's plan only.
 *
 * @throws UserError "exists"
 */
export async function checkNestFree(dir: string): Promise<void> {
  const names = await entriesOf(dir);
  const others = names.filter((name) => name !== "plan.json");
  if (others.length === 0) return;
  if (names.includes(REQUEST)) {
    throw new UserError("exists", `${dir} already holds a run`, {
      hint: `go on with it by ${resumeCommand(dir)}, or choose another folder with --out`,
    });
  }
  throw new UserError("exists", `${dir} is not empty (it holds ${others[0]})`, {
    hint: "choose another folder with --out",
  });
}

async function entriesOf(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") return [];
    if (code === "ENOTDIR") {
      throw new UserError("exists", `${dir} is a file`, { hint: "choose a folder with --out" });
    }
    throw error;
  }
}

/**
 * Where a run goes that names no folder: nest, or, where that holds a finished one, nest-2 and so on. `resume` gives the
 * last of them that is there instead.
 */
export function defaultOut(cwd: string, options: { resume: boolean }): string {
  const nth = (n: number): string => join(cwd, n === 1 ? "nest" : `nest-${n}`);
  let n = 1;
  while (options.resume ? existsSync(nth(n + 1)) : existsSync(join(nth(n), "manifest.json"))) n++;
  return nth(n);
}

/** Begins a run in a folder that `checkNestFree` found free. */
export async function beginNest(dir: string, request: RunRequest): Promise<Nest> {
  await mkdir(dir, { recursive: true });
  await atomicWrite(join(dir, REQUEST), canonicalJson({ schema: 1, tool: packageVersion(), request }));
  return open(dir, request, { schema: 1, stages: {}, peakMemoryBytes: 0, warnings: [] });
}

/**
 * Opens the folder of a run that was begun.
 *
 * @throws UserError "not-found", "damaged"
 */
export async function reopenNest(dir: string): Promise<Nest> {
  const path = join(dir, REQUEST);
  if (!existsSync(path)) {
    throw new UserError("not-found", `${dir} holds no run to go on with`, {
      hint: "give the --out of a run that was stopped, or leave out --resume to begin one",
    });
  }
  const { request } = parsed(requestFileSchema, await readJson(path), path);
  const progress = join(dir, PROGRESS);
  const state = existsSync(progress)
    ? parsed(progressSchema, await readJson(progress), progress)
    : { schema: 1 as const, stages: {}, peakMemoryBytes: 0, warnings: [] };
  return open(dir, request, state);
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, path: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new UserError("damaged", `${path} is not of a run: ${z.prettifyError(result.error)}`, {
    hint: "it may come from another version; begin anew with another --out",
  });
}

function open(dir: string, request: RunRequest, state: RunProgress): Nest {
  const warnings = [...state.warnings];
  const stages = { ...state.stages };
  const peakMemoryBytes = async (): Promise<number> => Math.max(state.peakMemoryBytes, await peakMemoryOfProcess());
  return {
    dir,
    request,
    path: (...names) => join(dir, ...names),
    result: <T extends object>(stage: StageName) => stages[stage] as (T & { seconds: number }) | undefined,
    async finish(stage, seconds, result = {}) {
      stages[stage] = { ...result, seconds };
      const now = { schema: 1, stages, peakMemoryBytes: await peakMemoryBytes(), warnings };
      await atomicWrite(join(dir, PROGRESS), canonicalJson(now));
    },
    warn(message) {
      if (!warnings.includes(message)) warnings.push(message);
    },
    warnings,
    seconds: () => Object.values(stages).reduce((sum, { seconds }) => sum + seconds, 0),
    peakMemoryBytes,
  };
}

/** What `dir` is before a run begins in it: what to take away, or what to leave, if nothing comes of the run. */
export type Place = { readonly absentFrom: string } | { readonly holds: ReadonlySet<string> };

export async function placeOf(dir: string): Promise<Place> {
  if (existsSync(dir)) return { holds: new Set(await readdir(dir)) };
  let absentFrom = dir;
  while (!existsSync(dirname(absentFrom))) absentFrom = dirname(absentFrom);
  return { absentFrom };
}

/** Takes back a run that could not even be planned: all that `dir` did not hold before goes. */
export async function abandonNest(dir: string, before: Place): Promise<void> {
  if ("absentFrom" in before) {
    await rm(before.absentFrom, { recursive: true, force: true });
    return;
  }
  for (const name of await readdir(dir)) {
    if (!before.holds.has(name)) await rm(join(dir, name), { recursive: true, force: true });
  }
}
