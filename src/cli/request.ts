/** What `run` and `plan` take alike: their flags, and what these ask for. */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { packageRoot } from "../formats/package-root.ts";
import { parseSource } from "../genome/source.ts";
import { MERGE_DTYPES } from "../imago/export.ts";
import type { Flags, Parsed } from "./flags.ts";
import { usageError } from "./flags.ts";
import { isReplayWord } from "./pipeline/inputs.ts";
import type { RunRequest } from "./pipeline/nest.ts";
import { dataFlags, dataSource } from "./pipeline/own-data.ts";

export const requestPositionals = [
  { name: "SOURCE", help: "Git repository: a local folder or a URL", optional: true, many: true },
] as const;

export const requestFlags = {
  ...dataFlags,
  hub: { kind: "text", value: "HUB", help: "Repository or README file whose links name more repositories" },
  model: {
    kind: "text",
    value: "MODEL",
    help: "Parent: Hugging Face folder or .gguf file (default: the larva that comes with this program)",
  },
  blueprint: { kind: "text", value: "NAME|FILE", help: "Recipe (default: the one that fits the model)" },
  retention: {
    kind: "text",
    value: "FILE",
    help: "General text, or JSONL, on which forgetting is measured (default: the model's retention.txt, else its own samples)",
  },
  replay: {
    kind: "text",
    value: "FILE|own|none",
    help: "General text, or JSONL, that is trained on too, against forgetting; own: the parent writes it before training (default: the model's replay.txt, else own)",
  },
  instruct: {
    kind: "text",
    value: "MODEL",
    help: "Instruct model made from MODEL: what it has over it is added after training (F16 or better)",
  },
  out: { kind: "text", value: "DIR", help: "Folder of the run (default nest, or the next free of nest-2, nest-3 ...)" },
  seed: { kind: "number", value: "N", integer: true, min: 0, max: 2 ** 32 - 1, help: "Seed of every random choice" },
  express: {
    kind: "choice",
    choices: ["default", "all"],
    help: "What is trained on: what fits the body (default), or every file there is, duplicates, logs and backups too",
  },
  minutes: { kind: "number", value: "M", above: 0, help: "Length of the training (default: the recipe's, else 3)" },
  search: {
    kind: "number",
    value: "N",
    integer: true,
    min: 2,
    max: 16,
    help: "Try N recipes, or learning rates of one, in short trainings and take the best; half of the training's time on top",
  },
  unready: {
    kind: "switch",
    help: "Train also where the genome is too small or looks like noise; without it such a run is refused",
  },
  mergeDtype: {
    kind: "choice",
    choices: MERGE_DTYPES,
    default: "parent",
    help: "Type of the exported weights; parent keeps the parent's",
  },
} as const satisfies Flags;

/** Paths made absolute, so that a run can be gone on with from anywhere. */
export function requestOf({ flags, positionals }: Parsed<typeof requestFlags>, cwd: string): RunRequest {
  if (positionals.length === 0 && flags.hub === undefined && flags.data.length === 0) {
    throw usageError("no repository is given", "name a SOURCE (a folder or a URL), --hub, or --data");
  }
  const place = (text: string): string => {
    const source = parseSource(text);
    return source.kind === "path" ? resolve(cwd, text) : text;
  };
  const absolute = (path: string): string => resolve(cwd, path);
  const { hub, data, dataForm, model, blueprint, retention, replay, instruct, seed, express, minutes } = flags;
  const recipe = blueprintOf(blueprint, cwd);
  return {
    sources: positionals.map(place),
    ...(hub === undefined ? {} : { hub: place(hub) }),
    ...(data.length === 0 ? {} : { data: data.map((text) => dataSource(text, cwd)) }),
    ...(dataForm === undefined ? {} : { dataForm }),
    model: modelOf(model, cwd),
    ...(recipe === undefined ? {} : { blueprint: recipe }),
    ...(retention === undefined ? {} : { retention: absolute(retention) }),
    ...(replay === undefined ? {} : { replay: isReplayWord(replay) ? replay : absolute(replay) }),
    ...(instruct === undefined ? {} : { instruct: absolute(instruct) }),
    ...(seed === undefined ? {} : { seed }),
    ...(express === undefined ? {} : { express }),
    ...(minutes === undefined ? {} : { minutes }),
    ...(flags.search === undefined ? {} : { search: flags.search }),
    ...(flags.unready ? { unready: true as const } : {}),
    mergeDtype: flags.mergeDtype,
  };
}

/** The model that was named, or the larva that comes with this program. */
export function modelOf(model: string | undefined, cwd: string): string {
  return model === undefined ? join(packageRoot(), "models", "larva") : resolve(cwd, model);
}

/** The name of a recipe, or the path of its file. */
export function blueprintOf(blueprint: string | undefined, cwd: string): string | undefined {
  if (blueprint === undefined) return undefined;
  const path = resolve(cwd, blueprint);
  return /[/\\]|\.ya?ml$/i.test(blueprint) || existsSync(path) ? path : blueprint;
}
