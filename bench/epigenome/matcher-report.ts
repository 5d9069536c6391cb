/** What the matcher's proof found, as numbers, lines and a figure. */

import { rowChart } from "../plot.ts";
import { mean } from "./dose-response.ts";

export interface PairResult {
  readonly body: string;
  readonly genome: string;
  readonly chosen: string;
  /** The lowest mean score. */
  readonly best: string;
  /** Bits per byte, seed by seed, here and below. */
  readonly parent: { readonly heldOut: readonly number[]; readonly retention: readonly number[] };
  readonly rows: readonly {
    readonly recipe: string;
    readonly heldOut: readonly number[];
    readonly retention: readonly number[];
    /** Held-out and what was forgotten. */
    readonly score: readonly number[];
  }[];
}

export interface MatcherResult {
  /** What full training of each pair's body would see; other recipes have as many operations. */
  readonly tokens: number;
  readonly seeds: readonly number[];
  readonly defaultRecipe: string;
  readonly pairs: readonly PairResult[];
}

interface Regret {
  readonly value: number;
  /** Of the paired difference over seeds; null for one. */
  readonly error: number | null;
}

/** What a recipe's score is above the best one's, paired over seeds. */
function regretOf({ rows, best }: PairResult, recipe: string): Regret {
  const of = (name: string): readonly number[] => rows.find((row) => row.recipe === name)!.score;
  const differences = of(recipe).map((score, seed) => score - of(best)[seed]!);
  const value = mean(differences);
  const n = differences.length;
  const squares = differences.reduce((sum, difference) => sum + (difference - value) ** 2, 0);
  return { value, error: n < 2 ? null : Math.sqrt(squares / (n - 1) / n) };
}

/** Of the recipes, ordered by their mean scores, the one in the middle; of an even number the better of the two. */
function medianOf({ rows }: PairResult): string {
  const ordered = rows.toSorted((a, b) => mean(a.score) - mean(b.score));
  return ordered[Math.floor((ordered.length - 1) / 2)]!.recipe;
}

export function reportMatcher({ pairs, tokens, seeds, defaultRecipe }: MatcherResult): string[] {
  const choices = (pair: PairResult): readonly string[] => [pair.chosen, defaultRecipe, medianOf(pair)];
  const average = (i: number): string => mean(pairs.map((pair) => regretOf(pair, choices(pair)[i]!).value)).toFixed(4);
  return [
    `operations of full training on ${tokens} tokens; seeds ${seeds.join(", ")}; score: held-out bits per byte, and what retention rose`,
    "",
    "| body | genome | recipe | held-out | retention | score | above the best |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...pairs.flatMap((pair) => [
      `| ${pair.body} | ${pair.genome} | the untouched parent | ${figure(pair.parent.heldOut)} | ${figure(pair.parent.retention)} | ${figure(pair.parent.heldOut)} | |`,
      ...pair.rows
        .toSorted((a, b) => mean(a.score) - mean(b.score))
        .map(
          ({ recipe, heldOut, retention, score }) =>
            `| | | ${recipe === pair.chosen ? `**${recipe}**` : recipe} | ${figure(heldOut)} | ${figure(retention)} | ${figure(score)} | ${signed(regretOf(pair, recipe))} |`,
        ),
    ]),
    "",
    "| body | genome | best | regret of the matcher | of always the default | of the median |",
    "| --- | --- | --- | --- | --- | --- |",
    ...pairs.map(
      (pair) =>
        `| ${pair.body} | ${pair.genome} | ${pair.best} | ${choices(pair)
          .map((recipe) => `${recipe} ${signed(regretOf(pair, recipe))}`)
          .join(" | ")} |`,
    ),
    `mean regret: the matcher ${average(0)}, always ${defaultRecipe} ${average(1)}, the median ${average(2)}`,
  ];
}

export function drawMatcher({ pairs, seeds, defaultRecipe }: MatcherResult): Record<string, string> {
  return {
    regret: rowChart({
      title: "Regret of a recipe against the best of all",
      subtitle: `${pairs.length} pairs of body and genome, ${seeds.length} seeds; whiskers: one standard error of the paired difference`,
      valueLabel: "bits per byte above the best recipe, what was forgotten included",
      rows: pairs.flatMap((pair) =>
        [pair.chosen, defaultRecipe].map((recipe, i) => {
          const { value, error } = regretOf(pair, recipe);
          return {
            label: `${pair.body}, ${pair.genome}: ${i === 0 ? "matcher" : "default"}`,
            value,
            low: value - (error ?? 0),
            high: value + (error ?? 0),
            note: `${recipe} ${value.toFixed(4)}`,
            isMuted: i === 1,
          };
        }),
      ),
    }),
  };
}

const figure = (values: readonly number[]): string => mean(values).toFixed(4);
const signed = ({ value, error }: Regret): string =>
  value === 0 ? "0" : `+${value.toFixed(4)}${error === null ? "" : ` +- ${error.toFixed(4)}`}`;
