/** What a genome text is made of, whichever its format: repositories with their files, one piece after the other. */

export type TextPiece =
  | { readonly type: "repository"; readonly name: Uint8Array; readonly line: number }
  | ParsedFile
  | { readonly type: "repository-end" };

export interface ParsedFile {
  readonly type: "file";
  /** The raw bytes of the path. */
  readonly path: Uint8Array;
  /** UTF-8, without escapes and without the newline that the format adds. */
  readonly content: Uint8Array<ArrayBuffer>;
  /** The content before bytes that are not UTF-8 were dropped; only where there were any. */
  readonly raw?: Uint8Array<ArrayBuffer>;
  /** The number of the line with its header, from 1. */
  readonly line: number;
}

/** A longer name is no name. */
export const longestName = 65_536;
/** A longer content cannot be held as a text (V8 holds strings of 2^29 - 24 characters). */
export const largestContent = 2 ** 29 - 24;
