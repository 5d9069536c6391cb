/** `SHA256SUMS`: the hashes of a genome's own files, in the form that `sha256sum -c` reads. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../errors.ts";
import { compareCodePoints } from "../order.ts";
import { hashInside, listFolder, readInside } from "./folder.ts";

export const sumsName = "SHA256SUMS";
/** They carry times, so they differ from build to build. */
export const timedFiles = ["integrity_report.json", "integration_report.json", "events.jsonl"] as const;

const unlistedNames: ReadonlySet<string> = new Set([sumsName, ...timedFiles]);
const limitBytes = 256 << 20;

export interface SumFailure {
  /** Relative to the genome's folder; `SHA256SUMS` where its own form is wrong. */
  readonly file: string;
  readonly why: string;
}

export interface SumsResult {
  /** Files that are listed and hash to what is listed. */
  readonly ok: readonly string[];
  readonly failed: readonly SumFailure[];
  /** Files that are there and should be listed, but are not. */
  readonly unlisted: readonly string[];
  /** The hash of each file in `ok`. */
  readonly hashes: ReadonlyMap<string, string>;
}

/**
 * Hashes every file below the folder, but itself and the three that carry times, and lists them by code point.
 *
 * @param known hashes that were taken while a file was written, by name; such a file is not read again
 * @throws UserError "invalid" where the folder holds anything but plain files and folders
 */
export async function writeSums(folder: string, known: Readonly<Record<string, string>> = {}): Promise<void> {
  const entries = (await listFolder(folder)).filter(({ name }) => !unlistedNames.has(name));
  const other = entries.find(({ kind }) => kind !== "file");
  if (other !== undefined) {
    throw new UserError("invalid", `${join(folder, other.name)} is not a regular file`, {
      hint: "A genome holds plain files only.",
    });
  }
  const names = entries.map(({ name }) => name).sort(compareCodePoints);
  const lines: string[] = [];
  for (const name of names) lines.push(sumLine(known[name] ?? (await hashInside(folder, name)), name));
  await writeFile(join(folder, sumsName), lines.join(""));
}

/**
 * Checks a folder against its `SHA256SUMS`. The list must have exactly the form and order that `writeSums` gives it
 * and name every file, so that no byte of it can change unnoticed. Only regular files that lie in the folder are
 * opened, whatever the list names.
 *
 * @throws UserError "unsupported" where the folder is no genome's by its size
 */
export async function checkSums(folder: string): Promise<SumsResult> {
  const entries = new Map((await listFolder(folder)).map(({ name, kind }) => [name, kind]));
  const failed: SumFailure[] = [];
  const listed = new Map<string, string>();
  let last: string | undefined;
  for (const line of await readList(folder, failed)) {
    const entry = parseLine(line);
    if (typeof entry === "string") {
      failed.push({ file: sumsName, why: entry });
      continue;
    }
    if (last !== undefined && compareCodePoints(last, entry.name) >= 0) {
      failed.push({ file: sumsName, why: `${quoted(entry.name)} is out of order or listed twice` });
    }
    last = entry.name;
    listed.set(entry.name, entry.hash);
  }
  const hashes = new Map<string, string>();
  for (const [name, hash] of listed) {
    const why = whyRefused(name, entries.get(name)) ?? (await whyDifferent(folder, name, hash));
    if (why === undefined) hashes.set(name, hash);
    else failed.push({ file: name, why });
  }
  const unlisted: string[] = [];
  for (const [name, kind] of entries) {
    if (listed.has(name) || (kind === "file" && unlistedNames.has(name))) continue;
    if (kind === "file") unlisted.push(name);
    else failed.push({ file: name, why: kind === "link" ? "is a symbolic link" : "is not a regular file" });
  }
  return { ok: [...hashes.keys()], failed, unlisted: unlisted.sort(compareCodePoints), hashes };
}

/** The lines of the list, without their newlines; what is wrong with the list as a whole goes to `failed`. */
async function readList(folder: string, failed: SumFailure[]): Promise<string[]> {
  const refuse = (why: string): string[] => {
    failed.push({ file: sumsName, why });
    return [];
  };
  let bytes: Buffer;
  try {
    bytes = await readInside(folder, sumsName, limitBytes);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return refuse(error.code === "not-found" ? "is missing" : error.message);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse("is not UTF-8");
  }
  const lines = text.split("\n");
  if (lines.pop() !== "") failed.push({ file: sumsName, why: "does not end with a newline" });
  return lines;
}

function whyRefused(name: string, kind: "file" | "link" | "other" | undefined): string | undefined {
  if (unlistedNames.has(name)) return "is listed, but is not among the files to list";
  if (name.split("/").some((part) => part === "" || part === "." || part === "..")) {
    return "is listed, but its name leads out of the folder";
  }
  if (kind === undefined) return "is listed, but missing";
  if (kind === "file") return undefined;
  return kind === "link" ? "is a symbolic link" : "is not a regular file";
}

async function whyDifferent(folder: string, name: string, hash: string): Promise<string | undefined> {
  try {
    return (await hashInside(folder, name)) === hash ? undefined : "does not have the hash that is listed";
  } catch (error) {
    if (error instanceof UserError) return `cannot be read: ${error.message}`;
    throw error;
  }
}

/** A name with a backslash or a newline is written escaped, behind a backslash that begins the line (coreutils). */
function sumLine(hash: string, name: string): string {
  const escaped = name.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return `${escaped === name ? "" : "\\"}${hash}  ${escaped}\n`;
}

function parseLine(line: string): { hash: string; name: string } | string {
  const match = /^(\\?)([0-9a-f]{64}) {2}(.+)$/s.exec(line);
  if (match === null) return `the line ${quoted(line)} is not a hash, two spaces and a name`;
  const [, escaped, hash, written] = match as unknown as [string, string, string, string];
  const name = escaped === "" ? written : written.replace(/\\([\\n])/g, (_, letter) => (letter === "n" ? "\n" : "\\"));
  if (sumLine(hash, name) !== `${line}\n`) return `the name in the line ${quoted(line)} is not escaped as it should be`;
  return { hash, name };
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}...` : text);
}
