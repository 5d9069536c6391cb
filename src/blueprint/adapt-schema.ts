/** What a blueprint may say of marks that change during a training. */
import * as z from "zod";

/** The part `adapt:` of a blueprint. */
export const adaptSchema = z
  .strictObject({
    diet: z
      .boolean()
      .optional()
      .describe("Raise groups by their held-out gain per trained token, against that of all together (default false)"),
    stress: z
      .boolean()
      .optional()
      .describe("Dim groups whose gradient points against that of the retention text (default false)"),
    environment: z
      .boolean()
      .optional()
      .describe(
        "Stop the costliest groups where the minutes left do not suffice for the rest of a pass (default false)",
      ),
    least: z.number().gt(0).lt(1).optional().describe("Lowest mark that diet and stress may give (default 0.1)"),
    cost: z
      .number()
      .gt(0)
      .max(0.1)
      .optional()
      .describe("Measuring gradients for stress costs at most this part of the training (default 0.1)"),
  })
  .refine((of) => of.diet === true || of.stress === true || of.environment === true, {
    message: "needs diet, stress or environment to be true",
  })
  .describe("Marks of groups (repository and kind) that change during the training (default none)");
