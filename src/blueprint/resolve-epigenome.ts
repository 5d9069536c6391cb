/** What of a genome a blueprint expresses for a body. */
import type { Planned, PlannedSettings } from "./plan.ts";
import type { Blueprint } from "./schema.ts";
import { origins, resolveGiven } from "./origins.ts";
import { BYTES_PER_TOKEN, type Given, type Workload } from "./workload.ts";

/**
 * A trained weight can hold about 2 bits of what it reads (Allen-Zhu and Li, arXiv 2404.05405); a byte of text that was
 * not seen has about 1.25 bits for a small model.
 */
export const BYTES_PER_PARAMETER = 1.6;
/**
 * One pass holds at most this many times the text that the run is expected to see. Rates are estimated from the shapes alone:
 * on a machine four times as fast as estimated no text comes twice yet. What is beyond is not seen anyway, and where something
 * must go, dialogue, tables and logs go first, so that the little that is seen is of the best.
 */
const BUDGET_MULTIPLE = 4;
/** Files come whole: a smaller pass would hang on the sizes of a few. */
const SMALLEST_PASS = 64 * 1024;

/** Whether the default rules come first, the blueprint's own, and how much text one pass may hold. */
export function resolveEpigenome(
  blueprint: Blueprint,
  load: Pick<Workload, "needs" | "budget" | "genomeTokens" | "nominalRate">,
  given: Pick<Given, "express">,
): Pick<PlannedSettings, "express" | "rules" | "capacity"> {
  const from = origins(blueprint);
  const { epigenome } = blueprint;
  const express = resolveGiven(
    given.express,
    "--express",
    from(epigenome?.express, "default" as const, "small bodies do not get everything"),
  );
  const limits = [byWeights, byBudget].flatMap((limit) => limit(blueprint, express.value, load) ?? []);
  const [least] = limits.toSorted((a, b) => a.value - b.value);
  return {
    express,
    rules: from(epigenome?.rules, [], "no rule: the default ones alone"),
    capacity: least ?? { value: null, origin: "derived", reason: "everything is expressed" },
  };
}

type Limit = (
  blueprint: Blueprint,
  express: "default" | "all",
  load: Pick<Workload, "needs" | "budget" | "genomeTokens" | "nominalRate">,
) => Planned<number> | undefined;

/** What the trained weights can hold. */
const byWeights: Limit = ({ name, epigenome }, express, { needs: { trainable } }) => {
  const written = epigenome?.bytesPerParameter;
  if (written === undefined && express === "all") return undefined;
  const perParameter = written ?? BYTES_PER_PARAMETER;
  return {
    value: Math.round(perParameter * trainable),
    origin: written === undefined ? "derived" : "recipe",
    reason: `${perParameter} bytes for each of ${count(trainable)} trained parameters${written === undefined ? "" : ` (${name})`}`,
  };
};

/** What the training time can make use of. */
const byBudget: Limit = ({ name, epigenome }, express, { budget, genomeTokens, nominalRate }) => {
  const written = epigenome?.budgetMultiple;
  if (written === undefined && express === "all") return undefined;
  const multiple = written ?? BUDGET_MULTIPLE;
  const time =
    "minutes" in budget.value
      ? `${budget.value.minutes} minutes at an estimated ${count(nominalRate)} tokens/s`
      : `${count(budget.value.steps)} steps`;
  const value = Math.round(multiple * genomeTokens * BYTES_PER_TOKEN);
  return {
    value: Math.max(SMALLEST_PASS, value),
    origin: written === undefined ? "derived" : "recipe",
    reason:
      value < SMALLEST_PASS
        ? `no pass is smaller; ${time} train about ${count(genomeTokens)} tokens of the genome`
        : `${multiple} times the ${count(genomeTokens)} tokens of the genome that ${time} train${written === undefined ? "" : ` (${name})`}`,
  };
};

const count = (value: number): string => Math.round(value).toLocaleString("en");
