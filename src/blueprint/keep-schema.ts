/** What a blueprint may say of what the parent must keep, and of the way back to it. */
import * as z from "zod";

/** The part `keep:` of a blueprint. */
export const keepSchema = z
  .strictObject({
    kl: z
      .number()
      .positive()
      .optional()
      .describe("Largest KL(parent || child) in nats per token, on text that the parent samples itself"),
    retention: z
      .number()
      .min(0)
      .optional()
      .describe("Largest relative rise of the retention text's bits per byte over the parent's, such as 0.02"),
  })
  .refine((of) => of.kl !== undefined || of.retention !== undefined, "needs kl, retention or both")
  .describe("A forgetting budget: the best checkpoint inside it is what emerges (default none)");

const alpha = z.number().min(0).max(1).describe("How far from the parent (0) to what training left (1)");

/** The part `blend:` of a blueprint. */
export const blendSchema = z
  .union([
    alpha,
    z.strictObject({
      alpha,
      modules: z
        .array(z.strictObject({ match: z.string().min(1).describe("Glob over names of weights or modules"), alpha }))
        .optional()
        .describe("Another alpha for weights whose names match; the last match counts"),
    }),
    z.strictObject({
      choose: z
        .array(z.number().gt(0).max(1))
        .min(1)
        .describe("The alpha among these that is best on held-out text inside the budget of keep"),
    }),
  ])
  .describe("Ends the run with an interpolation between the parent and what training left (default none)");
