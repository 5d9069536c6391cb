/** Where a planned value comes from: the command line before the recipe, the recipe before a default. */
import type { Planned } from "./plan.ts";
import type { Blueprint } from "./schema.ts";

/** A value of the blueprint, or the default with why it is what it is. */
export function origins(blueprint: Blueprint): <T>(written: T | undefined, otherwise: T, reason: string) => Planned<T> {
  return (written, otherwise, reason) =>
    written === undefined
      ? { value: otherwise, origin: "default", reason }
      : { value: written, origin: "recipe", reason: blueprint.name };
}

/** A value of the command line, or what it goes before. */
export function resolveGiven<T>(given: T | undefined, flag: string, otherwise: Planned<T>): Planned<T> {
  return given === undefined ? otherwise : { value: given, origin: "given", reason: flag };
}
