/** What a search tried, for people: the ranking with its reasons. */

import type { SearchRecord, Trial } from "../blueprint/search.ts";
import { formatFigure } from "./format.ts";

export function searchRows({ parent, rounds }: SearchRecord): string[] {
  return [
    `searched: lower is better; held-out bits per byte, and what retention rose above the parent's` +
      ` (parent: ${figures(parent.heldOut, parent.retention)})`,
    ...rounds.flatMap(({ trials }, round) => [
      `  round ${round + 1}, ${trials.length} trials of as many operations`,
      ...trials.map((trial, place) => `    ${place + 1}. ${trialRow(trial)}`),
    ]),
  ];
}

function trialRow({ recipe, multiple, steps, heldOut, retention, score }: Trial): string {
  const name = multiple === 1 ? recipe : `${recipe} at ${multiple} times its learning rate`;
  if (heldOut === null || score === null) return `${name}: diverged within ${steps} steps`;
  return `${name}: ${formatFigure(score)} after ${steps} steps (${figures(heldOut, retention)})`;
}

function figures(heldOut: number, retention: number | null): string {
  return `held-out ${formatFigure(heldOut)}, ${retention === null ? "no general text" : `retention ${formatFigure(retention)}`}`;
}
