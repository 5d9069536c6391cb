/** What a framing is: how the text of a gene becomes the documents that the model reads. */
import type { EncodedSequence } from "../../eval/bits-per-byte.ts";
import type { Gene } from "../../genome/manifest.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import type { Change } from "../changes.ts";
import type { Pair } from "../synthetic/judge-pair.ts";

/**
 * What a stretch of a document is to an objective. `header`: what the framing itself says of the text, which is never
 * trained; `text`: what somebody wrote; `prompt` and `answer`: what is asked, and what the model is to say to it.
 */
export const parts = ["header", "text", "prompt", "answer"] as const;
export type Part = (typeof parts)[number];

/** Text that somebody wrote, in which special tokens are plain text, or ids where the framing decides on them. */
type Content = { readonly text: string } | { readonly ids: readonly number[] };

/** A stretch of a document, of one part. */
export type FramedStretch = Content & { readonly part: Part };

/** A document as its stretches, in order. */
export type Framed = readonly FramedStretch[];

/** A gene as a framing sees it. */
export interface FramedGene {
  readonly gene: Pick<Gene, "repository" | "path" | "blob" | "language" | "transforms">;
  readonly text: string;
  /** Which time in a pass it comes, from 0. */
  readonly copy: number;
}

export interface FramingContext {
  readonly seed: number;
  /** Positions of a training sequence. */
  readonly sequence: number;
  readonly tokenizer: Tokenizer;
  /** What commits changed in a file, the newest first. */
  readonly changesOf: (gene: Pick<Gene, "repository" | "path">) => readonly Change[];
  /** What the parent asked itself about a file; undefined where it was not asked (yet). */
  readonly pairsOf?: ((gene: Pick<Gene, "repository" | "path">) => readonly Pair[]) | undefined;
}

export interface Framing {
  /** One line, as help and schema give it. */
  readonly summary: string;
  /** Whether it needs the changes of the genome's files. */
  readonly needsChanges?: true;
  /** Whether the parent is to ask itself about the files. */
  readonly needsPairs?: true;
  /** Whether its documents hold prompts and answers, of which the default objective trains the answers only. */
  readonly asks?: true;
  /**
   * The documents that a gene gives; none where there is nothing in it for this framing.
   *
   * @throws UserError "unsupported" where the tokenizer lacks what the framing needs
   */
  frame(of: FramedGene, context: FramingContext): Iterable<Framed>;
  /**
   * How a held-out gene is measured: of prompts with answers the answers, whatever the objective. Undefined where it is
   * by its text alone, as under every framing that does not say.
   *
   * @throws UserError as `frame`
   */
  measure?(of: Omit<FramedGene, "copy">, tokenizer: Tokenizer): readonly EncodedSequence[] | undefined;
}
