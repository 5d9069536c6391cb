/** The documents that one pass over the expressed genes trains on, with the weight of each stretch in the loss. */
import type { Genome } from "../genome/manifest.ts";
import { readChangesOf } from "./changes.ts";
import type { FramingContext, Part } from "./framings/framing.ts";
import { framingOf } from "./framings/framings.ts";
import type { FramedDocument } from "./pack.ts";
import { isOfStage } from "./select.ts";
import type { ExpressedGene } from "./select.ts";

export interface FrameOptions extends FramingContext {
  /** Weight of a part in the loss, as the stage's objective has it; a gene's own weight is a factor of it. */
  readonly lossOf: (part: Part) => number;
  readonly signal?: AbortSignal | undefined;
  /** Hears when all documents of a gene have been read. */
  readonly onGene?: (() => void) | undefined;
}

/** A document with the gene that it comes from. */
export interface GeneDocument extends FramedDocument {
  readonly of: ExpressedGene;
}

/** Whether the parent is to ask itself about a gene. */
export function isQuestioned({ dose }: ExpressedGene): boolean {
  return framingOf(dose.framing).needsPairs === true;
}

/** Whether the documents of a stage hold prompts with answers. */
export function asksIn(expressed: readonly ExpressedGene[], stage: string): boolean {
  return expressed.some((of) => framingOf(of.dose.framing).asks === true && isOfStage(of, stage));
}

/**
 * What framing the expressed genes needs beside their texts.
 *
 * @throws UserError as `readChangesOf`, where a rule frames files as changes
 */
export async function framingContext(
  genome: Pick<Genome, "changes" | "dir">,
  expressed: readonly ExpressedGene[],
  options: Omit<FramingContext, "changesOf">,
): Promise<FramingContext> {
  const changed = expressed.filter(({ dose }) => framingOf(dose.framing).needsChanges);
  const changesOf =
    changed.length === 0
      ? () => []
      : await readChangesOf(
          genome,
          changed.map(({ gene }) => gene),
        );
  return { ...options, changesOf };
}

/**
 * Reads and frames each expressed gene as often as it comes, in the order given; ends with an error once `signal` is
 * aborted.
 */
export async function* framedDocuments(
  genome: Pick<Genome, "text">,
  expressed: readonly ExpressedGene[],
  options: FrameOptions,
): AsyncGenerator<GeneDocument> {
  const { lossOf, signal, onGene } = options;
  for (const of of expressed) {
    signal?.throwIfAborted();
    const { gene, dose, copies } = of;
    const text = await genome.text(gene);
    for (let copy = 0; copy < copies; copy++) {
      for (const framed of framingOf(dose.framing).frame({ gene, text, copy }, options)) {
        const emphasis = dose.emphasis ?? undefined;
        yield {
          of,
          stretches: framed.map((stretch) => ({ ...stretch, loss: dose.loss * lossOf(stretch.part), emphasis })),
        };
      }
    }
    onGene?.();
  }
}
