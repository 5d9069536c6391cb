/** The `applies` of a recipe in words. */
import type { Applies } from "./applies.ts";
import { readable, readableBytes } from "./judge.ts";

/** "50 M to 1 B parameters, 10 MB of text or more"; "every body" where nothing is asked. */
export function describeApplies(applies: Applies | undefined): string {
  const { byName, architecture, parameters, context, genome, memory } = applies ?? {};
  const percent = (value: number): string => `${Number((100 * value).toPrecision(3))} %`;
  const parts = [
    ...(architecture === undefined ? [] : [architecture.join(" or ")]),
    ...range(parameters, readable, " parameters"),
    ...range(context, (value) => value.toLocaleString("en"), " positions of context"),
    ...range(genome?.bytes, readableBytes, " of text"),
    ...Object.entries(genome?.kinds ?? {}).flatMap(([kind, of]) => range(of, percent, ` ${kind}`)),
    ...range(memory, readableBytes, " of memory free"),
  ];
  const bodies = parts.length === 0 ? "every body" : parts.join(", ");
  return byName ? `by name: ${bodies}` : bodies;
}

function range(
  of: { readonly atLeast?: number | undefined; readonly below?: number | undefined } | undefined,
  say: (value: number) => string,
  noun: string,
): string[] {
  const { atLeast, below } = of ?? {};
  if (atLeast !== undefined && below !== undefined) return [`${say(atLeast)} to ${say(below)}${noun}`];
  if (atLeast !== undefined) return [`${say(atLeast)}${noun} or more`];
  return below === undefined ? [] : [`below ${say(below)}${noun}`];
}
