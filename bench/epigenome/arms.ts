/** The arms of "expressed against whole", as rules: what each of them trains on of the same files. */

import { defaultRules } from "../../src/epigenome/rules.ts";
import type { Rule } from "../../src/epigenome/rules.ts";
import { dosedBytes, selectGenes } from "../../src/epigenome/select.ts";
import type { ExpressedGene } from "../../src/epigenome/select.ts";
import { uniform } from "../../src/formats/random.ts";
import type { Gene } from "../../src/genome/manifest.ts";

export const arms = ["default", "whole", "proportional", "uniform", "random"] as const;
export type Arm = (typeof arms)[number];

export interface ArmOptions {
  readonly seed: number;
  /** Bytes of one pass that the default may hold. */
  readonly capacity: number;
}

/**
 * What an arm expresses. `whole` is everything. The last three have as many bytes as `default`: `proportional` an equal part of
 * every group (repository and kind), `uniform` as many bytes of each as there are, up to a level, `random` a random part of each.
 */
export function expressArm(genes: readonly Gene[], arm: Arm, { seed, capacity }: ArmOptions): readonly ExpressedGene[] {
  const byDefault = selectGenes(genes, { rules: defaultRules, seed, capacity }).expressed;
  if (arm === "default") return byDefault;
  const all = { seed, duplicates: "all" } as const;
  if (arm === "whole") return selectGenes(genes, { ...all, rules: [] }).expressed;
  const groups = [...Map.groupBy(genes, ({ repository, kind }) => JSON.stringify([repository, kind]))].map(
    ([, own], i) => ({
      match: { repository: own[0]!.repository, kind: own[0]!.kind },
      bytes: own.reduce((sum, { textBytes }) => sum + textBytes, 0),
      chance: uniform(seed, "group mark", i, 0),
    }),
  );
  const wanted: Record<
    Exclude<Arm, "default" | "whole">,
    (level: number) => (group: (typeof groups)[number]) => number
  > = {
    proportional:
      (level) =>
      ({ bytes }) =>
        Math.min(bytes, level * bytes),
    uniform:
      (level) =>
      ({ bytes }) =>
        Math.min(bytes, level),
    random:
      (level) =>
      ({ bytes, chance }) =>
        Math.min(bytes, level * chance * bytes),
  };
  const budget = dosedBytes(byDefault);
  const bytesAt = wanted[arm];
  const level = levelFor(budget, (at) => groups.reduce((sum, group) => sum + bytesAt(at)(group), 0));
  const rules = groups
    .filter(({ bytes }) => bytes > 0)
    .map((group): Rule => ({ match: group.match, mark: bytesAt(level)(group) / group.bytes }));
  return selectGenes(genes, { ...all, rules }).expressed;
}

/** The level at which a sum that rises with it reaches the budget, by bisection. */
function levelFor(budget: number, sumAt: (level: number) => number): number {
  let low = 0;
  let high = 1;
  while (sumAt(high) < budget && high < 2 ** 40) high *= 2;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (sumAt(middle) < budget) low = middle;
    else high = middle;
  }
  return high;
}
