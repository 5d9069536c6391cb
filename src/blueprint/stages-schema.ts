/** What a blueprint may say of its stages: the schema, and what contradicts itself. */
import * as z from "zod";

/** What may be trained; each is a file in `chrysalis/objectives/`. */
export const objectiveNames = ["clm", "sft"] as const;
export type ObjectiveName = (typeof objectiveNames)[number];

const stageSchema = z.strictObject({
  name: z.string().min(1).describe("Name of the stage, which rules of the epigenome use"),
  objective: z
    .enum(objectiveNames)
    .optional()
    .describe("clm: every token; sft: of prompts with answers the answers only (default: sft where it reads such)"),
  share: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe("Part of the training (default: what the other stages leave, in equal parts)"),
});

export const stagesSchema = z
  .array(stageSchema)
  .min(1)
  .max(16)
  .refine((of) => new Set(of.map(({ name }) => name)).size === of.length, "names a stage twice")
  .refine((of) => {
    const given = of.reduce((sum, { share = 0 }) => sum + share, 0);
    const open = of.some(({ share }) => share === undefined);
    return open ? given < 1 : Math.abs(given - 1) < 1e-6;
  }, "the shares must add up to 1, or leave something for the stages without one")
  .describe("Stages of the training, one after the other; each has an objective, and rules choose what it reads");
