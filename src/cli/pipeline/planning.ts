/** From a genome to a plan: what is trained on and held out, the texts that go with it, every setting resolved. */

import { genomeFacts } from "../../blueprint/genome-facts.ts";
import type { Plan, PlanInputs, ProbeRecord, Settings } from "../../blueprint/plan.ts";
import { settingsOf } from "../../blueprint/plan.ts";
import { refuseCopies, refuseUnready, unreadiness } from "../../blueprint/readiness.ts";
import { resolvePlan } from "../../blueprint/resolve.ts";
import { resolveStages } from "../../blueprint/resolve-stages.ts";
import { BYTES_PER_TOKEN } from "../../blueprint/workload.ts";
import type { GenomeTexts } from "../../epigenome/data/with-data.ts";
import { expressGenes } from "../../epigenome/express.ts";
import type { Expression } from "../../epigenome/express.ts";
import { asksIn, isQuestioned } from "../../epigenome/framed-documents.ts";
import type { FramingContext } from "../../epigenome/framings/framing.ts";
import { heldOutRecords } from "../../epigenome/heldout-records.ts";
import type { HeldOutRecord } from "../../epigenome/heldout-records.ts";
import { dataRule, defaultRules, dosing } from "../../epigenome/rules.ts";
import { dosedBytes } from "../../epigenome/select.ts";
import type { SelectOptions } from "../../epigenome/select.ts";
import { sampleText } from "../../epigenome/texts.ts";
import type { Document } from "../../eval/bits-per-byte.ts";
import type { Gene } from "../../genome/manifest.ts";
import { OWN_SAMPLES } from "../../imago/sample.ts";
import type { Body } from "../../models/body.ts";
import { loadBody } from "../../models/load.ts";
import { withChatTemplate } from "../../tokenizer/tokenizer.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { chooseRecipe, recipesToTry, retentionSource } from "./inputs.ts";
import type { Inputs, Recipe } from "./inputs.ts";
import type { RunRequest } from "./nest.ts";
import { dataInputs, dataWarnings, openWithData } from "./own-data.ts";
import { probeBody } from "./probing.ts";
import { encodeReplay } from "./replay.ts";
import { searchRecipe } from "./searching.ts";
import { dietOf, encodeStages } from "./stage-corpora.ts";
import type { StageCorpus } from "./stage-corpora.ts";

export interface ExpressedTexts {
  readonly expression: Expression;
  readonly stages: readonly StageCorpus[];
  readonly trainedBytes: number;
}

export interface Planning extends ExpressedTexts {
  readonly plan: Plan;
  readonly heldOut: readonly HeldOutRecord[];
  /** Undefined where the parent's own samples will do. */
  readonly retention: readonly Document[] | undefined;
  readonly warnings: readonly string[];
  /** The parent as it was loaded for the probe, where that left it as it was. */
  readonly body: Body | undefined;
}

export interface PlanningOptions {
  readonly request: RunRequest;
  readonly inputs: Inputs;
  readonly out: string;
  readonly onEncoding: (done: number, total: number) => void;
  readonly onProbing: (done: number, total: number) => void;
  readonly onSearching: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Chooses the recipe for the genome at `genomeDir` and the data beside it (where undefined, the data alone), expresses it,
 * encodes what is trained on, resolves the blueprint, and probes the parent for seconds, for the rate and for what speaks
 * against the run. Writes nothing.
 *
 * @throws UserError "empty", "unready", "invalid", "unsupported", "memory", "disk"
 */
export async function planRun(genomeDir: string | undefined, options: PlanningOptions): Promise<Planning> {
  const { request, inputs } = options;
  const genome = await openWithData(genomeDir, inputs.data);
  try {
    refuseCopies(genome.genes);
    const recipe = await searchIfAsked(genome, options);
    // The genome decides none of the settings that decide what is expressed.
    const draft = settingsOf(resolve(genome, recipe, options, undefined));
    const expression = await expressRun(genome, draft, inputs);
    const stages = resolveStages(recipe.recipe.blueprint, asksOf(expression)).value;
    const texts = await encodeTexts(genome, expression, { ...draft, stages }, options);
    const doseOf = dosing(selectionOf(draft).rules);
    const text = (gene: Gene): Promise<string> => genome.text(gene);
    const heldOut = await heldOutRecords(expression.heldOut, text, (gene) => doseOf(gene).framing);
    const retention = inputs.retention && sampleText(inputs.retention.text, { seed: draft.seed });
    const measured = {
      texts,
      heldOutBytes: heldOut.reduce((sum, { bytes }) => sum + bytes, 0),
      retentionBytes: retention?.bytes ?? Math.round(OWN_SAMPLES.texts * OWN_SAMPLES.tokens * BYTES_PER_TOKEN),
    };
    const estimated = resolve(genome, recipe, options, measured);
    const isAccepted = request.unready === true;
    refuseUnready(unreadiness(estimated), isAccepted);
    const { probe, body } = await probeParent(genome, texts, settingsOf(estimated), options);
    const plan = resolve(genome, recipe, options, { ...measured, probe });
    const warnings = [
      ...refuseUnready(unreadiness(plan), isAccepted),
      ...inputs.dataNotes,
      ...dataWarnings(inputs.data),
      ...warningsOf(expression),
    ];
    return { ...texts, plan, heldOut, retention: retention?.documents, warnings, body };
  } finally {
    await genome.close();
  }
}

/** The recipe that fits best, or, with --search, the one that is best in trials. */
async function searchIfAsked(genome: GenomeTexts, options: PlanningOptions): Promise<Recipe> {
  const { request, inputs, out, onSearching, signal } = options;
  const facts = genomeFacts(genome.genes);
  const chosen = await chooseRecipe(request, inputs, out, facts);
  if (request.search === undefined) return chosen;
  return searchRecipe(genome, {
    model: request.model,
    inputs,
    recipes: await recipesToTry(request, inputs, chosen, facts),
    trials: request.search,
    draft: (recipe) => resolve(genome, recipe, options, undefined),
    express: (settings) => expressRun(genome, settings, inputs),
    encode: async ({ blueprint }, draft, expression) => {
      const stages = resolveStages(blueprint, asksOf(expression)).value;
      return (await encodeTexts(genome, expression, { ...draft, stages }, options)).stages;
    },
    // What the parent would write of its own is not there yet.
    replay: (plan) => encodeReplay(plan, inputs, undefined),
    tokenizer: (settings) => tokenizerFor(settings, inputs),
    onSearching,
    signal,
  });
}

async function probeParent(
  genome: GenomeTexts,
  { expression, stages }: ExpressedTexts,
  settings: Settings,
  { request, inputs, onProbing: onProgress, signal }: PlanningOptions,
): Promise<{ probe: ProbeRecord; body: Body | undefined }> {
  onProgress(0, 0);
  const body = await loadBody(request.model);
  const tokenizer = tokenizerFor(settings, inputs);
  const genes = expression.trained;
  const probe = await probeBody({ body, tokenizer, settings, genome, genes, stages, onProgress, signal });
  return { probe, body: settings.method === "full" ? undefined : body };
}

/** Decides what of a genome is trained on and held out: a function of the settings and the general texts alone. */
export function expressAsPlanned(
  genome: GenomeTexts,
  settings: Settings,
  general: { readonly retention: readonly Document[]; readonly replay: readonly Document[] },
): Promise<Expression> {
  return expressGenes(genome.genes, {
    ...selectionOf(settings),
    match: settings.heldOutMatch,
    share: settings.heldOutShare,
    minFiles: settings.heldOutMinFiles,
    maxBytes: settings.heldOutMaxBytes,
    text: (gene) => genome.text(gene),
    retention: general.retention.map(({ text }) => text),
    alsoTrained: general.replay.map(({ text }) => text),
  });
}

/** How the settings select genes. */
export function selectionOf({
  express,
  rules,
  capacity,
  seed,
}: Pick<Settings, "express" | "rules" | "capacity" | "seed">): SelectOptions {
  const all = express === "all";
  return {
    rules: [...(all ? [] : defaultRules), dataRule, ...rules],
    duplicates: all ? "all" : "one",
    capacity: capacity ?? undefined,
    seed,
  };
}

interface EncodingOptions extends Pick<PlanningOptions, "inputs" | "onEncoding" | "signal"> {
  /** What the parent asked itself about files; undefined before it did. */
  readonly pairsOf?: FramingContext["pairsOf"];
}

/** Decides what of a genome a run trains on. */
export function expressRun(genome: GenomeTexts, settings: Settings, inputs: Inputs): Promise<Expression> {
  return expressAsPlanned(genome, settings, generalTexts(inputs));
}

/** Decides what of a genome is trained on and encodes it: the same for the same settings. */
export async function expressTexts(
  genome: GenomeTexts,
  settings: Settings,
  options: EncodingOptions,
): Promise<ExpressedTexts> {
  const expression = await expressRun(genome, settings, options.inputs);
  return encodeTexts(genome, expression, settings, options);
}

async function encodeTexts(
  genome: GenomeTexts,
  expression: Expression,
  settings: Settings,
  { inputs, pairsOf, onEncoding, signal }: EncodingOptions,
): Promise<ExpressedTexts> {
  const { expressed } = expression;
  const tokenizer = tokenizerFor(settings, inputs);
  return {
    expression,
    stages: await encodeStages(genome, expressed, { ...settings, tokenizer, pairsOf, onEncoding, signal }),
    trainedBytes: dosedBytes(expressed),
  };
}

/** The parent's tokenizer, with the plan's chat template where it has one. */
export function tokenizerFor({ chatTemplate }: Pick<Settings, "chatTemplate">, { tokenizer }: Inputs): Tokenizer {
  return chatTemplate === null ? tokenizer : withChatTemplate(tokenizer, chatTemplate);
}

function generalTexts({ retention, replay }: Inputs): Parameters<typeof expressAsPlanned>[2] {
  return { retention: retention?.text.documents ?? [], replay: replay?.text.documents ?? [] };
}

function asksOf(expression: Expression | undefined): (stage: string) => boolean {
  return (stage) => expression !== undefined && asksIn(expression.expressed, stage);
}

interface Measured {
  readonly texts: ExpressedTexts;
  readonly heldOutBytes: number;
  readonly retentionBytes: number;
  readonly probe?: ProbeRecord;
}

function resolve(
  genome: GenomeTexts,
  { recipe, reason, learningRate, search }: Recipe,
  { request, inputs, out }: PlanningOptions,
  measured: Measured | undefined,
): Plan {
  const { replay, body } = inputs;
  const data = dataInputs(inputs.data);
  const given = {
    ...(request.minutes === undefined ? {} : { minutes: request.minutes }),
    ...(request.seed === undefined ? {} : { seed: request.seed }),
    ...(request.express === undefined ? {} : { express: request.express }),
  };
  const bytesOf = (documents: readonly Document[]): number =>
    documents.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  const planInputs: Omit<PlanInputs, "blueprint"> = {
    model: { sha256: inputs.modelSha256, modelType: body.config.modelType, parameters: inputs.parameters },
    genome: {
      sha256: genome.sha256,
      repositories: genome.repositories.map(({ name, commit }) => ({ name, commit })),
      files: genome.genes.length,
      trainedFiles: measured?.texts.expression.trained.length ?? 0,
      trainedBytes: measured?.texts.trainedBytes ?? 0,
      heldOutFiles: measured?.texts.expression.heldOut.length ?? 0,
      heldOutBytes: measured?.heldOutBytes ?? 0,
    },
    ...(data && { data }),
    retention: { source: retentionSource(inputs), bytes: measured?.retentionBytes ?? 0 },
    replay: replay === undefined ? null : { source: replay.source, bytes: bytesOf(replay.text.documents) },
    instruct: inputs.instruct === undefined ? null : { sha256: inputs.instruct.sha256 },
  };
  return resolvePlan({
    recipe,
    recipeReason: reason,
    config: body.config,
    given,
    machine: inputs.machine,
    out,
    diet: measured === undefined ? { stages: [], overlap: [] } : dietOf(measured.texts.stages),
    asks: asksOf(measured?.texts.expression),
    hasChatTemplate: inputs.tokenizer.chatTemplate !== undefined,
    replay: inputs.replayFrom,
    questioned: (measured?.texts.expression.expressed ?? []).filter(isQuestioned).length,
    genomeBytes: genome.manifest.genomeBytes,
    copiesParent: body.kind === "gguf",
    inputs: planInputs,
    ...(learningRate === undefined ? {} : { learningRate }),
    ...(search === undefined ? {} : { search }),
    ...(measured?.probe === undefined ? {} : { probe: measured.probe }),
  });
}

function warningsOf({ idle, tooAlike }: Expression): string[] {
  const own = idle.filter((name) => ![...defaultRules, dataRule].some((rule) => rule.name === name));
  const warnings = own.map((name) => `no file matches the rule ${name} of the blueprint`);
  if (tooAlike.length > 0) {
    const files = tooAlike.length === 1 ? "1 file was" : `${tooAlike.length} files were`;
    warnings.push(`${files} not held out, since more than 20 % of their lines occur in training text`);
  }
  return warnings;
}
