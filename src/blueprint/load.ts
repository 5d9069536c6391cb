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
  /** The text as written, comments included. */
  readonly yaml: string;
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
  const yaml = await readBlueprintText(path);
  const blueprint = parseBlueprint(yaml, file);
  return { blueprint, file, yaml, sha256: createHash("sha256").update(canonicalJson(blueprint)).digest("hex") };
}

/**
 * The text of a blueprint's file.
 *
 * @throws UserError `not-found`, or where it is larger than any recipe
 */
export async function readBlueprintText(path: string): Promise<string> {
  return new TextDecoder().decode(await readLimited(path, MAX_BYTES));
}

/** What is wrong at a place of a file. */
export interface Problem {
  readonly line: number;
  readonly message: string;
  readonly hint?: string;
}

export interface Checked {
  /** Undefined where something is wrong. */
  readonly blueprint: Blueprint | undefined;
  /** What is most likely the cause of others first. */
  readonly problems: readonly Problem[];
  /** The line of a key, or of what is nearest above it. */
  lineOf(path: readonly PropertyKey[]): number;
}

/**
 * Parses a blueprint's YAML.
 *
 * @param file its name, for messages
 * @throws UserError `invalid`: file, line, what is wrong there, and for an unknown key the nearest known one
 */
export function parseBlueprint(yaml: string, file: string): Blueprint {
  const { blueprint, problems } = checkBlueprint(yaml);
  if (blueprint !== undefined) return blueprint;
  const { line, message, hint } = problems[0]!;
  throw new UserError("invalid", `${file}:${line}: ${message}`, hint === undefined ? {} : { hint });
}

/** Checks a blueprint's YAML against the schema and finds all that is wrong. */
export function checkBlueprint(yaml: string): Checked {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines });
  const lineOf = (path: readonly PropertyKey[]): number => lines.linePos(offsetOf(document, path)).line;
  const wrong = (problems: readonly Problem[]): Checked => ({ blueprint: undefined, problems, lineOf });
  const notYaml = (offset: number, message: string): Problem => {
    return { line: lines.linePos(offset).line, message: `not valid YAML: ${message.split("\n")[0]}` };
  };
  if (document.errors.length > 0) return wrong(document.errors.map(({ pos, message }) => notYaml(pos[0], message)));
  let written: unknown;
  try {
    written = document.toJS();
  } catch (error) {
    // An alias without its anchor, or so many that they would fill the memory.
    return wrong([notYaml(0, error instanceof Error ? error.message : String(error))]);
  }
  const parsed = blueprintSchema.safeParse(written);
  if (parsed.success) return { blueprint: parsed.data, problems: [], lineOf };
  const problems = parsed.error.issues.flatMap((issue) => problemsOf(innermost(issue), lineOf));
  // A required key that is missing is most often one that is misspelt: say that first.
  return wrong(problems.toSorted((a, b) => Number(b.hint !== undefined) - Number(a.hint !== undefined)));
}

/** Where a path stands in the text, or what is nearest above it. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

/** Of a value that fits none of several forms, what is wrong with it in the form that it is meant to have. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union") return issue;
  const isMeant = (of: readonly z.core.$ZodIssue[]): boolean =>
    of.some(({ path, code }) => path.length > 0 || code === "unrecognized_keys");
  const form = issue.errors.find(isMeant) ?? issue.errors[0] ?? [];
  const inner = form.find(({ code }) => code === "unrecognized_keys") ?? form[0];
  return inner === undefined ? issue : innermost({ ...inner, path: [...issue.path, ...inner.path] });
}

function problemsOf(issue: z.core.$ZodIssue, lineOf: Checked["lineOf"]): Problem[] {
  const place = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(blueprintSchema, issue.path);
    return issue.keys.map((key) => ({
      line: lineOf([...issue.path, key]),
      message: `unknown key ${JSON.stringify(key)}${place === "" ? "" : ` in ${place}`}`,
      hint: `the nearest known key is ${nearest(key, known)}; known are ${known.join(", ")}`,
    }));
  }
  const missing = issue.code === "invalid_type" && issue.message.endsWith("received undefined");
  const what = place === "" ? "the blueprint" : place;
  return [{ line: lineOf(issue.path), message: `${what}${missing ? " is missing" : `: ${issue.message}`}` }];
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
