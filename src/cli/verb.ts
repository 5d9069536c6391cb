/** What a verb is, and what it is given: the contract between the command line's frame and its verbs. */

import type { Readable, Writable } from "node:stream";
import type { Flags, Parsed, Positional } from "./flags.ts";
import type { Progress } from "./progress.ts";

/** What a verb may touch of the process. */
export interface Context {
  readonly cwd: string;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Results only; a verb that streams text writes here, and never with `json`. */
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable;
  /** Whether the result is wanted as JSON; `main` prints it. */
  readonly json: boolean;
  readonly progress: Progress;
  /**
   * Aborted by the first Ctrl-C, with a `UserError("interrupted")` as its reason; the second one ends the process,
   * unless `onInterrupt` says otherwise.
   */
  readonly signal: AbortSignal;
  /** Takes Ctrl-C over until the returned function is called: then `handle` is called instead of aborting `signal`. */
  onInterrupt(handle: () => void): () => void;
}

export interface VerbDefinition<F extends Flags, Result extends object> {
  readonly name: string;
  /** One line for the list of verbs, without its full stop. */
  readonly summary: string;
  /** What follows `chrysalis NAME`. */
  readonly usage: string;
  readonly positionals: readonly Positional[];
  readonly flags: F;
  readonly examples: readonly { readonly command: string; readonly does: string }[];
  /** Does the work; what it gives is printed as JSON, or as `human` says. */
  run(input: Parsed<F>, context: Context): Promise<Result>;
  /** Whether the result, which is shown all the same, makes the command end with exit code 1 (default: never). */
  failed?(result: Result): boolean;
  /** The result for people, on a terminal of so many columns; undefined where `run` has shown it already. */
  human(result: Result, columns: number): string | undefined;
}

export type Verb = VerbDefinition<Flags, object>;

/** Checks a verb's flags against its `run`, and forgets their types for the table of verbs. */
export function defineVerb<const F extends Flags, Result extends object>(definition: VerbDefinition<F, Result>): Verb {
  return definition;
}
