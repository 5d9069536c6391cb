/** What a blueprint may say of what the parent must keep. */
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
