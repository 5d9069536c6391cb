/** What a source is as written, and what its repository is called in the genome. */
import { basename, dirname, resolve } from "node:path";
import { UserError } from "../errors.ts";

/** A remote repository. */
export interface UrlSource {
  readonly kind: "url";
  readonly url: string;
  /** Host, owner ... name: what a name can be made of, the shortest last. */
  readonly parts: readonly string[];
}

/** A repository on this machine. */
export interface PathSource {
  readonly kind: "path";
  readonly path: string;
  /** The folders down to it: what a name can be made of, the shortest last. */
  readonly parts: readonly string[];
}

export type Source = UrlSource | PathSource;

const schemes = ["https:", "http:", "ssh:", "git:", "file:"];

/**
 * Reads a source as typed: a URL (https, http, ssh, git, file, or `user@host:path`), else a path.
 *
 * @throws UserError "invalid" for a URL of another scheme
 */
export function parseSource(text: string): Source {
  if (/^[a-z][a-z0-9+.-]*::/i.test(text)) throw unknownScheme(text, `${text.split("::")[0]}::`);
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined)
      throw new UserError("invalid", `${redact(text)} is not a URL`, { hint: "Check its spelling." });
    if (!schemes.includes(url.protocol)) throw unknownScheme(text, url.protocol);
    return { kind: "url", url: text, parts: nameParts(url.host, url.pathname) };
  }
  const scp = /^[\w.-]+@([\w.-]+):(?!\/\/)(.+)$/.exec(text);
  if (scp !== null) return { kind: "url", url: text, parts: nameParts(scp[1]!, scp[2]!) };
  const path = resolve(text);
  const bare = basename(path) === ".git" ? dirname(path) : path;
  return { kind: "path", path, parts: nameParts("", bare) };
}

function unknownScheme(text: string, scheme: string): UserError {
  return new UserError("invalid", `${redact(text)}: sources of scheme ${scheme} are not accepted`, {
    hint: "Give a local path or a URL that begins with https://, ssh://, git:// or file://.",
  });
}

function nameParts(host: string, path: string): string[] {
  const parts = path.split(/[\\/]/).filter((part) => part !== "");
  const last = parts.pop()?.replace(/\.git$/, "") || "repository";
  const decoded = [...parts, last].map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return host === "" ? decoded : [host.toLowerCase(), ...decoded];
}

/** A URL without the user name and password that it may carry. */
export function redact(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, "$1");
}

/** Equal for two spellings of one remote repository, or of one local path. */
export function sourceKey(source: Source): string {
  return source.kind === "path" ? `path:${source.path}` : source.parts.join("/");
}

/** How a source is called in messages. */
export function describeSource(source: Source): string {
  return source.kind === "path" ? source.path : redact(source.url);
}

/** Names of repositories, in the order given: the last part, and as many before it as tell equal ones apart. */
export function assignNames(parts: readonly (readonly string[])[]): string[] {
  const taken = parts.map(() => 1);
  const name = (i: number): string => parts[i]!.slice(-taken[i]!).join("/");
  for (;;) {
    const groups = Map.groupBy(parts.keys(), name);
    const clashes = [...groups.values()].filter((group) => group.length > 1).flat();
    const longer = clashes.filter((i) => taken[i]! < parts[i]!.length);
    if (longer.length === 0) return parts.map((_, i) => name(i));
    for (const i of longer) taken[i]!++;
  }
}
