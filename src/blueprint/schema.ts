/**
 * What a blueprint may say, each key described for editors and readers. Everything but the name, the description, the
 * method and the learning rate has a default (resolve.ts).
 */
import * as z from "zod";
import { adaptSchema } from "./adapt-schema.ts";
import { appliesSchema } from "./applies.ts";
import { epigenomeSchema } from "./epigenome-schema.ts";
import { blendSchema, keepSchema } from "./keep-schema.ts";
import { orderSchema, selectSchema } from "./order-schema.ts";
import { stagesSchema } from "./stages-schema.ts";
import { modulesSchema } from "./module-schema.ts";

const share = z.number().min(0).max(1);
const count = z.int().min(1);

const syntheticSchema = z
  .strictObject({
    time: z
      .number()
      .gt(0)
      .max(10)
      .optional()
      .describe("Part of the training time that replay, and that questions, may take to be written (default 0.15)"),
    pairsPerFile: count.optional().describe("Passages of a file that the parent asks itself about (default 4)"),
    pairsShare: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe("Bytes of questions with answers, as a part of all trained bytes, at most (default 0.1)"),
  })
  .describe("What the parent writes itself before training: replay where none is given, and questions about files");

/** The linear modules of a block, by the last part of their names. */
export const LINEAR_MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] as const;

const loraSchema = z.strictObject({
  rank: count.optional().describe("Rank of the adapter (default 16)"),
  alpha: z.number().positive().optional().describe("Scale: the update is multiplied by alpha / rank (default 2 rank)"),
  targets: z
    .array(z.enum(LINEAR_MODULES))
    .min(1)
    .optional()
    .describe("Linear modules that get an adapter, by the last part of their names (default all)"),
  rslora: z.boolean().optional().describe("Scale by alpha / sqrt(rank) instead (arXiv 2312.03732; default false)"),
});

const optimizerSchema = z.strictObject({
  name: z.enum(["adamw", "muon"]).optional().describe("Optimiser (default adamw)"),
  learningRate: z.number().positive().max(1).describe("Learning rate of the stable phase"),
  betas: z
    .tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)])
    .optional()
    .describe("Decay of the first and second moments (default 0.9, 0.95)"),
  epsilon: z.number().positive().optional().describe("Added to the root of the second moment (default 1e-8)"),
  weightDecay: z.number().min(0).optional().describe("Decoupled weight decay (default 0)"),
  clip: z.number().positive().optional().describe("Largest global gradient norm (default 1)"),
});

const keysSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, "must be lower-case letters, digits and hyphens")
    .describe("Name of the recipe: that of its file, in lower case with hyphens"),
  description: z.string().min(1).describe("One line: what the recipe does and for which bodies"),
  applies: appliesSchema.optional(),
  method: z.enum(["full", "lora"]).describe("full trains all weights, lora an adapter around them"),
  lora: loraSchema.optional().describe("The adapter; with method: lora only"),
  modules: modulesSchema.optional(),
  optimizer: optimizerSchema.describe("How gradients become updates"),
  schedule: z
    .strictObject({
      warmup: share.optional().describe("Part of the steps in which the learning rate rises (default 0.05)"),
      decay: share.optional().describe("Part of the steps, the last ones, in which it falls (default 0.4)"),
    })
    .optional()
    .describe("Warm-up, stable, decay"),
  batch: z
    .strictObject({
      tokens: count.optional().describe("Tokens of an optimiser step (default 2048)"),
      sequence: z
        .int()
        .min(8)
        .optional()
        .describe("Tokens of a training sequence (default 512, the body's context at most)"),
    })
    .optional()
    .describe("What one optimiser step sees"),
  replay: z
    .number()
    .min(0)
    .max(0.9)
    .optional()
    .describe(
      "Part of the trained tokens that comes from the replay text, given or of the parent's own (default 0.25 below 50 million parameters, else 0.05)",
    ),
  synthetic: syntheticSchema.optional(),
  epigenome: epigenomeSchema.optional(),
  adapt: adaptSchema.optional(),
  stages: stagesSchema.optional(),
  order: orderSchema.optional(),
  select: selectSchema.optional(),
  repair: z
    .literal(true)
    .optional()
    .describe("Add what an instruct model (--instruct) has over the parent after training (arXiv 2410.10739)"),
  chatTemplate: z
    .string()
    .min(1)
    .max(65_536)
    .optional()
    .describe("Chat template (Jinja) for a parent that has none; the trained model keeps it"),
  keep: keepSchema.optional(),
  blend: blendSchema.optional(),
  heldOut: z
    .strictObject({
      match: z
        .string()
        .min(1)
        .optional()
        .describe("Glob over repository/path: of what is trained on, only such files are held out (default **)"),
      share: z.number().gt(0).max(0.5).optional().describe("Part of the bytes to hold out (default 0.08)"),
      minFiles: count.optional().describe("Files to hold out at least (default 5)"),
      maxBytes: count.optional().describe("Bytes to hold out at most (default 131072)"),
    })
    .optional()
    .describe("Files kept out of training, whole, to measure on"),
  evaluation: z
    .strictObject({
      window: z.int().min(8).optional().describe("Positions of a scoring window (default: as the training sequences)"),
      times: count.optional().describe("Evaluations after the one at the start (default 4)"),
      share: z
        .number()
        .gt(0)
        .max(0.5)
        .optional()
        .describe("At most this part of the training time goes into them (default 0.15)"),
    })
    .optional()
    .describe("Measuring while training"),
  checkpoint: z
    .strictObject({
      seconds: z.number().positive().optional().describe("Seconds between checkpoints (default 60)"),
      steps: count.optional().describe("Steps between checkpoints, instead of seconds"),
    })
    .refine((of) => (of.seconds === undefined) !== (of.steps === undefined), "needs either seconds or steps")
    .optional()
    .describe("How much a power cut may cost: either seconds or steps"),
  budget: z
    .strictObject({
      minutes: z.number().positive().optional().describe("Minutes of training (default 3)"),
      steps: count.optional().describe("Optimiser steps, instead of minutes"),
    })
    .refine((of) => (of.minutes === undefined) !== (of.steps === undefined), "needs either minutes or steps")
    .optional()
    .describe("Length of the training: either minutes or steps; --minutes goes before it"),
  epochs: z
    .strictObject({ max: z.number().positive().describe("Passes over the trained text at most (default 4)") })
    .optional()
    .describe("How often the text may be repeated"),
  seed: z.int().min(0).optional().describe("Seed of every random choice (default 1); --seed goes before it"),
});

/** With what would contradict itself, though each value alone is right. */
export const blueprintSchema = keysSchema.check(
  ({ value: { method, lora, modules = [], epigenome, stages = [], order, adapt }, issues }) => {
    const wrong = (message: string, input: unknown, ...path: (string | number)[]): void =>
      void issues.push({ code: "custom", path, message, input });
    if (method !== "lora") {
      if (lora !== undefined) wrong("needs method: lora", lora, "lora");
      for (const [i, { scale }] of modules.entries()) {
        if (scale !== undefined) wrong("needs method: lora", scale, "modules", i, "scale");
      }
    }
    if (adapt !== undefined) {
      if (stages.length > 1) wrong("needs a recipe of one stage", adapt, "adapt");
      if ((order?.by ?? "shuffle") !== "shuffle" || order?.repeatHard !== undefined)
        wrong("needs a shuffled order: groups are read by their marks", adapt, "adapt");
    }
    const names = stages.map(({ name }) => name);
    for (const [i, { stage }] of (epigenome?.rules ?? []).entries()) {
      if (stage === undefined || names.includes(stage)) continue;
      const known = names.length === 0 ? "the recipe has no stages" : `stages are ${names.join(", ")}`;
      wrong(`there is no stage ${JSON.stringify(stage)}; ${known}`, stage, "epigenome", "rules", i, "stage");
    }
  },
);

/** A blueprint as written. */
export type Blueprint = z.infer<typeof blueprintSchema>;
