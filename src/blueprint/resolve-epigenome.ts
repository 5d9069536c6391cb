/** What of a genome a blueprint expresses for a body. */
import type { ModelConfig } from "../models/config.ts";
import { countTrainable } from "./estimate.ts";
import type { Planned, PlannedSettings } from "./plan.ts";
import type { Blueprint } from "./schema.ts";
import { type Given, origins, resolveGiven, resolveLora } from "./workload.ts";

/**
 * A trained weight can hold about 2 bits of what it reads (Allen-Zhu and Li, arXiv 2404.05405); a byte of text that was
 * not seen has about 1.25 bits for a small model.
 */
const BYTES_PER_PARAMETER = 1.6;

/** Whether the default rules come first, the blueprint's own, and how much text one pass may hold. */
export function resolveEpigenome(
  blueprint: Blueprint,
  config: ModelConfig,
  given: Pick<Given, "express">,
): Pick<PlannedSettings, "express" | "rules" | "capacity"> {
  const from = origins(blueprint);
  const { epigenome, method, modules } = blueprint;
  const express = resolveGiven(
    given.express,
    "--express",
    from(epigenome?.express, "default" as const, "small bodies do not get everything"),
  );
  const { trainable } = countTrainable(config, { method, lora: resolveLora(blueprint).value ?? undefined, modules });
  return {
    express,
    rules: from(epigenome?.rules, [], "no rule: the default ones alone"),
    capacity: resolveCapacity(blueprint, express.value, trainable),
  };
}

function resolveCapacity(
  { name, epigenome }: Blueprint,
  express: "default" | "all",
  trainable: number,
): Planned<number | null> {
  const written = epigenome?.bytesPerParameter;
  if (written === undefined && express === "all") {
    return { value: null, origin: "derived", reason: "everything is expressed" };
  }
  const perParameter = written ?? BYTES_PER_PARAMETER;
  const recipe = written === undefined ? "" : ` (${name})`;
  return {
    value: Math.round(perParameter * trainable),
    origin: written === undefined ? "derived" : "recipe",
    reason: `${perParameter} bytes for each of ${trainable.toLocaleString("en")} trained parameters${recipe}`,
  };
}
