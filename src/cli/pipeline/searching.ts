/** `--search N`: short trials of recipes, or of learning rates, on a part of the genome that the run itself measures nothing on. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LoadedBlueprint } from "../../blueprint/load.ts";
import type { EvaluationAt } from "../../chrysalis/events.ts";
import { UserError } from "../../errors.ts";
import { settingsOf } from "../../blueprint/plan.ts";
import type { Plan, Planned, Settings } from "../../blueprint/plan.ts";
import { candidatesOf, roundsOf, successiveHalving } from "../../blueprint/search.ts";
import type { Candidate, SearchRecord, TrialResult } from "../../blueprint/search.ts";
import type { GenomeTexts } from "../../epigenome/data/with-data.ts";
import type { Expression } from "../../epigenome/express.ts";
import { heldOutDocuments, heldOutRecords } from "../../epigenome/heldout-records.ts";
import { holdOut } from "../../epigenome/heldout.ts";
import { shuffled } from "../../epigenome/order.ts";
import { sampleText } from "../../epigenome/texts.ts";
import type { Document } from "../../eval/bits-per-byte.ts";
import { hash32 } from "../../formats/random.ts";
import type { Gene } from "../../genome/manifest.ts";
import { loadBody } from "../../models/load.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import type { Inputs, Recipe } from "./inputs.ts";
import type { ReplayCorpus } from "./replay.ts";
import type { StageCorpus } from "./stage-corpora.ts";
import { trainAsPlanned } from "./training.ts";

/** Operations of all trials together, as a part of those of the run. They come on top of its time. */
const SEARCH_PART = 0.5;
/** A trial of fewer steps shows the warm-up and nothing else. */
const FEWEST_STEPS = 8;
/** What trials are scored on, of held-out and of general text. */
const SCORED_BYTES = 48 * 1024;

export interface SearchingOptions {
  readonly model: string;
  readonly inputs: Inputs;
  /** Those that apply, best first; at least one. */
  readonly recipes: readonly LoadedBlueprint[];
  readonly trials: number;
  /** The plan of a recipe, before what it expresses is known. */
  readonly draft: (recipe: Recipe) => Plan;
  readonly express: (settings: Settings) => Promise<Expression>;
  readonly encode: (
    recipe: LoadedBlueprint,
    settings: Settings,
    expression: Expression,
  ) => Promise<readonly StageCorpus[]>;
  readonly replay: (plan: Plan) => Promise<ReplayCorpus | undefined>;
  readonly tokenizer: (settings: Settings) => Tokenizer;
  readonly onSearching: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** A recipe that trials have found best. */
export interface SearchedRecipe extends Recipe {
  readonly learningRate: Planned<number>;
  readonly search: SearchRecord;
}

/** What every trial of a recipe begins with. */
interface Prepared {
  readonly plan: Plan;
  readonly settings: Settings;
  readonly stages: readonly StageCorpus[];
}

/**
 * Halves the candidates until one is left. Trials are scored on files that are held out of what the run would train on: neither
 * trial nor choice sees those that the run is measured with.
 *
 * @throws UserError "empty" where nothing is left to hold out, "diverged" where all did, and those of training
 */
export async function searchRecipe(genome: GenomeTexts, options: SearchingOptions): Promise<SearchedRecipe> {
  const { recipes, trials, onSearching } = options;
  const candidates = candidatesOf(recipes, trials);
  const distinct = [...new Set(candidates.map(({ recipe }) => recipe))];
  const { prepared, heldOut } = await prepare(genome, distinct, options);
  const retention =
    options.inputs.retention === undefined
      ? []
      : sampleText(options.inputs.retention.text, { seed: 1, maxBytes: SCORED_BYTES }).documents;
  const [first] = prepared.values();
  const total = roundsOf(candidates.length).reduce((sum, size) => sum + size, 0);
  let done = 0;
  const { chosen, record } = await successiveHalving(candidates, {
    flops: SEARCH_PART * operationsOf(first!),
    runTrial: async (candidate, flops) => {
      onSearching(done, total);
      const result = await runTrial(candidate, flops, prepared.get(candidate.recipe)!, { heldOut, retention }, options);
      onSearching(++done, total);
      return result;
    },
  });
  const { blueprint } = chosen.recipe;
  const { multiple } = chosen;
  return {
    recipe: chosen.recipe,
    reason: `the best of ${candidates.length} tried (--search)`,
    learningRate: {
      value: multiple * blueprint.optimizer.learningRate,
      origin: multiple === 1 ? "recipe" : "derived",
      reason: multiple === 1 ? blueprint.name : `${multiple} times that of ${blueprint.name}: the best of those tried`,
    },
    search: record,
  };
}

/** Each recipe's texts without the files that trials are scored on, the same for all. */
async function prepare(
  genome: GenomeTexts,
  recipes: readonly LoadedBlueprint[],
  { draft, express, encode, tokenizer }: SearchingOptions,
): Promise<{ prepared: Map<LoadedBlueprint, Prepared>; heldOut: readonly Document[] }> {
  const text = (gene: Gene): Promise<string> => genome.text(gene);
  const prepared = new Map<LoadedBlueprint, Prepared>();
  let held: readonly Gene[] | undefined;
  let heldOut: readonly Document[] = [];
  for (const recipe of recipes) {
    const plan = draft({ recipe, reason: "tried" });
    const settings = settingsOf(plan);
    const expression = await express(settings);
    if (held === undefined) {
      const { heldOutShare: share, heldOutMinFiles: minFiles, heldOutMatch: match } = settings;
      const seed = hash32(settings.seed, "search", 0, 0);
      held = (await holdOut(expression.trained, { seed, share, minFiles, match, maxBytes: SCORED_BYTES, text }))
        .heldOut;
      const framings = new Map(expression.expressed.map(({ gene, dose }) => [gene, dose.framing]));
      const records = await heldOutRecords(held, text, (gene) => framings.get(gene)!);
      heldOut = heldOutDocuments(records, tokenizer(settings));
    }
    const keys = new Set(held.flatMap(keysOf));
    const expressed = expression.expressed.filter(({ gene }) => !keysOf(gene).some((key) => keys.has(key)));
    const trained = expressed.map(({ gene }) => gene);
    prepared.set(recipe, {
      plan,
      settings,
      stages: await encode(recipe, settings, { ...expression, expressed, trained }),
    });
  }
  return { prepared, heldOut };
}

/** By what copies and near copies of a file are known. */
function keysOf({ textSha256, duplicateClass }: Gene): string[] {
  return duplicateClass === null ? [textSha256] : [textSha256, duplicateClass];
}

/** Of the whole run, at the estimated rate. */
function operationsOf({ plan: { predicted }, settings: { budget } }: Prepared): number {
  const tokens =
    "minutes" in budget ? 60 * budget.minutes * predicted.tokensPerSecond : budget.steps * predicted.tokensPerStep;
  return tokens * predicted.flopsPerToken;
}

async function runTrial(
  { multiple }: Candidate,
  flops: number,
  { plan, settings, stages }: Prepared,
  texts: { readonly heldOut: readonly Document[]; readonly retention: readonly Document[] },
  { model, replay, tokenizer, signal }: SearchingOptions,
): Promise<TrialResult> {
  signal.throwIfAborted();
  const { flopsPerToken, tokensPerStep } = plan.predicted;
  const steps = Math.max(FEWEST_STEPS, Math.round(flops / (flopsPerToken * tokensPerStep)));
  const dir = await mkdtemp(join(tmpdir(), "chrysalis-trial-"));
  const evaluations: EvaluationAt[] = [];
  const figures = ({ heldOut, retention }: EvaluationAt) => ({
    heldOut,
    retention: texts.retention.length === 0 ? null : retention!,
  });
  try {
    await trainAsPlanned({
      plan: { ...plan, predicted: { ...plan.predicted, steps } },
      settings: {
        ...settings,
        stages: stages.map(({ name, objective, share }) => ({ name, objective, share })),
        learningRate: multiple * settings.learningRate,
        budget: { steps },
        evaluations: 1,
        keep: null,
        // The parent's losses, by which some orders and selections go, would cost more than a trial.
        order: shuffled,
        select: null,
        // A trial has no evaluation on its way that marks could follow.
        adapt: null,
        checkpoint: { steps },
      },
      body: await loadBody(model),
      tokenizer: tokenizer(settings),
      stages,
      record: { difficulty: [], losses: undefined, files: {} },
      pairsSha256: undefined,
      texts: { ...texts, heldOutFiles: [], parentText: undefined },
      replay: await replay(plan),
      dir: join(dir, "run"),
      resume: false,
      resumeWith: "the same command",
      onEvent: (event) => {
        if (event.type === "evaluation") evaluations.push(event);
      },
      signal,
    });
    return { steps, parent: figures(evaluations[0]!), trained: figures(evaluations.at(-1)!) };
  } catch (error) {
    const [parent] = evaluations;
    if (!(error instanceof UserError) || error.code !== "diverged" || parent === undefined) throw error;
    return { steps, parent: figures(parent), trained: null };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
