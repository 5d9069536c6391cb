/** What an objective is: which parts of a document the loss counts. */
import type { Part } from "../../epigenome/framings/framing.ts";

export interface Objective {
  /** One line, as help gives it. */
  readonly summary: string;
  /** Weight of a part's tokens in the loss. */
  readonly lossOf: (part: Part) => number;
}
