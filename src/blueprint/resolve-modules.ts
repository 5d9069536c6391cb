/** What a blueprint says by the names of weights, checked against what it trains of a body: marks and blends. */
import { UserError } from "../errors.ts";
import type { ModelConfig } from "../models/config.ts";
import { rateOf } from "../models/module-marks.ts";
import type { NameRule } from "../models/weight-names.ts";
import { idleRule } from "../models/weight-names.ts";
import { expectedWeights } from "../models/weights.ts";
import type { Planned, PlannedSettings } from "./plan.ts";
import type { Blueprint } from "./schema.ts";
import { origins } from "./origins.ts";
import { resolveLora } from "./workload.ts";

/**
 * Marks on modules, and the blend at the end of a run.
 *
 * @throws UserError `invalid` where a rule matches nothing that is trained, or all of it is frozen
 */
export function resolveModules(blueprint: Blueprint, config: ModelConfig): Pick<PlannedSettings, "modules" | "blend"> {
  const from = origins(blueprint);
  const modules: Planned<PlannedSettings["modules"]["value"]> = from(blueprint.modules, [], "every module alike");
  const blend = from(blendOf(blueprint), null, "no blend: what training left emerges as it is");
  const trained = trainedWeights(blueprint, config);
  refuseIdle(blueprint, "modules", modules.value, trained);
  refuseIdle(blueprint, "blend.modules", blend.value?.modules ?? [], trained);
  if (trained.every((name) => rateOf(modules.value)(name) === 0)) {
    throw new UserError("invalid", `${blueprint.name}: modules freezes everything that is trained`, {
      hint: `give a learningRate above 0 to some of it, such as ${trained[0]}`,
    });
  }
  return { modules, blend };
}

function blendOf({ blend }: Blueprint): PlannedSettings["blend"]["value"] | undefined {
  if (blend === undefined) return undefined;
  if (typeof blend === "number") return { alphas: [blend], modules: [] };
  if ("choose" in blend) return { alphas: [...new Set(blend.choose)].toSorted((a, b) => a - b), modules: [] };
  return { alphas: [blend.alpha], modules: blend.modules ?? [] };
}

function refuseIdle(
  { name, method }: Blueprint,
  key: string,
  rules: readonly NameRule[],
  trained: readonly string[],
): void {
  const idle = idleRule(rules, trained);
  if (idle === undefined) return;
  const what = method === "lora" ? "adapted weight" : "weight";
  throw new UserError("invalid", `${name}: in ${key}, no ${what}'s name matches ${idle.match}`, {
    hint: `names are such as ${trained.slice(0, 3).join(", ")}`,
  });
}

/** Names of the weights that a method trains, or adapts. */
function trainedWeights(blueprint: Blueprint, config: ModelConfig): string[] {
  const names = [...expectedWeights(config).keys()];
  const targets: readonly string[] | undefined = resolveLora(blueprint).value?.targets;
  return targets === undefined ? names : names.filter((name) => targets.includes(name.split(".").at(-2)!));
}
