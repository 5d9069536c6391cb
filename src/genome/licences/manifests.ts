/** The licence field of package manifests, read without a resolver: what else they hold is of no interest here. */
import { unrecognisedLicence } from "./catalogue.ts";
import { joinExpressions } from "./expression.ts";
import { namedLicence } from "./statement.ts";

/** In UTF-16 units; a larger manifest is generated. */
const maxCharacters = 1 << 20;
/** Of a longer list of alternatives the rest is passed over, which only allows less. */
const maxAlternatives = 16;

const readers: Readonly<Record<string, (text: string) => readonly string[]>> = {
  "package.json": jsonLicences,
  "composer.json": jsonLicences,
  "Cargo.toml": (text) => tomlLicences(text, ["package", "workspace.package"]),
  "pyproject.toml": (text) => tomlLicences(text, ["project", "tool.poetry"]),
};

export function isManifest(path: string): boolean {
  return Object.hasOwn(readers, path);
}

/**
 * The licence that a manifest at the root states: of several the reader has the choice, as npm and Composer define it.
 *
 * @returns an SPDX expression; `LicenseRef-unrecognised` for a value that is none (npm's "UNLICENSED"); null without one
 */
export function manifestLicence(file: { readonly path: string; readonly text: string }): string | null {
  if (file.text.length > maxCharacters) return null;
  const stated = readers[file.path]!(file.text).filter((value) => !/^see licen[cs]e in /i.test(value));
  return joinExpressions(
    stated.map((value) => namedLicence(value.replaceAll("/", " OR ")) ?? unrecognisedLicence),
    "OR",
  );
}

/** `license` as text, as an object with a `type`, or as a list of either; `licenses` as older npm had it. */
function jsonLicences(text: string): readonly string[] {
  let manifest: unknown;
  try {
    manifest = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    return []; // A manifest that its own tool could not read states nothing.
  }
  if (typeof manifest !== "object" || manifest === null) return [];
  const { license, licenses } = manifest as { license?: unknown; licenses?: unknown };
  return [license ?? licenses ?? []]
    .flat()
    .slice(0, maxAlternatives)
    .flatMap((value: unknown) => {
      if (typeof value === "string") return [value];
      const type = typeof value === "object" && value !== null && "type" in value ? value.type : undefined;
      return typeof type === "string" ? [type] : [];
    });
}

/** `license = "MIT"` or `license = { text = "MIT" }` in one of the tables, which is all of TOML that the field needs. */
function tomlLicences(text: string, tables: readonly string[]): readonly string[] {
  let table = "";
  for (const line of text.split(/\r?\n/)) {
    table = /^\s*\[([\w.\s-]+)\]\s*(?:#.*)?$/.exec(line)?.[1]?.trim() ?? table;
    const value = /^\s*license\s*=\s*(?:\{\s*text\s*=\s*)?(["'])(.*?)\1/.exec(line)?.[2];
    if (value !== undefined && tables.includes(table)) return [value];
  }
  return [];
}
