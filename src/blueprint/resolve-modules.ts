/** What a blueprint's marks on modules mean for a body: checked against the names of what it trains. */
import { UserError } from "../errors.ts";
import type { ModelConfig } from "../models/config.ts";
import { rateOf } from "../models/module-marks.ts";
import { idleRule } from "../models/weight-names.ts";
import { expectedWeights } from "../models/weights.ts";
import type { Planned, PlannedSettings } from "./plan.ts";
import type { Blueprint } from "./schema.ts";
import { origins, resolveLora } from "./workload.ts";

/**
 * The marks on modules.
 *
 * @throws UserError `invalid` where a rule matches nothing that is trained, or all of it is frozen
 */
export function resolveModules(
  blueprint: Blueprint,
  config: ModelConfig,
): Planned<PlannedSettings["modules"]["value"]> {
  const { modules } = blueprint;
  if (modules !== undefined) refuseIdle(blueprint, modules, config);
  return origins(blueprint)(modules, [], "every module alike");
}

function refuseIdle(blueprint: Blueprint, modules: NonNullable<Blueprint["modules"]>, config: ModelConfig): void {
  const trained = trainedWeights(blueprint, config);
  const examples = `names are such as ${trained.slice(0, 3).join(", ")}`;
  const idle = idleRule(modules, trained);
  if (idle !== undefined) {
    const what = blueprint.method === "lora" ? "adapted weight" : "weight";
    throw new UserError("invalid", `${blueprint.name}: in modules, no ${what}'s name matches ${idle.match}`, {
      hint: examples,
    });
  }
  if (trained.every((name) => rateOf(modules)(name) === 0)) {
    throw new UserError("invalid", `${blueprint.name}: modules freezes everything that is trained`, {
      hint: `give a learningRate above 0 to some of them; ${examples}`,
    });
  }
}

/** Names of the weights that a method trains, or adapts. */
function trainedWeights(blueprint: Blueprint, config: ModelConfig): string[] {
  const names = [...expectedWeights(config).keys()];
  const targets: readonly string[] | undefined = resolveLora(blueprint).value?.targets;
  return targets === undefined ? names : names.filter((name) => targets.includes(name.split(".").at(-2)!));
}
