/** What a recipe may ask of body, genome and machine before it applies: the schema of `applies`, not its evaluation. */
import * as z from "zod";
import { kinds } from "../genome/manifest.ts";
import { MODEL_TYPES } from "../models/config.ts";

const count = z.int().min(1);
const share = z.number().min(0).max(1);

/** A half-open range; either end may be left out. */
function range(value: z.ZodNumber, what: string) {
  return z
    .strictObject({
      atLeast: value.optional().describe(`${what}: this many or more`),
      below: value.optional().describe(`${what}: fewer than this`),
    })
    .refine((of) => (of.atLeast ?? -Infinity) < (of.below ?? Infinity), "atLeast must be less than below");
}

const kindRanges = z.strictObject(
  Object.fromEntries(
    kinds.map((kind) => [
      kind,
      range(share, `share of ${kind} in the bytes of the genome's text, 0 to 1`)
        .optional()
        .describe(`Share of ${kind} files in the bytes of the genome's text`),
    ]),
  ),
);

export const appliesSchema = z
  .strictObject({
    byName: z.literal(true).optional().describe("The recipe is never chosen by itself, only where a user names it"),
    architecture: z
      .array(z.enum(MODEL_TYPES))
      .min(1)
      .optional()
      .describe("Architectures that the recipe is for, as model_type in config.json; without it, all"),
    parameters: range(count, "parameters of the body, a tied head counted once")
      .optional()
      .describe("Sizes of bodies that the recipe is for"),
    context: z
      .strictObject({ atLeast: count.describe("Positions that the body must be able to read") })
      .optional()
      .describe("Context that the body must have"),
    genome: z
      .strictObject({
        bytes: range(count, "bytes of the genome's text, duplicates counted once")
          .optional()
          .describe("Sizes of genomes that the recipe is for"),
        kinds: kindRanges.optional().describe("What the genome must consist of, by kind of file"),
      })
      .optional()
      .describe("Genomes that the recipe is for; where the genome is not known, nothing here counts against it"),
    memory: z
      .strictObject({ atLeast: count.describe("Bytes of memory that must be free") })
      .optional()
      .describe("Memory that the machine must have free, beside what the estimate of a run needs"),
  })
  .describe("Which bodies, genomes and machines the recipe is for; what is left out is not asked");

/** The predicate of a recipe as written. */
export type Applies = z.infer<typeof appliesSchema>;
