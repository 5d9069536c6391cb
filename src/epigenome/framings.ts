/** Framings: the forms in which a gene's text is shown to the model. */
import { uniform } from "../formats/random.ts";
import type { Gene } from "../genome/manifest.ts";

/** `text`: the text alone; `document`: most often below a line that names repository and path. */
export const framings = ["text", "document"] as const;
export type Framing = (typeof framings)[number];

/** A stretch of a document, with the weight of its tokens in the loss. */
export interface Stretch {
  readonly text: string;
  readonly loss: number;
}

/** Part of the documents that go without their header, so that the model works without one. */
const withoutHeader = 0.25;

/**
 * Frames one gene's text. A header is context: its own tokens are not trained.
 *
 * @param copy which time in a pass the gene comes, from 0
 */
export function frame(
  { repository, path, blob }: Pick<Gene, "repository" | "path" | "blob">,
  text: string,
  options: { readonly framing: Framing; readonly loss: number; readonly seed: number; readonly copy: number },
): readonly Stretch[] {
  const { framing, loss, seed, copy } = options;
  const body: Stretch = { text, loss };
  if (framing === "text") return [body];
  const chance = uniform(seed, `header ${repository}/${path} ${blob}`, copy, 0);
  return chance < withoutHeader ? [body] : [{ text: `${repository}/${path}\n\n`, loss: 0 }, body];
}
