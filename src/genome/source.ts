/** What a source is as written, and what its repository is called in the genome. */
import { existsSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../errors.ts";
import { isForge } from "./forges.ts";
import { checkPin } from "./pins.ts";

interface SourceBase {
  /** Branch, tag or commit after `@`; null for what HEAD is at. */
  readonly ref: string | null;
  /** Host (of a remote) or folders, owner ... name: what a name can be made of, the shortest last. */
  readonly parts: readonly string[];
}

/** A remote repository. */
export interface UrlSource extends SourceBase {
  readonly kind: "url";
  readonly url: string;
}

/** A repository on this machine. */
export interface PathSource extends SourceBase {
  readonly kind: "path";
  readonly path: string;
}

export type Source = UrlSource | PathSource;

const schemes = ["https:", "http:", "ssh:", "git:", "file:"];
const scpLike = /^(\w[\w.-]*@)?(\w[\w.-]+|\[[0-9a-f:]+\]):(?!\/\/)([^:].*)$/is;
const shorthand = /^[a-z\d](?:-?[a-z\d])*\/(?!\.+(?:@|$))[\w.-]+(?:@|$)/i;

export interface ParseOptions {
  /** What relative paths start from (default: the working directory). */
  readonly folder?: string;
  /** Whether there is something at a path (default: as the file system says). */
  readonly exists?: (path: string) => boolean;
}

/**
 * Reads a source as typed: a URL (https, http, ssh, git, file, or `user@host:path`), a path, or `user/name` for a
 * repository at GitHub. Each may carry a pin after `@`. What stands on this machine under the very text, or the text
 * before an `@` of it, goes before everything but a URL.
 *
 * @throws UserError "invalid" for a URL of another scheme, or a pin that cannot be one
 */
export function parseSource(text: string, options: ParseOptions = {}): Source {
  const { exists = existsSync, folder = "." } = options;
  if (/^[a-z][a-z0-9+.-]*::/i.test(text)) throw unknownScheme(text, `${text.split("::")[0]}::`);
  const authority = /^[a-z][a-z0-9+.-]+:\/\/[^/?#]*/i.exec(text)?.[0];
  if (authority !== undefined) {
    const file = filePath(text);
    if (file !== undefined && exists(file)) return urlSource(text, null);
    const path = text.slice(authority.length);
    // An @ that opens a part of the path belongs to a name, as in https://host/@team/name.
    const pin = /[^/]@/.exec(path)?.index;
    return pin === undefined ? urlSource(text, null) : pinned(text, authority.length + pin + 1, urlSource);
  }
  const local = (path: string, ref: string | null): PathSource => pathSource(resolve(folder, path), ref);
  const isThere = (path: string): boolean => exists(resolve(folder, path));
  if (isThere(text)) return local(text, null);
  const scp = scpLike.exec(text);
  const at = scp?.[1] === undefined ? atOfPath(text, isThere) : 0;
  if (at > 0) return pinned(text, at, local);
  if (scp !== null) {
    const pin = text.indexOf("@", text.length - scp[3]!.length);
    return pin < 0 ? urlSource(text, null) : pinned(text, pin, urlSource);
  }
  if (shorthand.test(text)) {
    const [name] = text.split("@");
    const url = (short: string, ref: string | null): UrlSource => urlSource(`https://github.com/${short}`, ref);
    return name === text ? url(name, null) : pinned(text, name!.length, url);
  }
  return local(text, null);
}

/** A remote repository by its URL, which carries no pin of its own, as lock files give it. */
export function urlSource(url: string, ref: string | null): UrlSource {
  // oxlint-disable-next-line no-control-regex -- what reads URLs drops them, and git does not
  if (/[\u0000-\u0020\u007f]/.test(url)) throw notAnAddress(url);
  const scp = /^[a-z][a-z0-9+.-]+:\/\//i.test(url) ? null : scpLike.exec(url);
  if (scp !== null) return { kind: "url", url, ref, parts: nameParts(scp[2]!, scp[3]!) };
  if (!URL.canParse(url)) throw notAnAddress(url);
  const { protocol, host, pathname } = new URL(url);
  if (!schemes.includes(protocol)) throw unknownScheme(url, protocol);
  return { kind: "url", url, ref, parts: nameParts(host, pathname) };
}

function pathSource(path: string, ref: string | null): PathSource {
  return { kind: "path", path, ref, parts: nameParts("", basename(path) === ".git" ? dirname(path) : path) };
}

/** Where the pin of a path begins: at the last `@` before which it is a path of something; 0 where there is none. */
function atOfPath(text: string, isThere: (path: string) => boolean): number {
  for (let at = text.lastIndexOf("@"); at > 0; at = text.lastIndexOf("@", at - 1)) {
    if (isThere(text.slice(0, at))) return at;
  }
  return 0;
}

function pinned<S>(text: string, at: number, make: (source: string, ref: string) => S): S {
  const source = text.slice(0, at);
  return make(source, checkPin(text.slice(at + 1), redact(source)));
}

/** The path of a file URL; undefined for all others. */
export function filePath(url: string): string | undefined {
  if (!/^file:\/\//i.test(url) || !URL.canParse(url)) return undefined;
  try {
    return fileURLToPath(url);
  } catch {
    return undefined; // It names a host, or holds an encoded slash.
  }
}

function notAnAddress(url: string): UserError {
  return new UserError("invalid", `${redact(url)} is not a URL`, { hint: "Check its spelling." });
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

/**
 * A URL without what it may carry of credentials: user name and password (of ssh only the password, since the name
 * is part of the address), and the query.
 */
export function redact(url: string): string {
  const match = /^([a-z][a-z0-9+.-]*:\/\/)([^?#]*)/i.exec(url);
  if (match === null) return url;
  const [, scheme, rest] = match as unknown as [string, string, string];
  const host = /^[^/]*/.exec(rest)![0];
  // A password may hold slashes and at signs, although it should not: what is left must look like a host then.
  const isHost = /^(?:\[[^\]]*\]|[^:]*)(?::\d*)?$/.test(host.slice(host.lastIndexOf("@") + 1));
  const end = (isHost ? host : rest).lastIndexOf("@");
  const user = /^ssh:/i.test(scheme) ? /^[\w.-]+(?=[:@])/.exec(rest.slice(0, end + 1))?.[0] : undefined;
  return `${scheme}${user === undefined ? "" : `${user}@`}${rest.slice(end + 1)}`;
}

/** Equal for two spellings of one remote repository, or of one local path, whatever their pins. */
export function sourceKey(source: Source): string {
  if (source.kind === "path") return `path:${source.path}`;
  const key = source.parts.join("/");
  return isForge(source.parts[0]!) ? key.toLowerCase() : key;
}

/** How a source is called in messages. */
export function describeSource(source: Source): string {
  const place = source.kind === "path" ? source.path : redact(source.url);
  return source.ref === null ? place : `${place}@${source.ref}`;
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
