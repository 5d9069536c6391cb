/** Rules that name weights by globs: what matches, and which rule's value counts for a weight. */

import picomatch from "picomatch";

export interface NameRule {
  /**
   * Glob over the name of a weight or of its module, whose parts stand between dots: `model.layers.3.*.*.weight`,
   * `**.mlp.**`, `**.q_proj`.
   */
  readonly match: string;
}

/** Whether a weight's name, or that of its module (the same without its last part), matches a glob. */
export function nameMatcher(glob: string): (weight: string) => boolean {
  const matches = picomatch(glob.replaceAll(".", "/"), { dot: true });
  return (weight) => {
    const path = weight.replaceAll(".", "/");
    return matches(path) || matches(path.slice(0, Math.max(0, path.lastIndexOf("/"))));
  };
}

/** For a weight, what the last rule says that matches it and says anything; `otherwise` where none does. */
export function lastMatching<R extends NameRule>(
  rules: readonly R[],
  valueOf: (rule: R) => number | undefined,
  otherwise: number,
): (weight: string) => number {
  const compiled = rules.map((rule) => ({ value: valueOf(rule), matches: nameMatcher(rule.match) })).toReversed();
  return (weight) => compiled.find(({ value, matches }) => value !== undefined && matches(weight))?.value ?? otherwise;
}

/** The first rule that matches none of the weights. */
export function idleRule<R extends NameRule>(rules: readonly R[], weights: Iterable<string>): R | undefined {
  const names = [...weights];
  return rules.find(({ match }) => !names.some(nameMatcher(match)));
}
