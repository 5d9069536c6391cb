/** What a run reads besides its repositories, checked before any work: model, texts, blueprint, machine. */

import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import type { ReplayFrom } from "../../blueprint/resolve-synthetic.ts";
import type { DataInput } from "../../blueprint/plan.ts";
import type { GenomeFacts } from "../../blueprint/genome-facts.ts";
import { loadBlueprint, loadBlueprints } from "../../blueprint/load.ts";
import type { LoadedBlueprint } from "../../blueprint/load.ts";
import { probeMachine } from "../../blueprint/machine.ts";
import type { Machine } from "../../blueprint/machine.ts";
import { matchRecipes } from "../../blueprint/match.ts";
import type { Match } from "../../blueprint/match.ts";
import type { Planned, ProbeRecord } from "../../blueprint/plan.ts";
import type { SearchRecord } from "../../blueprint/search.ts";
import { refuseBody } from "../../blueprint/resolve.ts";
import type { Blueprint } from "../../blueprint/schema.ts";
import type { DataFile } from "../../epigenome/data/own-data.ts";
import { refuseOverlap } from "../../epigenome/overlap.ts";
import type { NamedText } from "../../epigenome/overlap.ts";
import { readGeneralText } from "../../epigenome/texts.ts";
import { UserError } from "../../errors.ts";
import { sha256OfFile } from "../../formats/files.ts";
import { refuseUnrelated } from "../../imago/repair.ts";
import type { Comparable } from "../../imago/repair.ts";
import type { RetentionSource } from "../../imago/report.ts";
import { hashFiles, inspectBody } from "../../models/load.ts";
import type { BodyFiles } from "../../models/load.ts";
import { countParameters } from "../../models/weights.ts";
import { withChatTemplate } from "../../tokenizer/tokenizer.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { openTokenizer } from "../model.ts";
import type { RunRequest } from "./nest.ts";
import { checkRendering, readDataFiles } from "./own-data.ts";

export interface GeneralText {
  readonly source: "given" | "model";
  readonly text: NamedText;
  /** Of the file. */
  readonly sha256: string;
}

export interface Inputs {
  readonly body: BodyFiles;
  readonly parameters: number;
  /** Of configuration and weight files, as a loaded body has it. */
  readonly modelSha256: string;
  readonly tokenizer: Tokenizer;
  readonly data: readonly DataFile[];
  /** What was given as data, with the commits of what is not on this machine. */
  readonly dataSources: readonly string[];
  readonly dataNotes: readonly string[];
  readonly retention: GeneralText | undefined;
  readonly replay: GeneralText | undefined;
  /** A text, the parent itself before training, or nowhere. */
  readonly replayFrom: ReplayFrom;
  /** Whose difference to the body is added after training. */
  readonly instruct: Instruct | undefined;
  readonly machine: Machine;
}

export interface Instruct {
  readonly path: string;
  readonly sha256: string;
  readonly tokenizer: Tokenizer;
}

export interface Recipe {
  readonly recipe: LoadedBlueprint;
  readonly reason: string;
  /** What trials chose, and all that they found. */
  readonly learningRate?: Planned<number>;
  readonly search?: SearchRecord;
}

/** Where the retention text of a run comes from. */
export function retentionSource({ retention }: Pick<Inputs, "retention">): RetentionSource {
  return retention?.source ?? "sampled";
}

/**
 * Reads and checks all that can be known to be wrong without the genome.
 *
 * @throws UserError "not-found", "damaged", "unsupported", "mismatch", "overlap", "empty"
 */
export async function checkInputs(
  request: RunRequest,
  out: string,
  onFetching: (done: number, total: number) => void,
): Promise<Inputs> {
  const tokenizer = await openTokenizer(request.model);
  const body = await inspectBody(request.model);
  const folder = body.kind === "folder" ? body.path : undefined;
  const retention = await generalText(request.retention, folder, "retention.txt");
  const replay = isReplayWord(request.replay) ? undefined : await generalText(request.replay, folder, "replay.txt");
  if (retention && replay) refuseOverlap(retention.text, replay.text);
  const data = await readDataFiles(request.data ?? [], request.dataForm, onFetching);
  const instruct =
    request.instruct === undefined ? undefined : await openInstruct(request.instruct, { body, tokenizer });
  return {
    body,
    parameters: countParameters(body.config),
    modelSha256: await hashOf(body),
    tokenizer,
    data: data.files,
    dataSources: data.sources,
    dataNotes: data.notes,
    retention,
    replay,
    replayFrom: replay !== undefined ? "given" : request.replay === "none" ? "none" : "own",
    instruct,
    machine: await probeMachine(out),
  };
}

function hashOf({ kind, path, weightFiles }: BodyFiles): Promise<string> {
  return hashFiles(kind === "folder" ? [join(path, "config.json"), ...weightFiles] : weightFiles);
}

async function openInstruct(path: string, base: Comparable): Promise<Instruct> {
  const tokenizer = await openTokenizer(path);
  const body = await inspectBody(path);
  refuseUnrelated(base, { body, tokenizer });
  return { path, sha256: await hashOf(body), tokenizer };
}

/** What --replay may say instead of a file. */
export function isReplayWord(given: string | undefined): given is "own" | "none" {
  return given === "own" || given === "none";
}

/** Where the replay of a run comes from that names none: the text in the model's folder, else the parent itself. */
export function replayOf(kind: BodyFiles["kind"], model: string): ReplayFrom {
  return textOfModel(kind === "folder" ? model : undefined, "replay.txt") === undefined ? "own" : "given";
}

/** A general text that comes with a model's folder; undefined where there is none. */
function textOfModel(folder: string | undefined, name: "retention.txt" | "replay.txt"): string | undefined {
  const path = folder === undefined ? undefined : join(folder, name);
  return path !== undefined && existsSync(path) ? path : undefined;
}

async function generalText(
  given: string | undefined,
  modelFolder: string | undefined,
  name: "retention.txt" | "replay.txt",
): Promise<GeneralText | undefined> {
  const path = given ?? textOfModel(modelFolder, name);
  if (path === undefined) return undefined;
  const text = await readGeneralText(path);
  return { source: given === undefined ? "model" : "given", text, sha256: await sha256OfFile(path) };
}

/** Ranks the recipes that come with this program for a model. */
export async function rankRecipes(
  { kind, config }: Pick<BodyFiles, "kind" | "config">,
  {
    genome,
    machine,
    minutes,
    replay,
    probe,
  }: {
    /** Undefined before there is one. */
    readonly genome: GenomeFacts | undefined;
    readonly machine: Machine;
    /** Undefined for the recipe's own. */
    readonly minutes?: number | undefined;
    /** Where replay comes from. */
    readonly replay: ReplayFrom;
    readonly probe?: Pick<ProbeRecord, "flopsPerSecond">;
  },
): Promise<Match> {
  const given = minutes === undefined ? {} : { minutes };
  const copiesParent = kind === "gguf";
  const measured = probe === undefined ? {} : { probe: { flopsPerSecond: probe.flopsPerSecond } };
  const options = { config, genome, machine, given, replay, copiesParent, ...measured };
  return matchRecipes(await loadBlueprints(), options);
}

/**
 * The blueprint that the user named or that fits best, and a first look whether the machine can hold the body and the
 * body's tokenizer can write the data.
 *
 * @param genome undefined before there is one: what recipes ask of it then counts as met
 * @throws UserError "not-found", "invalid", "unsupported", "memory", "disk"
 */
export async function chooseRecipe(
  request: RunRequest,
  inputs: Inputs,
  out: string,
  genome?: GenomeFacts,
): Promise<Recipe> {
  const { body, machine } = inputs;
  let chosen: Recipe;
  if (request.blueprint === undefined) {
    const { replayFrom: replay } = inputs;
    const match = await rankRecipes(body, { genome, machine, minutes: request.minutes, replay });
    chosen = { recipe: match.chosen.recipe, reason: match.chosen.holds.join("; ") };
  } else chosen = { recipe: await loadBlueprint(request.blueprint), reason: "--blueprint" };
  const { blueprint } = chosen.recipe;
  if (blueprint.repair === true && inputs.instruct === undefined) {
    throw new UserError(
      "invalid",
      `${blueprint.name} adds what an instruct model has over its base, and none is given`,
      {
        hint: "name the base with --model and the instruct model made from it with --instruct",
      },
    );
  }
  refuseBody(blueprint, body.config, machine, out);
  checkRendering(inputs.data, blueprint, tokenizerUnder(blueprint, inputs.tokenizer));
  return chosen;
}

/** A parent's tokenizer, with a recipe's chat template where the parent has none. */
export function tokenizerUnder({ chatTemplate }: Pick<Blueprint, "chatTemplate">, parent: Tokenizer): Tokenizer {
  const hasOwn = parent.chatTemplate !== undefined || chatTemplate === undefined;
  return hasOwn ? parent : withChatTemplate(parent, chatTemplate);
}

/** The recipes that trials may choose from, best first: the one that was named, or those that apply and fit. */
export async function recipesToTry(
  { blueprint, minutes }: RunRequest,
  { body, machine, replayFrom: replay }: Inputs,
  chosen: Recipe,
  genome: GenomeFacts,
): Promise<readonly LoadedBlueprint[]> {
  if (blueprint !== undefined) return [chosen.recipe];
  const { ranking } = await rankRecipes(body, { genome, machine, minutes, replay });
  const fitting = ranking.filter(({ applicable, fits }) => applicable && fits).map(({ recipe }) => recipe);
  return fitting.length === 0 ? [chosen.recipe] : fitting;
}

/** What a model is called in a report: its file's or folder's name. */
export function modelName(path: string): string {
  return basename(path);
}

/**
 * Refuses to go on with inputs other than those the plan was made for.
 *
 * @throws UserError "mismatch"
 */
export function refuseChanged(what: string, planned: string, found: string): void {
  if (planned === found) return;
  throw new UserError(
    "mismatch",
    `${what} is not the one this run was planned for (SHA-256 ${found}, planned ${planned})`,
    {
      hint: "put the former one back, or begin anew with another --out",
    },
  );
}

/**
 * Refuses to go on with other data files than those the plan was made for.
 *
 * @throws UserError "mismatch"
 */
export function refuseOtherData(planned: readonly DataInput[], found: readonly DataFile[]): void {
  const hashes = (of: readonly { readonly name: string; readonly sha256: string }[]): Map<string, string> =>
    new Map(of.map(({ name, sha256 }) => [name, sha256]));
  const [before, now] = [hashes(planned), hashes(found)];
  for (const name of new Set([...before.keys(), ...now.keys()])) {
    refuseChanged(`the data ${name}`, before.get(name) ?? "none", now.get(name) ?? "none");
  }
}
