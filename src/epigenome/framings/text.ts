/** The framings of plain text: alone, or below a line that says where it stands. */
import { uniform } from "../../formats/random.ts";
import type { Framing } from "./framing.ts";

/** Part of the documents that go without their header, so that the model works without one. */
const withoutHeader = 0.25;

export const text: Framing = {
  summary: "the text alone",
  frame: (of) => [[{ part: "text", text: of.text }]],
};

export const document: Framing = {
  summary: "most often below a line with its path",
  frame({ gene: { repository, path, blob }, text: own, copy }, { seed }) {
    const body = { part: "text", text: own } as const;
    const chance = uniform(seed, `header ${repository}/${path} ${blob}`, copy, 0);
    return [chance < withoutHeader ? [body] : [{ part: "header", text: `${repository}/${path}\n\n` }, body]];
  },
};
