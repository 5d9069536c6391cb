/** How much a parent is asked about genes, and how long what it reads and writes may be: what planning needs to know. */

export interface QuestionPlan {
  /** Passages that the parent is asked about, at most. */
  readonly passages: number;
  /** Of these, of one file at most. */
  readonly perFile: number;
  /** UTF-8 bytes of all pairs together, at most. */
  readonly bytes: number;
}

/** Tokens of a passage at most: small models lose the thread of longer ones. */
export const PASSAGE_TOKENS = 160;

/** Most tokens that a question with its answer may take. */
export const PAIR_TOKENS = 96;
