/** What tests say about failures. */

import { UserError } from "../../src/errors.ts";
import type { UserErrorCode } from "../../src/errors.ts";

/** For `assert.rejects` and `assert.throws`: a `UserError` of this code whose message fits, and that has a remedy. */
export function failsWith(code: UserErrorCode, pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    if (!(error instanceof UserError)) throw error;
    if (error.code === code && pattern.test(error.message) && (error.hint ?? "") !== "") return true;
    throw new Error(`expected ${code} ${String(pattern)} with a hint, got ${error.code}: ${error.message}`, {
      cause: error,
    });
  };
}
