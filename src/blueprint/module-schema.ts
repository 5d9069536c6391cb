/** What a blueprint may say of single modules. */
import * as z from "zod";

const ruleSchema = z
  .strictObject({
    match: z
      .string()
      .min(1)
      .describe(
        "Glob over the names of weights or modules, parts between dots: model.layers.0.**, **.mlp.**, **.q_proj",
      ),
    learningRate: z
      .number()
      .min(0)
      .max(100)
      .optional()
      .describe("Factor of the learning rate, and with it of the weight decay; 0: frozen (default 1)"),
    scale: z
      .number()
      .positive()
      .max(100)
      .optional()
      .describe("Factor of the adapter's scale; with method: lora only (default 1)"),
  })
  .refine((of) => of.learningRate !== undefined || of.scale !== undefined, "needs learningRate, scale or both");

/** The part `modules:` of a blueprint. */
export const modulesSchema = z
  .array(ruleSchema)
  .describe("Marks on modules: in each field the last rule counts that matches a weight and speaks of the field");
