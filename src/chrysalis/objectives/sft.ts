/** Supervised fine-tuning: texts are trained whole, of prompts with answers the answers only. */
import type { Objective } from "./objective.ts";

export const sft: Objective = {
  summary: "texts whole; of prompts with answers the answers only",
  lossOf: (part) => (part === "text" || part === "answer" ? 1 : 0),
};
