/** Marks that change during a training, with what a recipe leaves open filled in. */
import type { Adapt } from "../epigenome/marks/adapt.ts";
import type { Planned, PlannedSettings } from "./plan.ts";
import type { Blueprint } from "./schema.ts";

const LEAST = 0.1;
const COST = 0.1;

/** A budget in steps has no time that could run out: environment is off there. */
export function resolveAdapt(
  { name, adapt }: Blueprint,
  budget: PlannedSettings["budget"]["value"],
): Planned<Adapt | null> {
  if (adapt === undefined) {
    return {
      value: null,
      origin: "default",
      reason: "marks stay: changing ones were measured to do worse (docs/log.md)",
    };
  }
  const { diet = false, stress = false, environment = false, least = LEAST, cost = COST } = adapt;
  const timed = "minutes" in budget;
  return {
    value: { diet, stress, environment: environment && timed, least, cost },
    origin: "recipe",
    reason: environment && !timed ? `${name} (environment: a budget in steps sets no time)` : name,
  };
}
