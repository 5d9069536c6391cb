/** Causal language modelling: every token is trained but those that the framing added. */
import type { Objective } from "./objective.ts";

export const clm: Objective = {
  summary: "every token of texts, prompts and answers",
  lossOf: (part) => (part === "header" ? 0 : 1),
};
