/** Everything that is wrong or doubtful in a blueprint's file, with its line. */
import { basename } from "node:path";
import { outsideEvidence } from "./evidence.ts";
import { checkBlueprint, type Problem, readBlueprintText } from "./load.ts";

export interface Linted {
  readonly file: string;
  /** What makes it no blueprint. */
  readonly errors: readonly Problem[];
  /** Values outside the evidence, and a name that is not the file's. */
  readonly warnings: readonly Problem[];
}

/**
 * Checks one file.
 *
 * @param path where it is
 * @param file its name as the user knows it
 * @throws UserError `not-found` where it cannot be read
 */
export async function lintBlueprint(path: string, file: string): Promise<Linted> {
  const { blueprint, problems, lineOf } = checkBlueprint(await readBlueprintText(path));
  if (blueprint === undefined) return { file, errors: problems.toSorted(byLine), warnings: [] };
  const warnings = outsideEvidence(blueprint).map((of) => ({ line: lineOf(of.path), message: of.message }));
  const name = basename(path).replace(/\.ya?ml$/i, "");
  if (blueprint.name !== name) {
    const message = `name is ${blueprint.name}, the file's is ${name}: recipes are found by the name of their file`;
    warnings.push({ line: lineOf(["name"]), message });
  }
  return { file, errors: [], warnings: warnings.toSorted(byLine) };
}

const byLine = (a: Problem, b: Problem): number => a.line - b.line;
