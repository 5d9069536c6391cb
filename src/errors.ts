/** The two ways anything here fails: `UserError` for what the user can mend, `invariant` for what we got wrong. */

/** Stable, machine-readable names of the failures a user can cause or mend. */
export type UserErrorCode =
  | "usage"
  | "not-found"
  | "not-a-repository"
  | "unreachable"
  | "no-git"
  | "damaged"
  | "unsupported"
  | "mismatch"
  | "invalid"
  | "memory"
  | "disk"
  | "exists"
  | "overlap"
  | "empty"
  | "unready"
  | "diverged"
  | "gate"
  | "interrupted";

/**
 * A failure the user can understand and mend: it names the thing and the value (`message`) and the remedy (`hint`).
 * The command line prints it as one line and exits with 2, or with 1 where the work itself failed or a gate
 * was not met (`diverged`, `interrupted`, `gate`).
 */
export class UserError extends Error {
  readonly code: UserErrorCode;
  readonly hint: string | undefined;

  constructor(code: UserErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "UserError";
    this.code = code;
    this.hint = options.hint;
  }
}

/** Throws when `condition` is false: a defect of this program, never of its input. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant violated: ${message}`);
}
