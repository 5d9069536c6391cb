/** The framings there are, by name: a new one is a file and a line here. */
import { change } from "./change.ts";
import { fillInTheMiddle } from "./fill-in-the-middle.ts";
import type { Framing } from "./framing.ts";
import { questionAnswer } from "./question-answer.ts";
import { dialogue, records } from "./records.ts";
import { document, text } from "./text.ts";

const table = {
  text,
  document,
  "fill-in-the-middle": fillInTheMiddle,
  change,
  records,
  dialogue,
  "question-answer": questionAnswer,
} as const satisfies Record<string, Framing>;

export type FramingName = keyof typeof table;

export const framingNames = Object.keys(table) as readonly FramingName[];

export function framingOf(name: FramingName): Framing {
  return table[name];
}

/** All framings with what they do, for help and schema. */
export const framingsInWords = framingNames.map((name) => `${name}: ${table[name].summary}`).join("; ");
