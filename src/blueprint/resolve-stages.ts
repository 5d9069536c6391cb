/** The stages of a recipe, with what it leaves open filled in. */
import type { Planned, StageSettings } from "./plan.ts";
import type { Blueprint } from "./schema.ts";
import type { ObjectiveName } from "./stages-schema.ts";

/** The one stage of a recipe that names none. */
const ONLY = "all";

/**
 * Every stage with its objective and its part of the training; the parts add up to 1.
 *
 * @param asks whether what a stage reads holds prompts with answers
 */
export function resolveStages(
  { name, stages }: Pick<Blueprint, "name" | "stages">,
  asks: (stage: string) => boolean,
): Planned<readonly StageSettings[]> {
  const objectiveOf = (stage: string): ObjectiveName => (asks(stage) ? "sft" : "clm");
  if (stages === undefined) {
    const objective = objectiveOf(ONLY);
    const reason = objective === "sft" ? "of prompts with answers the answers are trained" : "every token is trained";
    return { value: [{ name: ONLY, objective, share: 1 }], origin: "derived", reason };
  }
  const given = stages.reduce((sum, { share = 0 }) => sum + share, 0);
  const open = stages.filter(({ share }) => share === undefined).length;
  return {
    value: stages.map((stage) => ({
      name: stage.name,
      objective: stage.objective ?? objectiveOf(stage.name),
      share: stage.share ?? (1 - given) / open,
    })),
    origin: "recipe",
    reason: name,
  };
}
