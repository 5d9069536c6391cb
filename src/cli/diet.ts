/** What the verbs about a genome's expression share: a genome, a model and a recipe, and how these select. */

import { resolve } from "node:path";
import { loadBlueprint } from "../blueprint/load.ts";
import { genomeFacts } from "../blueprint/genome-facts.ts";
import { probeMachine } from "../blueprint/machine.ts";
import type { Machine } from "../blueprint/machine.ts";
import type { ReplayFrom } from "../blueprint/resolve-synthetic.ts";
import type { Planned } from "../blueprint/plan.ts";
import { resolveEpigenome } from "../blueprint/resolve-epigenome.ts";
import type { Blueprint } from "../blueprint/schema.ts";
import type { DataFile } from "../epigenome/data/own-data.ts";
import type { GenomeTexts } from "../epigenome/data/with-data.ts";
import { workloadOf } from "../blueprint/workload.ts";
import type { Given } from "../blueprint/workload.ts";
import type { SelectOptions } from "../epigenome/select.ts";
import type { ModelConfig } from "../models/config.ts";
import { inspectBody } from "../models/load.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Progress } from "./progress.ts";
import { usageError } from "./flags.ts";
import type { Flags, Parsed } from "./flags.ts";
import { rankRecipes, replayOf, tokenizerUnder } from "./pipeline/inputs.ts";
import { openTokenizer } from "./model.ts";
import { dataFlags, dataSource, openWithData, readDataFiles } from "./pipeline/own-data.ts";
import { selectionOf } from "./pipeline/planning.ts";
import { blueprintOf, modelOf } from "./request.ts";

export const dietFlags = {
  genome: { kind: "text", value: "DIR", help: "Genome folder, as genome build or run writes it; --data alone will do" },
  ...dataFlags,
  model: { kind: "text", value: "MODEL", help: "Hugging Face folder or .gguf file (default: the larva)" },
  blueprint: { kind: "text", value: "NAME|FILE", help: "Recipe (default: the one that fits the model)" },
  express: { kind: "choice", choices: ["default", "all"], help: "What fits the body, or every file there is" },
  minutes: { kind: "number", value: "M", above: 0, help: "Length of the training (default: the recipe's, else 3)" },
  seed: {
    kind: "number",
    value: "N",
    integer: true,
    min: 0,
    max: 2 ** 32 - 1,
    help: "Seed (default: the recipe's, else 1)",
  },
} as const satisfies Flags;

export interface Diet {
  /** With the data beside it. */
  readonly genome: GenomeTexts;
  readonly data: readonly DataFile[];
  readonly tokenizer: Tokenizer;
  readonly recipe: string;
  readonly blueprint: Blueprint;
  /** Positions of a training sequence. */
  readonly sequence: number;
  readonly options: SelectOptions;
  /** Bytes of text that one pass may hold, and why; null where nothing limits it. */
  readonly capacity: Planned<number | null>;
}

/**
 * Opens a genome, data beside it and a model, and says what the recipe expresses; nothing is held out here. The genome is
 * the caller's to close.
 *
 * @throws UserError "not-found", "damaged", "unsupported", "invalid"
 */
export async function openDiet(
  { flags }: Parsed<typeof dietFlags>,
  { cwd, progress }: { readonly cwd: string; readonly progress: Pick<Progress, "update"> },
): Promise<Diet> {
  if (flags.genome === undefined && flags.data.length === 0) {
    throw usageError("neither a genome nor data is given", "give --genome DIR, or --data FILE, or both");
  }
  const model = modelOf(flags.model, cwd);
  const parent = await openTokenizer(model);
  const body = await inspectBody(model);
  const { config } = body;
  const named = blueprintOf(flags.blueprint, cwd);
  const { files: data } = await readDataFiles(
    flags.data.map((text) => dataSource(text, cwd)),
    flags.dataForm,
    (done, total) => progress.update({ stage: "fetching", done, total }),
  );
  const genome = await openWithData(flags.genome === undefined ? undefined : resolve(cwd, flags.genome), data);
  const machine = await probeMachine(cwd);
  const replay = replayOf(body.kind, model);
  const { express, minutes, seed } = flags;
  const recipe =
    named === undefined
      ? (await rankRecipes(body, { genome: genomeFacts(genome.genes), machine, minutes, replay })).chosen.recipe
      : await loadBlueprint(named);
  const { blueprint } = recipe;
  const given = {
    ...(express === undefined ? {} : { express }),
    ...(minutes === undefined ? {} : { minutes }),
    ...(seed === undefined ? {} : { seed }),
  };
  return {
    genome,
    data,
    tokenizer: tokenizerUnder(blueprint, parent),
    recipe: blueprint.name,
    blueprint,
    sequence: Math.min(blueprint.batch?.sequence ?? 512, config.maxPositions),
    ...selectionFor(blueprint, { config, given, machine, replay }),
  };
}

/** How a recipe selects genes for a body, as a run's plan would. */
export function selectionFor(
  blueprint: Blueprint,
  of: {
    readonly config: ModelConfig;
    readonly given: Given;
    readonly machine: Machine;
    readonly replay: ReplayFrom;
  },
): Pick<Diet, "options" | "capacity"> {
  const load = workloadOf(blueprint, { ...of, corpusTokens: undefined, genomeBytes: 0, copiesParent: false });
  const { express, rules, capacity } = resolveEpigenome(blueprint, load, of.given);
  const seed = of.given.seed ?? blueprint.seed ?? 1;
  return {
    options: selectionOf({ express: express.value, rules: rules.value, capacity: capacity.value, seed }),
    capacity,
  };
}
