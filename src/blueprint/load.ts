/** Blueprints by name or file: YAML checked against the schema, each mistake with its line and its remedy. */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Document, isNode, LineCounter, parseDocument } from "yaml";
import * as z from "zod";
import { UserError } from "../errors.ts";
import { canonicalJson, readLimited } from "../formats/files.ts";
import { nearest } from "./nearest.ts";
import { type Blueprint, blueprintSchema } from "./schema.ts";

/** The recipes that ship with the project. */
export const BLUEPRINTS = fileURLToPath(new URL("../../blueprints", import.meta.url));
const MAX_BYTES = 1 << 20;

export interface LoadedBlueprint {
  readonly blueprint: Blueprint;
  /** File name, for messages. */
  readonly file: string;
  /** SHA-256 of the values, whatever the comments and the order. */
  readonly sha256: string;
}

/**
 * Loads a recipe: a path (with a separator or ending in .yaml or .yml), else the name of one in `folder`.
 *
 * @throws UserError `not-found` (with the nearest name), `invalid` (file, line, nearest known key)
 */
export async function loadBlueprint(nameOrFile: string, folder = BLUEPRINTS): Promise<LoadedBlueprint> {
  if (/[/\\]|\.ya?ml$/i.test(nameOrFile)) return readBlueprint(resolve(nameOrFile), nameOrFile);
  const names = await blueprintNames(folder);
  if (names.includes(nameOrFile)) return readBlueprint(join(folder, `${nameOrFile}.yaml`), `${nameOrFile}.yaml`);
  throw new UserError("not-found", `there is no blueprint ${JSON.stringify(nameOrFile)}`, {
    hint: `the nearest is ${nearest(nameOrFile, names)}; there are ${names.join(", ")}; a file must end in .yaml`,
  });
}

/** All recipes of a folder, by name. */
export async function loadBlueprints(folder = BLUEPRINTS): Promise<LoadedBlueprint[]> {
  return Promise.all((await blueprintNames(folder)).map((name) => loadBlueprint(name, folder)));
}

async function blueprintNames(folder: string): Promise<string[]> {
  const files = await readdir(folder);
  return files
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => basename(file, ".yaml"))
    .sort();
}

async function readBlueprint(path: string, file: string): Promise<LoadedBlueprint> {
  const bytes = await readLimited(path, MAX_BYTES);
  const blueprint = parseBlueprint(new TextDecoder().decode(bytes), file);
  return { blueprint, file, sha256: createHash("sha256").update(canonicalJson(blueprint)).digest("hex") };
}

/**
 * Parses a blueprint's YAML.
 *
 * @param file its name, for messages
 * @throws UserError `invalid`: file, line, what is wrong there, and for an unknown key the nearest known one
 */
export function parseBlueprint(yaml: string, file: string): Blueprint {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines });
  const [mistake] = document.errors;
  if (mistake) {
    const where = `${file}:${lines.linePos(mistake.pos[0]).line}`;
    throw new UserError("invalid", `${where}: not valid YAML: ${mistake.message.split("\n")[0]}`, { cause: mistake });
  }
  const parsed = blueprintSchema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  // A required key that is missing is most often one that is misspelt: say that first.
  const issues = parsed.error.issues.map(innermost);
  const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0]!;
  const unknown = issue.code === "unrecognized_keys" ? issue.keys[0] : undefined;
  const path = unknown === undefined ? issue.path : [...issue.path, unknown];
  const line = lines.linePos(offsetOf(document, path)).line;
  throw new UserError("invalid", `${file}:${line}: ${explain(issue, unknown)}`, remedy(issue, unknown));
}

/** Where a path stands in the text, or what is nearest above it. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

type Issue = z.core.$ZodIssue;

/** Of a value that fits none of several forms, what is wrong with it in the form that it is meant to have. */
function innermost(issue: Issue): Issue {
  if (issue.code !== "invalid_union") return issue;
  const isMeant = (of: readonly Issue[]): boolean =>
    of.some(({ path, code }) => path.length > 0 || code === "unrecognized_keys");
  const form = issue.errors.find(isMeant) ?? issue.errors[0] ?? [];
  const inner = form.find(({ code }) => code === "unrecognized_keys") ?? form[0];
  return inner === undefined ? issue : innermost({ ...inner, path: [...issue.path, ...inner.path] });
}

function explain(issue: Issue, unknown: string | undefined): string {
  const place = issue.path.join(".");
  if (unknown !== undefined) return `unknown key ${JSON.stringify(unknown)}${place === "" ? "" : ` in ${place}`}`;
  const missing = issue.code === "invalid_type" && issue.message.endsWith("received undefined");
  return `${place === "" ? "the blueprint" : place}${missing ? " is missing" : `: ${issue.message}`}`;
}

function remedy(issue: Issue, unknown: string | undefined): { hint: string } | undefined {
  if (unknown === undefined) return undefined;
  const known = keysAt(blueprintSchema, issue.path);
  return { hint: `the nearest known key is ${nearest(unknown, known)}; known are ${known.join(", ")}` };
}

/** The keys that the schema knows at a path. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  if (schema instanceof z.ZodOptional) return keysAt(schema.unwrap(), path);
  if (schema instanceof z.ZodArray) return keysAt(schema.element, path.slice(1));
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => keysAt(option, path));
  if (!(schema instanceof z.ZodObject)) return [];
  const [key, ...rest] = path;
  if (key === undefined) return Object.keys(schema.shape);
  const child: unknown = schema.shape[String(key)];
  return child instanceof z.ZodType ? keysAt(child, rest) : [];
}
