/** What a blueprint may say of the order in which the text is read, and of the tokens that count. */
import * as z from "zod";
import { measures } from "../epigenome/difficulty.ts";

const repeatHardSchema = z.strictObject({
  part: z
    .number()
    .gt(0)
    .lt(1)
    .describe("Part of the trained tokens that counts as hard, by the parent's loss per byte"),
  times: z.int().min(1).max(6).describe("How often it comes again in each pass, at distances that double"),
});

/** The part `order:` of a blueprint. */
export const orderSchema = z
  .strictObject({
    by: z
      .enum(["shuffle", ...measures])
      .optional()
      .describe(
        "What the first pass begins with, easy to hard: loss: by the parent's loss per byte; compressibility: by how well the text compresses; shuffle: nothing (default)",
      ),
    part: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe("The first part of the first pass in which it holds (default 0.2)"),
    repeatHard: repeatHardSchema.optional().describe("What comes again within a pass (default nothing)"),
    imports: z
      .boolean()
      .optional()
      .describe(
        "true: code files of a repository share sequences, each after those that it imports and with them in sight (default false)",
      ),
  })
  .refine(({ by = "shuffle", part }) => part === undefined || by !== "shuffle", {
    path: ["part"],
    message: "needs by: loss or by: compressibility",
  })
  .refine(
    ({ by = "shuffle", repeatHard, imports }) => imports !== true || (by === "shuffle" && repeatHard === undefined),
    {
      path: ["imports"],
      message: "keeps files together that by and repeatHard would part: give one or the other",
    },
  )
  .describe("Order of the text in a pass; a seeded shuffle where it says nothing");

/** The part `select:` of a blueprint. */
export const selectSchema = z
  .strictObject({
    excess: z
      .number()
      .gt(0)
      .max(1)
      .describe(
        "Part of a step's tokens that count: those with the highest loss above the parent's (arXiv 2404.07965)",
      ),
  })
  .describe("Which tokens count in the loss (default all); replay always does");
