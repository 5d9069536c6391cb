/** The public interface of the package: re-exports only. */

export { UserError } from "./errors.ts";
export type { UserErrorCode } from "./errors.ts";
