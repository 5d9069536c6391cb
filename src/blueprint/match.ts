/** Which recipe fits a body: every predicate with the reason why it holds or not. */
import { UserError } from "../errors.ts";
import type { LoadedBlueprint } from "./load.ts";

/** What predicates look at. */
export interface BodyFacts {
  /** A tied head counts once. */
  readonly parameters: number;
}

export interface Judged {
  readonly recipe: LoadedBlueprint;
  readonly applies: boolean;
  /** Each predicate, whether it holds, and the body's value. */
  readonly reasons: readonly string[];
}

export interface Match {
  readonly chosen: LoadedBlueprint;
  readonly reason: string;
  /** All recipes, those that apply first, then by name. */
  readonly ranking: readonly Judged[];
}

/** Judges one recipe for a body. */
export function judge(recipe: LoadedBlueprint, body: BodyFacts): Judged {
  const { atLeast, below } = recipe.blueprint.applies?.parameters ?? {};
  const size = `${readable(body.parameters)} parameters`;
  const reasons: string[] = [];
  let applies = true;
  if (atLeast !== undefined) {
    const holds = body.parameters >= atLeast;
    reasons.push(`${size}, ${holds ? "at least" : "not at least"} ${readable(atLeast)}`);
    applies &&= holds;
  }
  if (below !== undefined) {
    const holds = body.parameters < below;
    reasons.push(`${size}, ${holds ? "below" : "not below"} ${readable(below)}`);
    applies &&= holds;
  }
  if (reasons.length === 0) reasons.push("for every body");
  return { recipe, applies, reasons };
}

/**
 * Picks the recipe that applies; of several the one with the narrowest range of sizes, then the first by name.
 *
 * @throws UserError `unsupported` when none applies, with the predicates of the nearest
 */
export function matchBlueprint(recipes: readonly LoadedBlueprint[], body: BodyFacts): Match {
  const ranking = recipes
    .map((recipe) => judge(recipe, body))
    .sort((a, b) => rank(a) - rank(b) || width(a.recipe) - width(b.recipe) || compareNames(a, b));
  const [first] = ranking;
  if (!first?.applies) {
    const near = ranking.toSorted((a, b) => distance(a.recipe, body) - distance(b.recipe, body))[0];
    throw new UserError("unsupported", `no blueprint applies to a body of ${readable(body.parameters)} parameters`, {
      hint: near
        ? `the nearest is ${near.recipe.blueprint.name} (${near.reasons.join("; ")}); name it with --blueprint to use it all the same`
        : "name one with --blueprint FILE",
    });
  }
  return { chosen: first.recipe, reason: first.reasons.join("; "), ranking };
}

const rank = (of: Judged): number => (of.applies ? 0 : 1);

const compareNames = (a: Judged, b: Judged): number => (a.recipe.blueprint.name < b.recipe.blueprint.name ? -1 : 1);

/** Orders of magnitude that a recipe covers. */
function width({ blueprint }: LoadedBlueprint): number {
  const { atLeast = 1, below = 1e15 } = blueprint.applies?.parameters ?? {};
  return Math.log(below / atLeast);
}

/** Orders of magnitude from a body to the range of a recipe. */
function distance({ blueprint }: LoadedBlueprint, { parameters }: BodyFacts): number {
  const { atLeast = 1, below = Infinity } = blueprint.applies?.parameters ?? {};
  return Math.max(0, Math.log(atLeast / parameters), Math.log(parameters / below));
}

/** 5.9 M, 1.2 B: as parameters are spoken of. */
function readable(count: number): string {
  for (const [unit, size] of [
    ["B", 1e9],
    ["M", 1e6],
    ["k", 1e3],
  ] as const) {
    if (count >= size) return `${Number((count / size).toPrecision(3))} ${unit}`;
  }
  return String(count);
}
