/** The probe of `blueprint match`: the chosen recipe tried for seconds on what it would express of a genome. */

import type { Machine } from "../blueprint/machine.ts";
import { settingsOf } from "../blueprint/plan.ts";
import type { ProbeRecord } from "../blueprint/plan.ts";
import type { LoadedBlueprint } from "../blueprint/load.ts";
import { resolvePlan } from "../blueprint/resolve.ts";
import { resolveStages } from "../blueprint/resolve-stages.ts";
import type { ReplayFrom } from "../blueprint/resolve-synthetic.ts";
import type { Given } from "../blueprint/workload.ts";
import { asksIn } from "../epigenome/framed-documents.ts";
import { selectGenes } from "../epigenome/select.ts";
import type { SelectOptions } from "../epigenome/select.ts";
import type { Genome } from "../genome/manifest.ts";
import { countParameters } from "../models/weights.ts";
import { openModel } from "./model.ts";
import type { PipelineEvent } from "./pipeline/events.ts";
import { probeBody } from "./pipeline/probing.ts";
import { encodeStages } from "./pipeline/stage-corpora.ts";

export interface MatchProbeOptions {
  readonly model: string;
  readonly genome: Genome;
  readonly recipe: LoadedBlueprint;
  readonly selection: SelectOptions;
  readonly given: Given;
  readonly machine: Machine;
  readonly replay: ReplayFrom;
  readonly onEvent: (event: PipelineEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * Loads the model and probes it under a recipe.
 *
 * @throws UserError "not-found", "damaged", "unsupported" where the model is more or less than its configuration; "memory"
 */
export async function probeMatch(options: MatchProbeOptions): Promise<ProbeRecord> {
  const { model, genome, recipe, machine, given, replay, onEvent, signal } = options;
  onEvent({ type: "work", work: "loading" });
  const { body, tokenizer } = await openModel(model);
  const { config } = body;
  const { expressed } = selectGenes(genome.genes, options.selection);
  const asks = (stage: string): boolean => asksIn(expressed, stage);
  const settings = settingsOf(
    resolvePlan({
      recipe,
      recipeReason: "probed",
      config,
      given,
      machine,
      out: ".",
      diet: { stages: [], overlap: [] },
      asks,
      hasChatTemplate: tokenizer.chatTemplate !== undefined,
      replay,
      questioned: 0,
      genomeBytes: genome.manifest.genomeBytes,
      copiesParent: body.source.kind === "gguf",
      inputs: {
        model: { sha256: body.source.sha256, modelType: config.modelType, parameters: countParameters(config) },
        genome: {
          sha256: genome.sha256,
          repositories: [],
          files: genome.genes.length,
          trainedFiles: expressed.length,
          trainedBytes: 0,
          heldOutFiles: 0,
          heldOutBytes: 0,
        },
        retention: null,
        replay: null,
        instruct: null,
      },
    }),
  );
  const work = (of: "encoding" | "probing") => (done: number, total: number) =>
    onEvent({ type: "work", work: of, done, total });
  const { value: stages } = resolveStages(recipe.blueprint, asks);
  return probeBody({
    body,
    tokenizer,
    settings,
    genome,
    genes: expressed.map(({ gene }) => gene),
    stages: await encodeStages(genome, expressed, {
      ...settings,
      stages,
      tokenizer,
      onEncoding: work("encoding"),
      signal,
    }),
    onProgress: work("probing"),
    signal,
  });
}
