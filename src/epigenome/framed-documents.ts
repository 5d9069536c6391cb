/** The documents that one pass over the expressed genes trains on. */
import type { Genome } from "../genome/manifest.ts";
import { frame } from "./framings.ts";
import type { FramedDocument } from "./pack.ts";
import type { ExpressedGene } from "./select.ts";

/** Reads and frames each expressed gene as often as it comes, in the order given; ends with an error once `signal` is aborted. */
export async function* framedDocuments(
  genome: Pick<Genome, "text">,
  expressed: readonly ExpressedGene[],
  { seed, signal }: { readonly seed: number; readonly signal?: AbortSignal },
): AsyncGenerator<FramedDocument> {
  for (const { gene, dose, copies } of expressed) {
    signal?.throwIfAborted();
    const text = await genome.text(gene);
    for (let copy = 0; copy < copies; copy++) yield { stretches: frame(gene, text, { ...dose, seed, copy }) };
  }
}
