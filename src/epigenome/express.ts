/** What of a genome is trained on, what is measured, and what stays silent: the whole decision, made once per run. */
import type { Gene } from "../genome/manifest.ts";
import { contentsOf } from "./data/with-data.ts";
import { withoutKnownTexts } from "./known-texts.ts";
import { holdOut, type HeldOut, type HeldOutOptions } from "./heldout.ts";
import { selectGenes, type ExpressedGene, type SelectOptions, type SilentGene } from "./select.ts";

export interface ExpressOptions extends HeldOutOptions, Omit<SelectOptions, "isMarked" | "keepAtLeast"> {
  /** General text on which forgetting is measured: a gene that holds a good part of it is never trained on. */
  readonly retention?: readonly string[];
}

export interface Expression {
  /** What is trained on, in the order of the genome. */
  readonly expressed: readonly ExpressedGene[];
  /** Its genes. */
  readonly trained: readonly Gene[];
  readonly heldOut: readonly Gene[];
  /** Everything that is not trained on, held-out files included. */
  readonly silent: readonly SilentGene[];
  readonly tooAlike: HeldOut["tooAlike"];
  /** Names of the rules that match no file of the genome. */
  readonly idle: readonly string[];
}

/**
 * Sets aside what the retention and replay texts hold already, applies the rules, holds files out of what they leave, and
 * applies the rules again to the rest: what is held out is made up as the diet is, and the limits still hold for
 * what is trained on.
 *
 * @throws UserError `empty` or `invalid` where nothing is left to train on or to hold out
 */
export async function expressGenes(genes: readonly Gene[], options: ExpressOptions): Promise<Expression> {
  const contents = async (gene: Gene): Promise<string> => contentsOf(gene, await options.text(gene));
  const known = await withoutKnownTexts(genes, contents, [
    { reason: "retention text", texts: options.retention ?? [] },
    { reason: "replay text", texts: [...(options.alsoTrained ?? [])] },
  ]);
  // A small diet must not make the held-out sample small: candidates may be more than what will be trained on.
  const first = selectGenes(known.genes, { ...options, keepAtLeast: options.maxBytes / options.share });
  const held = await holdOut(
    first.expressed.map(({ gene }) => gene),
    options,
  );
  const second = selectGenes(held.trained, { ...options, isMarked: true });
  return {
    expressed: second.expressed,
    trained: second.expressed.map(({ gene }) => gene),
    heldOut: held.heldOut,
    silent: [...known.silent, ...first.silent, ...held.silent, ...second.silent],
    tooAlike: held.tooAlike,
    idle: first.idle,
  };
}
