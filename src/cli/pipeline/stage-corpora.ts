/** What each stage of a run trains on, framed and encoded, and what it comes to. */

import type { Diet, Settings, StageSettings } from "../../blueprint/plan.ts";
import { objectives } from "../../chrysalis/objectives/objectives.ts";
import { framedDocuments, framingContext } from "../../epigenome/framed-documents.ts";
import type { FramingContext } from "../../epigenome/framings/framing.ts";
import { sharedGrams } from "../../epigenome/grams.ts";
import { codeInImportOrder, joinedDocuments } from "../../epigenome/joined-files.ts";
import { encodeCorpus } from "../../epigenome/pack.ts";
import type { TokenCorpus } from "../../epigenome/pack.ts";
import { dosedBytes, isOfStage } from "../../epigenome/select.ts";
import type { ExpressedGene } from "../../epigenome/select.ts";
import { UserError } from "../../errors.ts";
import type { Genome } from "../../genome/manifest.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";

export interface StageCorpus extends StageSettings {
  readonly corpus: TokenCorpus;
  /** The gene of each document of the corpus. */
  readonly genes: readonly ExpressedGene[];
  /** Of the genes' texts in one pass. */
  readonly bytes: number;
}

export interface EncodeStagesOptions extends Pick<Settings, "stages" | "seed" | "sequence" | "order"> {
  readonly tokenizer: Tokenizer;
  /** As of `FramingContext`. */
  readonly pairsOf?: FramingContext["pairsOf"];
  /** Hears genes, of all stages. */
  readonly onEncoding: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Encodes what each stage trains on: the same for the same genome, genes and settings.
 *
 * @throws UserError "empty" where a stage has nothing to train, and those of the framings
 */
export async function encodeStages(
  genome: Pick<Genome, "text" | "changes" | "dir">,
  expressed: readonly ExpressedGene[],
  { stages, seed, sequence, order, tokenizer, pairsOf, onEncoding, signal }: EncodeStagesOptions,
): Promise<StageCorpus[]> {
  const context = await framingContext(genome, expressed, { seed, sequence, tokenizer, pairsOf });
  const read = stages.map(({ name }) => expressed.filter((of) => isOfStage(of, name)));
  const total = read.reduce((sum, { length }) => sum + length, 0);
  let done = 0;
  const encoded: StageCorpus[] = [];
  for (const [k, stage] of stages.entries()) {
    const genes: ExpressedGene[] = [];
    const files = order.imports ? await codeInImportOrder(genome, read[k]!) : read[k]!;
    const documents = framedDocuments(genome, files, {
      ...context,
      lossOf: objectives[stage.objective].lossOf,
      signal,
      onGene: () => onEncoding(++done, total),
    });
    const encodedTexts = await encodeCorpus(documents, tokenizer, { onDocument: ({ of }) => void genes.push(of) });
    if (!trains(encodedTexts)) refuseEmpty(stage);
    const corpus = order.imports ? { ...encodedTexts, joined: joinedDocuments(genes) } : encodedTexts;
    encoded.push({ ...stage, corpus, genes, bytes: dosedBytes(read[k]!) });
  }
  return encoded;
}

function trains({ ids, weights }: TokenCorpus): boolean {
  return ids.length > 1 && (weights === undefined || weights.subarray(1).some((weight) => weight !== 0));
}

function refuseEmpty({ name, objective }: StageSettings): never {
  throw new UserError("empty", `the stage ${name} has nothing to train: ${objectives[objective].summary}`, {
    hint: "give it files by a rule of the epigenome (stage: ...), or another objective",
  });
}

/** What the stages read in one pass, and what they have in common. */
export function dietOf(stages: readonly StageCorpus[]): Diet {
  return {
    stages: stages.map(({ name, corpus: { ids, weights, offsets } }) => ({
      name,
      documents: offsets.length - 1,
      tokens: ids.length - 1,
      trained: weights === undefined ? ids.length - 1 : weights.subarray(1).reduce((n, w) => n + (w === 0 ? 0 : 1), 0),
    })),
    overlap: stages.flatMap((later, k) =>
      stages.slice(0, k).map((earlier) => ({
        stages: [earlier.name, later.name] as const,
        share: sharedGrams(later.corpus, earlier.corpus),
      })),
    ),
  };
}
