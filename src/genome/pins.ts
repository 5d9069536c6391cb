/** Pins: the branch, tag or commit that follows a source after `@`. Text from outside, checked before git sees it. */
import { UserError } from "../errors.ts";

const refBytes = 1000;

/**
 * Whether git could have a branch or tag of this name, by the rules of `git check-ref-format`; names that begin with
 * `-` are none here either, so that no name can be taken for an option.
 */
export function isRefName(name: string): boolean {
  if (name === "" || name === "@" || Buffer.byteLength(name) > refBytes || !name.isWellFormed()) return false;
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|^[-/]|[/.]$/.test(name)) return false;
  return name.split("/").every((part) => !part.startsWith(".") && !part.endsWith(".lock"));
}

/** Whether a pin may be the beginning of a commit's id, or the whole of it. */
export function isCommitPrefix(ref: string): boolean {
  return /^[0-9a-f]{4,64}$/.test(ref);
}

/** Whether a pin is the whole id of a commit. */
export function isCommitId(ref: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(ref);
}

/**
 * The names under which a remote or a repository may hold a pin, in the order in which they count: tags go before
 * branches, as in gitrevisions(7).
 */
export function refCandidates(ref: string): string[] {
  return ref === "HEAD" || ref.startsWith("refs/") ? [ref] : [`refs/tags/${ref}`, `refs/heads/${ref}`];
}

/**
 * @param source what the pin belongs to, for the message
 * @throws UserError "invalid" where it cannot be the name of a branch, tag or commit
 */
export function checkPin(ref: string, source: string): string {
  if (isRefName(ref)) return ref;
  throw new UserError("invalid", `${source}: "${ref}" cannot be the name of a branch, tag or commit`, {
    hint: "Write the source, an @, and a branch, tag or commit: owner/name@v1.2.",
  });
}
